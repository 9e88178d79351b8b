"""How late the reactor is: every wait for it is a wait of some client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from attrs import define, field

from caching.figures import Figure, Histogram

EVERY: Final = 0.1
"""Seconds between beats: often enough to meet a pause of that length, and for nothing on any clock."""

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


@define(eq=False)
class Heartbeat:
    """Beats, and counts by how much each beat was late.

    Attributes:
        reactor: ``IReactorTime``.
        late: seconds by which beats came late.
    """

    reactor: Any = field(repr=False)
    late: Histogram = field(factory=lambda: Histogram(BOUNDS), init=False)
    _due: float = field(default=0.0, init=False, repr=False)
    _call: Any = field(default=None, init=False, repr=False)

    async def start(self) -> None:
        """Begin to beat."""
        self._rest()

    async def stop(self) -> None:
        """Leave nothing in the reactor."""
        if self._call is not None:
            self._call.cancel()
            self._call = None

    def figures(self) -> Iterator[Figure]:
        """The histogram."""
        about = "By how much a beat of ten a second came late: what every client waits for a busy reactor."
        yield Figure("reactor_lag_seconds", "histogram", about, (({}, self.late),))

    def _beat(self) -> None:
        self.late.add(max(0.0, self.reactor.seconds() - self._due))
        self._rest()

    def _rest(self) -> None:
        self._due = self.reactor.seconds() + EVERY
        self._call = self.reactor.callLater(EVERY, self._beat)
