"""How long to wait before a process that died is started again: ever longer while it dies in short order."""

from __future__ import annotations

from attrs import define, field

STEADY = 60.0
"""Seconds of life after which a death counts as the first."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0

LONGEST_AFTER_SERVICE = 0.5
"""Seconds, where the one that died had served: it was killed, and can start."""


@define
class Backoff:
    """Counts the deaths of one process after the other."""

    _deaths: int = field(default=0, init=False)
    _born: float = field(default=0.0, init=False)

    def born(self, now: float) -> None:
        """One was started.

        Args:
            now: seconds on a clock that never goes back.
        """
        self._born = now

    def died(self, now: float, *, served: bool = False) -> float:
        """It has died.

        Args:
            served: whether it had come so far.

        Returns:
            seconds to wait before the next is started.
        """
        self._deaths = 1 if now - self._born >= STEADY else self._deaths + 1
        most = LONGEST_AFTER_SERVICE if served else LONGEST_PAUSE
        return float(min(most, FIRST_PAUSE * 2.0 ** (min(self._deaths, 16) - 1)))
