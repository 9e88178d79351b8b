"""What the index stands on when it is started: PostgreSQL with the schema of this code, and Redis."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypi.config import Config
from pypi.db.database import Database
from pypi.db.migrations import SchemaBehind, current, head
from pypi.domain.errors import Refusal
from pypi.embedded import EmbeddedServerFailed, Servers

log = Logger()

EXPECTED = (Refusal, SchemaBehind, EmbeddedServerFailed)
"""Failures with causes outside this code, told in one sentence; anything else is a mistake of ours."""


@define(eq=False)
class Foundations:
    """The servers behind the index: outside ones by their URLs, or embedded ones started here.

    Attributes:
        database_url: set once started.
        redis_url: set once started.
    """

    config: Config
    reactor: Any = field(repr=False)
    database_url: str = field(default="", init=False, repr=False)
    redis_url: str = field(default="", init=False, repr=False)
    _servers: Servers | None = field(default=None, init=False, repr=False)

    async def start(self, *, migrate: bool = True) -> None:
        """Start what has to be started, and see to the schema.

        Args:
            migrate: whether an embedded database is brought up to date; an outside one never is by itself,
                since that is its operator's decision.

        Raises:
            SchemaBehind: the outside database has to be migrated first.
        """
        self.database_url, self.redis_url = self.config.database.url, self.config.redis.url
        try:
            await self._start_servers()
            if migrate:
                await self._see_to_schema()
        except BaseException:
            await self.stop()
            raise

    async def migrate(self) -> str:
        """Bring the schema up to that of this code, once started.

        Returns:
            from which revision to which, for people.

        Raises:
            DatabaseDown: it does not answer.
            SchemaBehind: it could not be done.
        """
        await self._revision()
        return await migrate_in_process(self.database_url, self.reactor)

    async def stop(self) -> None:
        """Stop the embedded servers, unless another process still uses them."""
        if self._servers is not None:
            servers, self._servers = self._servers, None
            await servers.stop()

    async def _start_servers(self) -> None:
        if self.database_url and self.redis_url:
            return
        self._servers = Servers(
            self.config.service.data,
            self.reactor,
            postgres=not self.database_url,
            redis=not self.redis_url,
            redis_memory=self.config.redis.memory,
        )
        urls = await self._servers.start()
        self.database_url = self.database_url or urls.database
        self.redis_url = self.redis_url or urls.redis

    async def _revision(self) -> str | None:
        database = Database(self.database_url, self.reactor, size=1)
        try:
            return await database.read(current)
        finally:
            await database.stop()

    async def _see_to_schema(self) -> None:
        found = await self._revision()
        if found == head():
            return
        if self.config.database.url:
            raise SchemaBehind(
                f"The database is at revision {found or 'none'} and this Cheeseshop needs {head()}: "
                "run `cheeseshop migrate`."
            )
        log.info("Migrating the embedded database from {found} to {head}", found=found, head=head())
        await migrate_in_process(self.database_url, self.reactor)


async def migrate_in_process(database_url: str, reactor: Any) -> str:
    """Apply the migrations in a process of its own, which takes its memory with it when it ends.

    Returns:
        what it printed.

    Raises:
        SchemaBehind: it failed; the text is what it said.
    """
    runner = _Runner(database_url)
    reactor.spawnProcess(
        runner,
        sys.executable,
        [sys.executable, "-m", "pypi.db.migrations"],
        env=None,
        path=str(Path(__file__).parent.parent),
    )
    return await runner.ended


class _Runner(ProcessProtocol):
    """Tells a short process one line, and collects what it says, at most 64 KiB of it."""

    def __init__(self, line: str) -> None:
        self.ended: Deferred[str] = Deferred()
        self._line = line
        self._said = b""

    def connectionMade(self) -> None:
        process: Any = self.transport
        process.write(self._line.encode() + b"\n")
        process.closeStdin()

    def outReceived(self, data: bytes) -> None:
        self._said = (self._said + data)[-65536:]

    errReceived = outReceived

    def processEnded(self, reason: Failure) -> None:
        said = self._said.decode(errors="replace").strip()
        if reason.value.exitCode == 0:  # type: ignore[union-attr]  # ProcessDone or ProcessTerminated
            self.ended.callback(said)
        else:
            self.ended.errback(SchemaBehind(said or "The migration process was ended."))
