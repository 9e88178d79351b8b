"""Purges the edge of what committed changes have made old: many changes in one call, and everything twice.

An errand ``purge`` is done by a first purge, and becomes ``purge-again``: behind the first, one cache of the
edge may have been filled by another that was not purged yet. ``purge-all`` does the same with everything.
What must not be shown any more, whatever fails, is purged hard; the errand's payload says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from attrs import field, frozen

from caching.purge import LARGEST_BATCH, SECOND_AFTER, SECOND_AFTER_ALL, Purger
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import journal, outbox
from pypi.db.queries.outbox import Errand
from pypi.failpoints import failpoint
from pypi.jobs.outbox import Follow, Handler


@frozen(kw_only=True, eq=False)
class Purge:
    """Does the errands of one edge."""

    purger: Purger

    def handlers(self) -> Mapping[str, Handler]:
        """Kind of errand → what does it."""
        return {
            "purge": Handler(do=self._first, batch=LARGEST_BATCH),
            "purge-again": Handler(do=self._second, batch=LARGEST_BATCH),
            "purge-all": Handler(do=self._all_first, batch=LARGEST_BATCH),
            "purge-all-again": Handler(do=self._all_second, batch=LARGEST_BATCH),
        }

    async def _first(self, errands: Sequence[Errand]) -> Follow:
        await self._purge(errands)
        failpoint("purge.after-first")
        return Follow(kind="purge-again", after=timedelta(seconds=SECOND_AFTER))

    async def _second(self, errands: Sequence[Errand]) -> None:
        failpoint("purge.between")
        await self._purge(errands)
        failpoint("purge.after-second")

    async def _purge(self, errands: Sequence[Errand]) -> None:
        hard = _tags([errand for errand in errands if errand.payload.get("hard")])
        soft = [tag for tag in _tags(errands) if tag not in hard]
        if hard:
            await self.purger.purge(hard, hard=True)
        if soft:
            await self.purger.purge(soft)

    async def _all_first(self, _errands: Sequence[Errand]) -> Follow:
        await self.purger.purge_all()
        return Follow(kind="purge-all-again", after=timedelta(seconds=SECOND_AFTER_ALL))

    async def _all_second(self, _errands: Sequence[Errand]) -> None:
        await self.purger.purge_all()


@frozen(kw_only=True, eq=False)
class Purges:
    """Asks for purges that no change asks for.

    Attributes:
        edge: whether there is one to be purged.
    """

    database: Database = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    edge: bool

    async def ask(self, tags: Sequence[str], *, hard: bool = False) -> int:
        """Have every answer with any of these tags forgotten.

        Args:
            hard: whether for good; otherwise it may be served while no other is to be had.

        Returns:
            the errand's id.
        """
        about = {"tags": list(tags), "hard": True} if hard else {"tags": list(tags)}
        return await self.database.transact(_ask, "purge", about, self.now())

    async def ask_for_all(self) -> int:
        """Have everything forgotten.

        Returns:
            the errand's id.
        """
        return await self.database.transact(_ask, "purge-all", {}, self.now())

    async def is_done(self, errand: int) -> bool:
        """Whether the edge has acknowledged, twice."""
        return not await self.database.read(outbox.left, [errand])


async def _ask(cursor: Cursor, kind: str, payload: Mapping[str, object], now: datetime) -> int:
    serial = await journal.last_serial(cursor)
    return await outbox.add(cursor, serial=serial, kind=kind, payload=payload, now=now)


def _tags(errands: Sequence[Errand]) -> list[str]:
    """Of all errands, each once, in the order in which they were asked for."""
    return list(dict.fromkeys(tag for errand in errands for tag in errand.payload.get("tags", ())))
