"""What happened on the index, and when: the journal, read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

import orjson
from attrs import define, field

from pypi.db.database import Database
from pypi.db.queries import history, journal
from pypi.db.queries.history import Listed
from pypi.files.workers import Workers

T = TypeVar("T")

MOST = 50_000
"""Items of a list; a changelog ends there, and whoever wants to know more asks from its last serial on."""

THREAD_FROM = 200
"""Items from which it costs the reactor less to have something made of them elsewhere."""

FIRST = datetime(1990, 1, 1, tzinfo=UTC)
LAST = datetime(9000, 1, 1, tzinfo=UTC)
MOST_SERIAL = (1 << 63) - 1

Rows = Sequence[Any]
Make = Callable[[Rows], T]


@define(eq=False)
class History:
    """Answers from the journal; each answer is one consistent moment.

    ``make`` is what is made of a list: pure, and called in a thread where there is much to do.

    Attributes:
        threads: where that is done; started and stopped by their owner.
        seen: what ``last_serial`` said last; ``None`` before it has said anything.
    """

    database: Database
    threads: Workers
    seen: int | None = field(default=None, init=False)

    async def last_serial(self) -> int:
        """The serial of the last change that was committed before this call; 0 of an empty index."""
        self.seen = serial = await self.database.ask(journal.last_serial)
        return serial

    async def since_serial(self, serial: int, make: Make[T], *, limit: int = MOST) -> T:
        """Lines of the journal after a serial, in order: [name, version or None, seconds, action, serial]."""
        found = await self.database.ask(history.since_serial, bounded(serial), limit=limit)
        return await made(found, make, self.threads)

    async def since(self, seconds: float, make: Make[T], *, limit: int = MOST) -> T:
        """Lines of the journal after a moment, in order, as ``since_serial``.

        Args:
            seconds: POSIX.
        """
        found = await self.database.ask(history.since_moment, moment(seconds), limit=limit)
        return await made(found, make, self.threads)

    async def releases_since(self, seconds: float, make: Make[T], *, limit: int = MOST) -> T:
        """What was released after a moment, oldest first: [name, version]."""
        found = await self.database.ask(history.releases_since, moment(seconds), limit=limit)
        return await made(found, make, self.threads)

    async def projects_since(self, seconds: float, make: Make[T], *, limit: int = MOST) -> T:
        """Names of projects of which anything changed after a moment, sorted."""
        found = await self.database.ask(history.projects_since, moment(seconds), limit=limit)
        return await made(found, make, self.threads)


async def made(listed: Listed, make: Make[T], threads: Workers) -> T:
    """What is made of a list, in a thread if it is long."""
    if listed.count < THREAD_FROM:
        return make(orjson.loads(f"[{listed.items}]"))
    return await threads.run(lambda: make(orjson.loads(f"[{listed.items}]")))


def bounded(serial: int) -> int:
    """A serial that the database can be asked for, whatever somebody sent."""
    return max(0, min(serial, MOST_SERIAL))


def moment(seconds: float) -> datetime:
    """A moment that the database can be asked for, whatever somebody sent."""
    if seconds <= FIRST.timestamp():
        return FIRST
    return LAST if seconds >= LAST.timestamp() else datetime.fromtimestamp(seconds, UTC)
