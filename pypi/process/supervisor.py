"""The supervisor: holds the sockets, keeps workers, tells them when to go; it imports no application code."""

# mypy: allow-untyped-calls

from __future__ import annotations

import os
import time
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from twisted.application.service import Service
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypi.config import Config, ConfigError
from pypi.process import signals
from pypi.process.footing import Footing, Urls
from pypi.process.generation import Generation
from pypi.process.orders import Orders, reloaded
from pypi.process.picture import Picture, discard, folder_of
from pypi.process.ready import announce
from pypi.process.sockets import Sockets, StartFailed, address, origin, passed
from pypi.process.systemd import Systemd

log = Logger()

RELOAD_PATIENCE = 60.0
"""Seconds a new generation may take to be ready; then the old one goes on."""

RELOAD_IDLE = 5.0
"""Seconds a connection to a worker of the old generation may still bring a request."""

LOOK = 2.0
"""Seconds between two looks at the workers."""

LEFTOVER = 3.0
"""Seconds in which the workers of a supervisor that was killed let go of the port."""


class Supervisor(Service):
    """Some workers as one service.

    Args:
        config: of the first generation.
        read: reads the configuration again.
        reactor: where everything is watched.
        failed: called with a sentence when the service could not start.
    """

    name = "pypi"

    def __init__(
        self, config: Config, read: Callable[[], Config], reactor: Any, failed: Callable[[str], object]
    ) -> None:
        self.config = config
        self.reactor = reactor
        self._read = read
        self._failed = failed
        self._systemd = Systemd.found(reactor, os.environ, os.getpid())
        self._footing = Footing(config, reactor, self._moved)
        self._sockets: Sockets | None = None
        self._urls: Urls | None = None
        self._generation: Generation | None = None
        self._coming: Generation | None = None
        self._going: list[Generation] = []
        self._starting: Deferred[None] | None = None
        self._reloading: Deferred[None] | None = None
        self._reload_again = False
        self._serves = False
        self._drain = config.service.drain
        self._drawing: Any = None
        self._started = time.time()

    # --- start ----------------------------------------------------------------------------------------

    def startService(self) -> None:
        """Start everything; the ready line says when it is done."""
        Service.startService(self)
        signals.on_hang_up(self.reactor, self.reload)
        self._starting = Deferred.fromCoroutine(self._start())
        self._starting.addErrback(self._report)

    async def _start(self) -> None:
        self._sockets = sockets = await self._open(passed(os.environ, os.getpid()))
        first_origin = origin(self.config, sockets.index)
        self._generation = generation = self._made(1, self.config)
        # They import what they need while the servers start.
        generation.start()
        self._urls = await self._footing.start()
        self._draw()
        await generation.serve(self._orders(self.config))
        announce(first_origin, address(sockets.operator))
        self._serves = True
        self._reload_over(None)

    async def _open(self, given: Mapping[str, Any]) -> Sockets:
        """The sockets; when the last supervisor was killed, its workers have them for another moment."""
        ends = self.reactor.seconds() + LEFTOVER
        while True:
            try:
                return Sockets.open(self.config, given)
            except StartFailed:
                last = Picture.read(folder_of(self.config.service.data))
                if last is None or last.is_of_the_living or self.reactor.seconds() > ends:
                    raise
                await deferLater(self.reactor, 0.05)

    def _made(self, number: int, config: Config) -> Generation:
        assert self._sockets is not None
        return Generation(self.reactor, number, size_of(config), self._sockets, self._changed)

    def _orders(self, config: Config) -> Orders:
        assert self._urls is not None
        assert self._sockets is not None
        return Orders(
            config=config,
            origin=origin(config, self._sockets.index),
            database_url=self._urls.database,
            redis_url=self._urls.redis,
        )

    def _report(self, failure: Failure) -> None:
        if failure.check(CancelledError):
            return
        if not failure.check(StartFailed):
            log.failure("Cheeseshop could not start", failure)
        self._failed(failure.getErrorMessage() or getattr(failure.type, "__name__", ""))

    # --- reload ---------------------------------------------------------------------------------------

    def reload(self) -> None:
        """Have a new generation take over; while one is coming already, another will follow."""
        if not self._serves or self._reloading is not None:
            self._reload_again = True
            return
        self._reloading = Deferred.fromCoroutine(self._reload())
        self._reloading.addErrback(self._reload_failed)
        self._reloading.addBoth(self._reload_over)

    async def _reload(self) -> None:
        assert self._generation is not None
        self._systemd.reloading()
        config, waiting = reloaded(self.config, self._read())
        if waiting:
            log.warn("Changed, but read at the next start only: {keys}", keys=", ".join(waiting))
        old = self._generation
        self._coming = coming = self._made(old.number + 1, config)
        log.info("Starting generation {number}: {size} workers", number=coming.number, size=coming.size)
        coming.start()
        becoming = Deferred.fromCoroutine(coming.serve(self._orders(config)))
        await becoming.addTimeout(RELOAD_PATIENCE, self.reactor, _too_late)
        self._generation, self._coming, self._drain = coming, None, config.service.drain
        log.info("Generation {number} has taken over", number=coming.number)
        self._dismiss(old, old.leave(self._drain, RELOAD_IDLE))

    def _dismiss(self, generation: Generation, leave: Coroutine[Any, Any, None]) -> None:
        """Do not think of it as ours any more, but wait for its end."""
        self._going.append(generation)
        leaving = Deferred.fromCoroutine(leave)
        leaving.addErrback(lambda failure: log.failure("A generation did not end well", failure))
        leaving.addBoth(lambda _: self._gone(generation))

    def _gone(self, generation: Generation) -> None:
        self._going.remove(generation)
        self._changed()

    def _moved(self, urls: Urls) -> None:
        log.warn("The servers are elsewhere now; reloading")
        self._urls = urls
        self.reload()

    def _reload_failed(self, failure: Failure) -> None:
        coming, self._coming = self._coming, None
        if coming is not None:
            self._dismiss(coming, coming.kill())
        if failure.check(CancelledError):
            return
        if not failure.check(StartFailed, ConfigError):
            log.failure("The reload failed", failure)
        log.error("Not reloaded, all goes on as before: {why}", why=failure.getErrorMessage())

    def _reload_over(self, _: object) -> None:
        self._reloading = None
        if self.running:
            self._systemd.ready()
            self._draw()
            if self._reload_again:
                self._reload_again = False
                self.reload()

    # --- stop -----------------------------------------------------------------------------------------

    def stopService(self) -> Deferred[None]:
        """Stop everything that was started, also in the middle of starting."""
        Service.stopService(self)
        signals.on_second(self.reactor, self.hurry)
        return Deferred.fromCoroutine(self._stop())

    def hurry(self) -> None:
        """Wait for clients no longer."""
        for generation in self._all:
            generation.hurry()

    async def _stop(self) -> None:
        self._systemd.stopping()
        for under_way in (self._starting, self._reloading):
            if under_way is not None:
                under_way.cancel()
        if self._sockets is not None:
            self._sockets.close()
        if self._generation is not None:
            self._dismiss(self._generation, self._generation.leave(self._drain))
        while self._going:
            await deferLater(self.reactor, 0.02)
        if self._drawing is not None and self._drawing.active():
            self._drawing.cancel()
        discard(self._folder, os.getpid())
        await self._footing.stop()

    # --- the picture ----------------------------------------------------------------------------------

    @property
    def _all(self) -> list[Generation]:
        ours = (one for one in (self._generation, self._coming) if one is not None)
        return [*self._going, *(one for one in ours if one not in self._going)]

    @property
    def _folder(self) -> Path:
        return folder_of(self.config.service.data)

    def _changed(self) -> None:
        """Draw soon; several changes at once are one picture."""
        if self._drawing is not None and self._drawing.active():
            self._drawing.reset(0.05)

    def _draw(self) -> None:
        if self._generation is None:
            return
        if self._drawing is not None and self._drawing.active():
            self._drawing.cancel()
        self._drawing = self.reactor.callLater(LOOK, self._draw)
        for generation in self._all:
            generation.look()
        picture = Picture(
            pid=os.getpid(),
            started=self._started,
            generation=self._generation.number,
            workers=[state for generation in self._all for state in generation.states],
            reloading=self._coming is not None,
        )
        try:
            picture.write(self._folder)
        except OSError as error:
            log.warn("The state of the workers cannot be written: {error}", error=error)


def size_of(config: Config) -> int:
    """How many workers a configuration asks for."""
    if config.service.workers:
        return config.service.workers
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def _too_late(*_: object) -> None:
    raise StartFailed(f"The new workers were not ready within {RELOAD_PATIENCE:g} s.")
