"""A regular beat in a process: it tells how late its reactor is, and is an occasion to report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field

EVERY = 0.5
"""Seconds between two beats."""

REPORT = 4
"""Beats from one report to the next."""


@define(eq=False)
class Pulse:
    """Beats from ``start`` to ``stop``.

    Attributes:
        reactor: whose lateness is measured.
        report: called every ``EVERY`` × ``REPORT`` seconds with the worst lateness since, in seconds.
    """

    reactor: Any = field(repr=False)
    report: Callable[[float], object] = field(repr=False)
    _call: Any = field(default=None, init=False, repr=False)
    _beats: int = field(default=0, init=False)
    _lag: float = field(default=0.0, init=False)

    def start(self) -> None:
        """Begin to beat."""
        due = self.reactor.seconds() + EVERY
        self._call = self.reactor.callLater(EVERY, self._beat, due)

    def stop(self) -> None:
        """Beat no more."""
        if self._call is not None and self._call.active():
            self._call.cancel()

    def _beat(self, due: float) -> None:
        self._lag = max(self._lag, self.reactor.seconds() - due)
        self._beats += 1
        self.start()
        if self._beats % REPORT == 0:
            lag, self._lag = self._lag, 0.0
            self.report(lag)
