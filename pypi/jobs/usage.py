"""Keeps how often features are used: every worker adds its counts once a minute, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pypi.db.connection import Cursor
from pypi.db.database import Database, OutcomeUnknown
from pypi.db.queries import usage as kept
from pypi.db.queries.usage import Added
from pypi.domain.usage import Use
from pypi.http.usage import Seen, Sum, Usage

log = Logger()

PATIENCE = 1.0
"""Seconds that what was counted last may take to be kept when the worker ends."""

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
    _doubted: Mapping[Sum, Seen] = field(factory=dict, init=False, repr=False)
    _transaction: str = field(default="", init=False, repr=False)

    async def start(self) -> None:
        """There is nothing to begin with."""

    async def stop(self) -> None:
        """Keep what was counted last, if that is a matter of seconds."""
        last = Deferred.fromCoroutine(self.run())
        try:
            await last.addTimeout(PATIENCE, self.reactor)
        except Exception as error:
            log.warn("What was used last could not be kept: {error}", error=str(error) or repr(error))

    async def run(self) -> None:
        """Add what was counted since the last time.

        Raises:
            DatabaseDown: later, then.
        """
        await self._settle_doubt()
        taken = self.usage.take()
        if not taken:
            return
        try:
            await self.database.transact(self._add, [_row(key, seen) for key, seen in sorted(taken.items())])
        except OutcomeUnknown:
            self._doubted = taken
        except BaseException:
            self.usage.give_back(taken)
            raise

    async def since(self, day: date) -> tuple[list[Use], date | None]:
        """What all workers have kept from a day on, and the first day of all that is recorded.

        Raises:
            DatabaseDown: the database cannot be reached.
        """

        async def read(cursor: Cursor) -> tuple[list[Use], date | None]:
            return await kept.since(cursor, day), await kept.first_day(cursor)

        return await self.database.read(read)

    async def _add(self, cursor: Cursor, rows: list[Added]) -> None:
        self._transaction = await kept.transaction(cursor)
        await kept.add(cursor, rows)

    async def _settle_doubt(self) -> None:
        """Ask what became of a transaction whose end nobody heard of, if there is one."""
        if not self._doubted:
            return
        fate = await self.database.ask(kept.fate, self._transaction)
        if fate == "in progress":
            raise OutcomeUnknown()
        doubted, self._doubted = self._doubted, {}
        if fate == "aborted":
            self.usage.give_back(doubted)


@frozen(kw_only=True, eq=False)
class ForgetUsage:
    """Forgets what was used long ago."""

    every: ClassVar[float] = 24 * 3600.0
    database: Database
    now: Callable[[], datetime]

    async def run(self) -> None:
        """Forget what is older than ``KEPT_DAYS``."""
        await self.database.transact(kept.forget, self.now().date() - timedelta(days=KEPT_DAYS))


def _row(key: Sum, seen: Seen) -> Added:
    return Added(key.day, key.feature, key.family, seen.count, seen.last)
