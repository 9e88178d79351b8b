"""One timer that is moved far more often than it expires."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Deadline:
    """Calls ``expired`` when the time last set has come.

    Moving it later, or lifting it, costs an assignment: the reactor's call stays where it is and looks again
    when it fires. A server moves its deadlines several times per request and hardly ever meets one.

    Args:
        clock: source of time and calls (``IReactorTime``).
        expired: called without arguments, at most once per ``set``.
    """

    __slots__ = ("_call", "_clock", "_due", "_expired")

    def __init__(self, clock: Any, expired: Callable[[], object]) -> None:
        self._clock = clock
        self._expired = expired
        self._due: float | None = None
        self._call: Any = None

    def set(self, seconds: float) -> None:
        """Expire ``seconds`` from now, whatever was set before."""
        self._due = self._clock.seconds() + seconds
        if self._call is None:
            self._call = self._clock.callLater(seconds, self._look)
        elif self._call.getTime() > self._due:
            self._call.reset(seconds)

    def lift(self) -> None:
        """Do not expire."""
        self._due = None

    def close(self) -> None:
        """Do not expire, and leave nothing behind in the reactor."""
        self._due = None
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def _look(self) -> None:
        self._call = None
        if self._due is None:
            return
        left = self._due - self._clock.seconds()
        if left > 0:
            self._call = self._clock.callLater(left, self._look)
        else:
            self._due = None
            self._expired()
