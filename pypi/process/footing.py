"""The supervisor's side of ``ground``: one process keeps the servers for all workers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pypi.config import Config
from pypi.process.backoff import Backoff
from pypi.process.child import Child, Report
from pypi.process.orders import packed
from pypi.process.sockets import StartFailed

log = Logger()

MODULE = "pypi.process.ground"

PATIENCE = 20.0
"""Seconds the servers may take to stop."""

LOOK = 0.02


@frozen
class Urls:
    """Where the servers are.

    Attributes:
        database: of PostgreSQL.
        redis: of Redis.
    """

    database: str = field(repr=False)
    redis: str = field(repr=False)


@define(eq=False)
class Footing:
    """Keeps the process that keeps the servers.

    While it is away after a death, the servers go on: they are processes of their own, which it finds again.

    Attributes:
        config: of the service.
        reactor: where the process is watched.
        moved: called with other URLs than before, if the servers were started anew elsewhere.
    """

    config: Config = field(repr=False)
    reactor: Any = field(repr=False)
    moved: Callable[[Urls], object] = field(repr=False)
    _urls: Urls | None = field(default=None, init=False, repr=False)
    _child: Child | None = field(default=None, init=False)
    _ready: Deferred[Urls] = field(factory=Deferred, init=False, repr=False)
    _backoff: Backoff = field(factory=Backoff, init=False, repr=False)
    _next: Any = field(default=None, init=False, repr=False)
    _done: bool = field(default=False, init=False)
    _leaving: bool = field(default=False, init=False)

    async def start(self) -> Urls:
        """Have the servers started, and the schema seen to.

        Raises:
            StartFailed: they cannot be had.
        """
        self._start()
        return await self._ready

    async def stop(self) -> None:
        """Leave the servers; those that nobody else uses are stopped."""
        self._leaving = True
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._child is not None:
            self._child.tell("end")
        ends = self.reactor.seconds() + PATIENCE
        while self._child is not None:
            if self.reactor.seconds() > ends:
                self._child.kill()
            await deferLater(self.reactor, LOOK)

    def _start(self) -> None:
        self._next = None
        self._backoff.born(self.reactor.seconds())
        self._child = Child("servers", self.reactor, self._reported, self._ended)
        if self._child.start(MODULE):
            self._child.tell("start", config=packed(self.config))

    def _reported(self, report: Report) -> None:
        if report["state"] != "ready":
            return
        # With servers elsewhere, there is nothing to be kept, and its process ends.
        self._done = bool(self.config.database.url and self.config.redis.url)
        before, self._urls = self._urls, Urls(report["database_url"], report["redis_url"])
        if not self._ready.called:
            self._ready.callback(self._urls)
        elif before != self._urls:
            self.moved(self._urls)

    def _ended(self, sentence: str) -> None:
        self._child = None
        if self._leaving or self._done:
            return
        if not self._ready.called:
            self._ready.errback(StartFailed(sentence or "The servers could not be started; see the log."))
            return
        pause = self._backoff.died(self.reactor.seconds())
        log.error("The keeper of the servers is gone; another follows in {pause:.1f} s", pause=pause)
        self._next = self.reactor.callLater(pause, self._start)
