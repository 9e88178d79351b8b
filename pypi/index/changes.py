"""The journal as everybody may read it, page by page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import DeferredSemaphore

from caching.coalesce import Coalescer, TookTooLong
from pypi.db.database import Database, DatabaseDown
from pypi.db.queries import changes

AT_ONCE = 3
"""Readings under way in one process; whoever catches up leaves connections to all the others."""

PATIENCE = 10.0
"""Seconds to wait for one's turn and the reading."""

T = TypeVar("T")

Line = tuple[int, str | None]
"""(serial, JSON object); ``None`` where it is not for everybody."""


@frozen
class Page:
    """Up to ``limit`` changes after a serial.

    Attributes:
        since, limit: what was asked for.
        serial: up to which the page tells everything. Less than ``since`` if the journal ends before it:
            then it is not the one that was read before, as after a database was restored.
        count: of the changes.
        lines: JSON objects with commas between them: serial, project, normalized, version, action, at.
    """

    since: int
    limit: int
    serial: int
    count: int
    lines: str = field(repr=False)

    @property
    def is_full(self) -> bool:
        """Whether the page will always be what it is now."""
        return self.count == self.limit


@define(eq=False, repr=False)
class Changes:
    """Reads the journal; whoever wants the same page at the same time shares it."""

    database: Database
    _pages: Coalescer[Page] = field(factory=Coalescer, init=False)
    _turns: DeferredSemaphore = field(factory=lambda: DeferredSemaphore(AT_ONCE), init=False)

    def __repr__(self) -> str:
        return f"<Changes {self._pages!r}, {len(self._turns.waiting)} wait for a turn>"

    async def page(self, since: int, limit: int) -> Page:
        """The changes after a serial, all that were committed before this call among them, up to ``limit``.

        Raises:
            DatabaseDown: the database does not answer, or not in time.
        """
        try:
            return await self._pages.anew(
                (since, limit), lambda: self._page(since, limit), PATIENCE, self.database.reactor
            )
        except TookTooLong:
            raise DatabaseDown() from None

    async def lines(self, since: int, limit: int) -> list[Line]:
        """(serial, JSON object) of up to ``limit`` changes after a serial, in order; read at once.

        Raises:
            DatabaseDown: the database does not answer.
        """
        return await self.database.ask(changes.lines, since, limit)

    async def older(self, since: int, limit: int) -> list[Line]:
        """The same for somebody who is behind, and waits for his turn.

        Raises:
            DatabaseDown: the database does not answer.
        """
        return await self._in_turn(lambda: self.lines(since, limit))

    async def _page(self, since: int, limit: int) -> Page:
        row = await self._in_turn(lambda: self.database.ask(changes.page, since, limit))
        serial = row.end if row.end is not None and row.count == limit else row.last
        return Page(since=since, limit=limit, serial=serial, count=row.count, lines=row.lines)

    async def _in_turn(self, read: Callable[[], Awaitable[T]]) -> T:
        await self._turns.acquire()
        try:
            return await read()
        finally:
            self._turns.release()
