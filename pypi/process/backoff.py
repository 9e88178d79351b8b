"""How long to wait before a process that died is started again: ever longer while it dies in short order."""

from __future__ import annotations

from attrs import define, field

STEADY = 60.0
"""Seconds of life after which a death counts as the first."""

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 30.0


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

    def died(self, now: float) -> float:
        """It has died.

        Returns:
            seconds to wait before the next is started.
        """
        self._deaths = 1 if now - self._born >= STEADY else self._deaths + 1
        return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** (min(self._deaths, 16) - 1)))
