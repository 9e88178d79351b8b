"""A circuit breaker: who keeps failing is left alone for a moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define, field

from pypi.domain.errors import StorageFailed

FAILURES = 5
WINDOW = 10.0
"""So many failures in so many seconds open the breaker."""

REST = 1.0
"""Seconds it stays open before one call may try, plus up to as much again at random."""


@define(eq=False)
class Breaker:
    """Refuses calls to a dependency that has just failed ``FAILURES`` times.

    Attributes:
        seconds: a monotonic clock.
        jitter: a number from 0 to 1, so that many processes do not try again in the same moment.
    """

    seconds: Callable[[], float]
    jitter: Callable[[], float]
    _failures: deque[float] = field(factory=lambda: deque(maxlen=FAILURES), init=False)
    _rests_until: float | None = field(default=None, init=False)
    _trying: bool = field(default=False, init=False)

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, but for one that tries now and then."""
        return self._rests_until is not None

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Around one call; a ``StorageFailed`` out of it counts as failure.

        Raises:
            StorageFailed: the breaker is open; nothing was tried.
        """
        self._admit()
        try:
            yield
        except StorageFailed:
            self._failed()
            raise
        except BaseException:
            # Cancelled, or refused for another reason: it says nothing about the dependency.
            self._trying = False
            raise
        self._worked()

    def _admit(self) -> None:
        if self._rests_until is None:
            return
        if self._trying or self.seconds() < self._rests_until:
            raise StorageFailed()
        self._trying = True

    def _failed(self) -> None:
        now = self.seconds()
        self._failures.append(now)
        if self._trying or (len(self._failures) == FAILURES and now - self._failures[0] <= WINDOW):
            self._rests_until = now + REST * (1 + self.jitter())
        self._trying = False

    def _worked(self) -> None:
        self._failures.clear()
        self._rests_until = None
        self._trying = False
