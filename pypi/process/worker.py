"""One worker: serves on sockets it was born with, reports how it is, drains when told or left alone.

It is started as ``python -m pypi.process.worker --slot N --generation N`` by the supervisor.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import os
import signal
import socket
import sys
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypi.db.migrations import SchemaBehind
from pypi.domain.errors import Refusal
from pypi.process.child import REPORTS
from pypi.process.clock import steady
from pypi.process.link import Link, Order, settle
from pypi.process.orders import Orders
from pypi.process.picture import folder_of, memory
from pypi.process.pulse import Pulse
from pypi.process.serving import Serving, settle_down
from pypi.process.sockets import StartFailed

log = Logger(namespace="pypi.process.worker")

INDEX, OPERATOR = REPORTS + 1, REPORTS + 2
"""Descriptors of the sockets."""

ORPHANED = 1.0
"""Seconds for what is under way when the supervisor is gone: its successor wants our port."""

AT_MOST = 0.8
"""Seconds an orphan's application may take to stop."""


@define(eq=False)
class Worker:
    """The life of one worker."""

    reactor: Any = field(repr=False)
    slot: int
    generation: int
    link: Link = field(init=False, repr=False)
    _serving: Serving = field(init=False, repr=False)
    _pulse: Pulse = field(init=False, repr=False)
    _state: str = field(default="starting", init=False)
    _drain_seconds: float = field(default=0.0, init=False)
    _lag: float = field(default=0.0, init=False)
    _sockets: tuple[socket.socket, socket.socket] = field(init=False, repr=False)
    _starting: Deferred[None] | None = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.link = Link(self.reactor, self.obey, self.orphaned)
        self._serving = Serving(self.reactor, self.slot, self.generation)
        self._pulse = Pulse(self.reactor, self._report)

    def open(self) -> None:
        """Take what we were born with, and listen for orders."""
        for descriptor in (INDEX, OPERATOR):
            os.set_inheritable(descriptor, False)
        self._sockets = socket.socket(fileno=INDEX), socket.socket(fileno=OPERATOR)
        self.link.open()
        self._pulse.start()
        signal.signal(signal.SIGTERM, self._signalled)
        self._report(0.0)

    def obey(self, order: str, details: Order) -> None:
        """Do what the supervisor says: ``serve``, ``drain``, or ``end``."""
        if order == "serve":
            self._starting = Deferred.fromCoroutine(self._start(details))
            self._starting.addErrback(self._failed)
        elif order == "drain":
            self._leave(**details)
        elif order == "end":
            self._serving.hurry()
            self._leave(0.0)

    def orphaned(self) -> None:
        """The supervisor is gone: let go of its sockets, finish what is nearly done, and end."""
        self._serving.hurry()
        self._leave(ORPHANED)
        self.reactor.callLater(ORPHANED + AT_MOST, os._exit, 1)

    async def _start(self, details: Order) -> None:
        orders = Orders.unpacked(details)
        self._drain_seconds = orders.config.service.drain
        await self._serving.start(orders, *self._sockets, folder_of(orders.config.service.data))
        settle_down()
        self._become("ready")

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if not failure.check(StartFailed, Refusal, SchemaBehind):
            log.failure("The worker could not start", failure)
        sentence = failure.getErrorMessage() or getattr(failure.type, "__name__", "")
        self.link.say("failed", sentence=sentence)
        self.reactor.callLater(0, self._leave, 0.0)

    def _leave(self, seconds: float, idle: float = 0.0) -> None:
        if self._state != "draining":
            self._become("draining")
            left = Deferred.fromCoroutine(self._take_leave(seconds, idle))
            left.addErrback(lambda failure: log.failure("The worker did not end well", failure))
            left.addBoth(lambda _: self.reactor.stop())

    async def _take_leave(self, seconds: float, idle: float) -> None:
        if self._starting is not None:
            self._starting.cancel()
            await self._starting
        for listening in self._sockets:
            listening.close()
        await self._serving.drain(seconds, idle)
        await self._serving.stop()

    def _signalled(self, number: int, frame: object) -> None:
        if self._state == "draining":
            self.reactor.callFromThread(self._serving.hurry)
        else:
            self.reactor.callFromThread(self._leave, self._drain_seconds)

    def _become(self, state: str) -> None:
        self._state = state
        self._report(self._lag)

    def _report(self, lag: float) -> None:
        self._lag = lag
        self.link.say(
            self._state,
            memory=memory(),
            connections=self._serving.connections,
            lag=round(lag, 4),
            dropped=self.link.dropped,
        )


def main() -> None:
    """Run until told to end."""
    slot, generation = int(sys.argv[1]), int(sys.argv[2])
    settle(f"cheese-worker-{slot}")
    from twisted.internet import reactor as twisted_reactor

    reactor: Any = twisted_reactor
    steady(reactor)
    worker = Worker(reactor, slot, generation)
    reactor.callWhenRunning(worker.open)
    reactor.run()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
