"""The process of the embedded servers and the schema: what all workers stand on, seen to once for them.

It is started as ``python -m pypi.process.ground`` by the supervisor, which must not import any of this.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypi.foundations import EXPECTED, Foundations
from pypi.process.child import OURS_TO_HANDLE
from pypi.process.clock import steady
from pypi.process.link import Link, Order, settle
from pypi.process.orders import unpacked
from pypi.process.picture import leave_folder, run_folder

log = Logger(namespace="pypi.process.ground")

ORPHANED = 1.5
"""Seconds the servers are kept when the supervisor is gone: its workers finish what they do."""


@define(eq=False)
class Ground:
    """Starts the servers when told, says where they are, and leaves them when told or alone."""

    reactor: Any = field(repr=False)
    link: Link = field(init=False)
    _foundations: Foundations | None = field(default=None, init=False)
    _data: Path | None = field(default=None, init=False)
    _starting: Deferred[None] | None = field(default=None, init=False)
    _ending: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self.link = Link(self.reactor, self.obey, self.orphaned)

    def obey(self, order: str, details: Order) -> None:
        """Do what the supervisor says: ``start`` or ``end``."""
        if order == "start":
            self._starting = Deferred.fromCoroutine(self._start(details))
            self._starting.addErrback(self._failed)
        elif order == "end":
            self._end()

    def orphaned(self) -> None:
        """The supervisor is gone."""
        if not self._ending:
            log.warn("The supervisor is gone; the servers follow")
            self.reactor.callLater(ORPHANED, self._end)

    async def _start(self, details: Order) -> None:
        config = unpacked(details["config"])
        self._data = config.service.data
        self._foundations = foundations = Foundations(config, self.reactor)
        await foundations.start()
        run_folder(self._data)
        self.link.say("ready", database_url=foundations.database_url, redis_url=foundations.redis_url)
        if config.database.url and config.redis.url:
            self.reactor.callLater(0, self._end)  # nothing is kept running here

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if not failure.check(*EXPECTED):
            log.failure("The servers could not be started", failure)
        sentence = failure.getErrorMessage() or getattr(failure.type, "__name__", "")
        self.link.say("failed", sentence=sentence)
        self.reactor.callLater(0, self._end)

    def _end(self) -> None:
        if not self._ending:
            self._ending = True
            Deferred.fromCoroutine(self._stop()).addBoth(lambda _: self.reactor.stop())

    async def _stop(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await self._starting
        if self._foundations is not None:
            await self._foundations.stop()
        if self._data is not None:
            leave_folder(self._data)


def main() -> None:
    """Run until told to end."""
    # The supervisor says when to go: workers need the servers while they drain.
    settle("cheese-ground", deaf=OURS_TO_HANDLE)
    from twisted.internet import reactor as twisted_reactor

    reactor: Any = twisted_reactor
    steady(reactor)
    ground = Ground(reactor)
    reactor.callWhenRunning(ground.link.open)
    reactor.callWhenRunning(signal.signal, signal.SIGTERM, signal.SIG_IGN)
    reactor.run()
    os._exit(0)


if __name__ == "__main__":
    main()
