"""The database as those ask it who read what is not for everybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Concatenate, ParamSpec, TypeVar

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries.reads import REVEAL

P = ParamSpec("P")
T = TypeVar("T")


@frozen(eq=False)
class Revealing:
    """The same questions, answered as to somebody who may read what they ask about; it writes nothing.

    Whoever asks one project's readers' questions was looked at before. Lists are for everybody: they leave
    out here what they leave out anywhere.
    """

    database: Database

    @property
    def reactor(self) -> Any:
        """Of the database."""
        return self.database.reactor

    async def ask(
        self, function: Callable[Concatenate[Cursor, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As ``Database.ask``."""
        return await self.database.ask(_revealed, lambda c: function(c, *args, **kwargs))

    async def read(
        self, function: Callable[Concatenate[Cursor, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As ``Database.read``."""
        return await self.database.read(_revealed, lambda c: function(c, *args, **kwargs))

    async def scan(
        self, function: Callable[Concatenate[Cursor, P], Awaitable[T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As ``Database.scan``."""
        return await self.database.scan(_revealed, lambda c: function(c, *args, **kwargs))


async def _revealed(cursor: Cursor, work: Callable[[Cursor], Awaitable[T]]) -> T:
    if cursor.opening is None:
        await cursor.run(REVEAL)
    else:
        cursor.opening += REVEAL
    return await work(cursor)
