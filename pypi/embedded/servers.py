"""The embedded servers of one data folder, started and stopped together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred, FirstError, gatherResults

from pypi.embedded.postgres import Postgres
from pypi.embedded.redis import Redis
from pypi.embedded.server import Server


@frozen
class Urls:
    """Where the started servers are; empty for one that was not asked for.

    Attributes:
        database: ``postgresql://…``, for libpq and SQLAlchemy.
        redis: ``unix://<path of the socket>``.
    """

    database: str
    redis: str


@define(eq=False)
class Servers:
    """The embedded servers under a data folder, shared by all processes that use it.

    A service keeps them while it runs, and a command for its moment: what runs is used, what does not is
    started, and the last to leave stops them.

    Attributes:
        data: the data folder; the servers live in its ``postgres`` and ``redis``.
        reactor: where they are watched.
        postgres: whether PostgreSQL is wanted.
        redis: whether Redis is wanted.
        redis_memory: bytes Redis may hold, when it is started here.
    """

    data: Path
    reactor: Any = field(repr=False)
    postgres: bool = field(default=True, kw_only=True)
    redis: bool = field(default=True, kw_only=True)
    redis_memory: int = field(default=256 << 20, kw_only=True)
    _wanted: dict[str, Server] = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._wanted = {}
        if self.postgres:
            self._wanted["postgres"] = Postgres(self.data / "postgres", self.reactor)
        if self.redis:
            self._wanted["redis"] = Redis(self.data / "redis", self.reactor, memory=self.redis_memory)

    async def start(self) -> Urls:
        """Find or start them, all at once.

        Raises:
            EmbeddedServerFailed: one cannot be had; none is kept then.
        """
        starting = [Deferred.fromCoroutine(server.start()) for server in self._wanted.values()]
        try:
            urls = await gatherResults(starting, consumeErrors=True)
        except FirstError as error:
            await self.stop()
            error.subFailure.raiseException()
        except CancelledError:
            await self.stop()
            raise
        found = dict(zip(self._wanted, urls, strict=True))
        return Urls(database=found.get("postgres", ""), redis=found.get("redis", ""))

    async def stop(self) -> None:
        """Leave them; those that nobody else uses are stopped. Takes at most 5 s."""
        stopping = [Deferred.fromCoroutine(server.stop()) for server in self._wanted.values()]
        await gatherResults(stopping, consumeErrors=True)

    async def __aenter__(self) -> Urls:
        return await self.start()

    async def __aexit__(self, *raised: object) -> None:
        await self.stop()
