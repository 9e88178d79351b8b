"""Keeps how often files are downloaded: every worker adds its counts twice a minute, and when it ends.

Every ten minutes one of them sees to it that what is recent stays so, and that searches know it, and forgets
what is old, or of what is gone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, ClassVar

from attrs import define, field, frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import downloads as kept
from pypi.db.queries.downloads import Added
from pypi.domain.downloads import RECENT_DAYS, first_of
from pypi.http.downloaded import Downloaded, Sum
from pypi.jobs.once import Once, at_the_end

KEPT_DAYS = 400
"""Days of which is known what was downloaded of each project: a year, and some to compare with."""

SUMMED = 1000
"""Projects summed up anew in one transaction."""

TOLD, MOST_TOLD = 500, 2000
"""Projects told to searches in one transaction, and in one run: each costs half a millisecond."""

FORGOTTEN = 10_000
"""Rows forgotten in one transaction."""


@define(eq=False)
class KeepDownloads:
    """Adds counts to those in the database; what cannot be added waits, and is added later.

    Attributes:
        downloaded: of this worker.
    """

    every: ClassVar[float] = 30.0
    downloaded: Downloaded
    database: Database = field(repr=False)
    reactor: Any = field(repr=False)
    _once: Once[list[Sum]] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._once = Once(self.database, self.downloaded.take, _add, self.downloaded.give_back)

    async def start(self) -> None:
        """There is nothing to begin with."""

    async def stop(self) -> None:
        """Keep what was counted last, if that is a matter of seconds."""
        await at_the_end(self.run, self.reactor, "What was downloaded last")

    async def run(self) -> None:
        """Add what was counted since the last time.

        Raises:
            DatabaseDown: later, then.
        """
        self.downloaded.settle()
        while await self._once.run():
            pass


@frozen(kw_only=True, eq=False)
class TendDownloads:
    """Lets days pass: sums are of the last days, searches know them, and what is old or gone is forgotten."""

    every: ClassVar[float] = 600.0
    database: Database
    now: Callable[[], datetime]

    async def run(self) -> None:
        """Do what the day asks for, in batches."""
        today = self.now().date()
        first = first_of(today, RECENT_DAYS)
        last: int | None = 0
        while last is not None:
            last = await self.database.transact(kept.age, after=last, today=today, first=first, limit=SUMMED)
        await self._all(lambda cursor: kept.tell_searches(cursor, TOLD), TOLD, MOST_TOLD // TOLD)
        before = today - timedelta(days=KEPT_DAYS)
        await self._all(lambda cursor: kept.forget(cursor, before, FORGOTTEN), FORGOTTEN)
        await self._all(lambda cursor: kept.drop_projects(cursor, FORGOTTEN), FORGOTTEN)
        await self._all(lambda cursor: kept.drop_files(cursor, FORGOTTEN), FORGOTTEN)

    async def _all(self, some: Callable[[Cursor], Awaitable[int]], most: int, times: int = 1000) -> None:
        """Do it again, as long as it finds as many rows as it takes at once."""
        while await self.database.transact(some) >= most and times > 1:
            times -= 1


async def _add(cursor: Cursor, taken: list[Sum]) -> None:
    await kept.add(cursor, [Added(one.day, one.blake2_256, one.count) for one in taken])
