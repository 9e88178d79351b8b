"""A circuit breaker: who keeps failing is left alone for a moment, and asked again by one at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define, field

FAILURES = 5
WINDOW = 10.0
"""So many failures within so many seconds open the breaker."""

REST = 1.0
"""Seconds it stays open before one call may try, plus up to as much again at random."""


@define(eq=False)
class Breaker:
    """Says whether a call to a dependency is worth trying; is told how each went.

    Attributes:
        seconds: a monotonic clock.
        jitter: a number from 0 to 1, so that many processes do not try again in the same moment.
    """

    seconds: Callable[[], float]
    jitter: Callable[[], float]
    _failures: deque[float] = field(factory=lambda: deque(maxlen=FAILURES), init=False)
    _rests_until: float | None = field(default=None, init=False)

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, but for one that tries now and then."""
        return self._rests_until is not None

    def admits(self) -> bool:
        """Whether to make a call now. After its rest an open breaker lets one through, then rests again."""
        if self._rests_until is None:
            return True
        if self.seconds() < self._rests_until:
            return False
        self._rest()
        return True

    @contextmanager
    def attempt(self, failure: type[Exception]) -> Iterator[None]:
        """Around one call.

        Args:
            failure: what the call raises when the dependency fails it; anything else says nothing about it.

        Raises:
            failure: without arguments: the breaker is open, and nothing was tried.
        """
        if not self.admits():
            raise failure()
        try:
            yield
        except failure:
            self.failed()
            raise
        self.worked()

    def worked(self) -> None:
        """A call went well: the dependency is back."""
        self._failures.clear()
        self._rests_until = None

    def failed(self) -> None:
        """A call failed in a way that says something about the dependency."""
        now = self.seconds()
        self._failures.append(now)
        if self.is_open or (len(self._failures) == FAILURES and now - self._failures[0] <= WINDOW):
            self._rest()

    def trip(self) -> None:
        """Somebody else found out that the dependency does not answer."""
        if not self.is_open:
            self._rest()

    def _rest(self) -> None:
        self._rests_until = self.seconds() + REST * (1 + self.jitter())
