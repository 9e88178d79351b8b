"""Adds counts to those in the database exactly once, whatever becomes of a connection while it commits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sized
from typing import Any, Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pypi.db.connection import Cursor
from pypi.db.database import Database, OutcomeUnknown
from pypi.db.queries.fate import fate, transaction

Taken = TypeVar("Taken", bound=Sized)

log = Logger()

PATIENCE = 1.0
"""Seconds that what was counted last may take to be kept when a worker ends."""


@define(eq=False)
class Once(Generic[Taken]):
    """Whoever counts takes what was counted, adds it, and has it given back if that fails.

    Attributes:
        take: what waits to be added; empty where nothing does.
        add: adds it, in one transaction.
        give_back: it was not added.
    """

    database: Database = field(repr=False)
    take: Callable[[], Taken] = field(repr=False)
    add: Callable[[Cursor, Taken], Awaitable[object]] = field(repr=False)
    give_back: Callable[[Taken], object] = field(repr=False)
    _doubted: Taken | None = field(default=None, init=False, repr=False)
    _transaction: str = field(default="", init=False, repr=False)

    async def run(self) -> bool:
        """Add what waits; whether something was added, and more may wait.

        Raises:
            DatabaseDown: later, then.
            OutcomeUnknown: it is not known yet what became of what was taken before.
        """
        await self._settle_doubt()
        taken = self.take()
        if not taken:
            return False
        try:
            await self.database.transact(self._add, taken)
        except OutcomeUnknown:
            self._doubted = taken
            return False
        except BaseException:
            self.give_back(taken)
            raise
        return True

    async def _add(self, cursor: Cursor, taken: Taken) -> None:
        self._transaction = await transaction(cursor)
        await self.add(cursor, taken)

    async def _settle_doubt(self) -> None:
        """Ask what became of a transaction whose end nobody heard of, if there is one."""
        if self._doubted is None:
            return
        told = await self.database.ask(fate, self._transaction)
        if told == "in progress":
            raise OutcomeUnknown()
        doubted, self._doubted = self._doubted, None
        if told == "aborted":
            self.give_back(doubted)


async def at_the_end(run: Callable[[], Any], reactor: Any, what: str) -> None:
    """Keep what was counted last, if that is a matter of seconds.

    Args:
        run: keeps it.
        what: for the log, if it fails.
    """
    try:
        await Deferred.fromCoroutine(run()).addTimeout(PATIENCE, reactor)
    except Exception as error:
        log.warn("{what} could not be kept: {error}", what=what, error=str(error) or repr(error))
