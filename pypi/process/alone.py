"""A service of one process: servers, application and listeners together."""

# mypy: allow-untyped-calls

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypi.config import Config
from pypi.foundations import EXPECTED, Foundations
from pypi.process import signals
from pypi.process.orders import Orders
from pypi.process.picture import Picture, State, discard, leave_folder, memory, run_folder
from pypi.process.pulse import Pulse
from pypi.process.ready import announce
from pypi.process.serving import Serving, arm, settle_down
from pypi.process.sockets import Sockets, StartFailed, address, origin, passed
from pypi.process.systemd import Systemd

log = Logger()


class Alone(Service):
    """The whole index as one service.

    Args:
        config: of the service.
        reactor: where everything runs.
        failed: called with a sentence when the service could not start.
    """

    name = "pypi"

    def __init__(self, config: Config, reactor: Any, failed: Callable[[str], object]) -> None:
        self.config = config
        self.reactor = reactor
        self._failed = failed
        self._foundations = Foundations(config, reactor)
        self._serving = Serving(reactor, slot=0, generation=1)
        self._systemd = Systemd.found(reactor, os.environ, os.getpid())
        self._pulse = Pulse(reactor, self._draw)
        self._starting: Deferred[None] | None = None
        self._started = time.time()
        self._run: Any = None
        self._state = State(slot=0, pid=os.getpid())

    def startService(self) -> None:
        """Start everything; the ready line says when it is done."""
        Service.startService(self)
        signals.on_hang_up(self.reactor, _cannot_reload)
        self._starting = Deferred.fromCoroutine(self._start())
        self._starting.addErrback(self._report)

    def stopService(self) -> Deferred[None]:
        """Stop everything that was started, also in the middle of starting."""
        Service.stopService(self)
        signals.on_second(self.reactor, self._serving.hurry)
        return Deferred.fromCoroutine(self._stop())

    async def _start(self) -> None:
        arm()  # before anything is made
        sockets = Sockets.open(self.config, passed(os.environ, os.getpid()))
        try:
            await self._serve(sockets)
            announce(origin(self.config, sockets.index), address(sockets.operator))
        finally:
            sockets.close()  # those that listen have their own descriptors
        settle_down()
        self._systemd.ready()
        self._state.state = "ready"
        self._draw(0.0)
        self._pulse.start()

    async def _serve(self, sockets: Sockets) -> None:
        first_origin = origin(self.config, sockets.index)
        await self._foundations.start()
        self._run = run_folder(self.config.service.data)
        orders = Orders(
            config=self.config,
            origin=first_origin,
            database_url=self._foundations.database_url,
            redis_url=self._foundations.redis_url,
        )
        await self._serving.start(orders, sockets.index, sockets.operator, self._run)

    async def _stop(self) -> None:
        self._systemd.stopping()
        if self._starting is not None:
            self._starting.cancel()
            await self._starting
        self._pulse.stop()
        await self._serving.drain(self.config.service.drain)
        await self._serving.stop()
        if self._run is not None:
            discard(self._run, os.getpid())
            leave_folder(self.config.service.data)
        await self._foundations.stop()

    def _draw(self, lag: float) -> None:
        state = self._state
        state.lag, state.memory, state.connections = round(lag, 4), memory(), self._serving.connections
        picture = Picture(pid=os.getpid(), started=self._started, generation=1, workers=[state])
        try:
            picture.write(self._run)
        except OSError as error:
            log.warn("The state of the service cannot be written: {error}", error=error)

    def _report(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if not failure.check(StartFailed, *EXPECTED):
            log.failure("Cheeseshop could not start", failure)
        self._failed(failure.getErrorMessage() or getattr(failure.type, "__name__", ""))


def _cannot_reload() -> None:
    log.warn("A service of one process reads its configuration at the start only: restart it")
