"""Watching a server: it is started again when it dies, ever more slowly while it keeps dying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

LOOK = 0.5
"""Seconds between two looks at a running server."""

STEADY = 60.0
"""Seconds after which a server that dies is started again without a longer pause."""

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 30.0

log = Logger()


@define(eq=False)
class Watch:
    """Looks at a server from ``start`` to ``stop``.

    Attributes:
        title: of the server, for the log.
        reactor: where time passes.
        lives: whether it lives; must not block.
        restart: starts it again; what it raises is logged, and it is called again later.
        on_loss: called each time the server turned out dead.
        is_up: whether it lived at the last look.
    """

    title: str
    reactor: Any = field(repr=False)
    lives: Callable[[], bool] = field(repr=False)
    restart: Callable[[], Deferred[None]] = field(repr=False)
    on_loss: Callable[[], object] = field(repr=False)
    is_up: bool = field(default=False, init=False)
    _running: Deferred[None] | None = field(default=None, init=False, repr=False)

    def start(self) -> None:
        """Begin to look at a server that was just started."""
        self.is_up = True
        self._running = Deferred.fromCoroutine(self._run())
        self._running.addErrback(_report_end)

    def stop(self) -> None:
        """Look no more; a restart under way is not waited for."""
        self.is_up = False
        if self._running is not None:
            self._running.cancel()
            self._running = None

    async def _run(self) -> None:
        losses = 0
        while True:
            since = self.reactor.seconds()
            while self.lives():
                self.is_up = True
                await deferLater(self.reactor, LOOK)
            losses = losses + 1 if self.reactor.seconds() - since < STEADY else 1
            self._report_loss()
            await deferLater(self.reactor, _pause_after(losses))
            await self._try_restart()

    def _report_loss(self) -> None:
        if self.is_up:
            self.is_up = False
            log.error("{title} is gone; starting it again", title=self.title)
            self.reactor.callLater(0, self.on_loss)

    async def _try_restart(self) -> None:
        try:
            await self.restart()
        except CancelledError:
            raise
        except Exception as error:  # whatever it is, the next try comes
            log.error("{title} did not start again: {error}", title=self.title, error=error)


def _pause_after(losses: int) -> float:
    """Seconds before a server is started again that died so many times in short order."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (min(losses, 16) - 1))


def _report_end(failure: Failure) -> None:
    if not isinstance(failure.value, CancelledError):
        log.failure("A server is no longer watched", failure)
