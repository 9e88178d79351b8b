"""Keeps how often features are used: every worker adds its counts once a minute, and when it ends."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from attrs import define, field, frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import usage as kept
from pypi.db.queries.usage import Added
from pypi.domain.usage import Use
from pypi.http.usage import Seen, Sum, Usage
from pypi.jobs.once import Once, at_the_end

KEPT_DAYS = 400
"""Days of which is known what was used: a year, and some to compare with."""


@define(eq=False)
class KeepUsage:
    """Adds counts to those in the database; what cannot be added waits, and is added later.

    Attributes:
        usage: of this worker.
    """

    every: ClassVar[float] = 60.0
    usage: Usage
    database: Database = field(repr=False)
    reactor: Any = field(repr=False)
    _once: Once[dict[Sum, Seen]] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._once = Once(self.database, self.usage.take, _add, self.usage.give_back)

    async def start(self) -> None:
        """There is nothing to begin with."""

    async def stop(self) -> None:
        """Keep what was counted last, if that is a matter of seconds."""
        await at_the_end(self.run, self.reactor, "What was used last")

    async def run(self) -> None:
        """Add what was counted since the last time.

        Raises:
            DatabaseDown: later, then.
        """
        await self._once.run()

    async def since(self, day: date) -> tuple[list[Use], date | None]:
        """What all workers have kept from a day on, and the first day of all that is recorded.

        Raises:
            DatabaseDown: the database cannot be reached.
        """

        async def read(cursor: Cursor) -> tuple[list[Use], date | None]:
            return await kept.since(cursor, day), await kept.first_day(cursor)

        return await self.database.read(read)


@frozen(kw_only=True, eq=False)
class ForgetUsage:
    """Forgets what was used long ago."""

    every: ClassVar[float] = 24 * 3600.0
    database: Database
    now: Callable[[], datetime]

    async def run(self) -> None:
        """Forget what is older than ``KEPT_DAYS``."""
        await self.database.transact(kept.forget, self.now().date() - timedelta(days=KEPT_DAYS))


async def _add(cursor: Cursor, taken: dict[Sum, Seen]) -> None:
    await kept.add(cursor, [_row(key, seen) for key, seen in sorted(taken.items())])


def _row(key: Sum, seen: Seen) -> Added:
    return Added(key.day, key.feature, key.family, seen.count, seen.last)
