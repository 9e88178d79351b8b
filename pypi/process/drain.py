"""Taking leave of clients: what is under way is finished, within a bound, and nothing else is begun."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from attrs import define, field
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pypi.http.site import Site

log = Logger()

LOOK = 0.02
"""Seconds between two looks at what is left."""

LAST_ANSWERS = 1.0
"""Seconds that uploads get to read that they have to come again."""


@define(eq=False)
class Drain:
    """One leave-taking.

    Attributes:
        reactor: where time passes.
        sites: those that take no new connections any more.
    """

    reactor: Any = field(repr=False)
    sites: tuple[Site, ...] = field(converter=tuple[Site, ...])
    _ends: float = field(default=0.0, init=False)

    @property
    def connections(self) -> int:
        """Those still open."""
        return sum(site.crowd.open for site in self.sites)

    async def run(self, seconds: float, idle: float = 0.0) -> None:
        """Wait until all is answered; uploads that take longer get 503.

        Args:
            seconds: the bound.
            idle: how long a connection without a request may still bring one (``Site.drain``).
        """
        self._ends = self._now() + seconds
        for site in self.sites:
            site.drain(idle)
        if self.connections:
            log.info(
                "Connections to finish within {seconds} s: {open}", open=self.connections, seconds=seconds
            )
        await self._until_empty()
        if not self.connections:
            return
        for site in self.sites:
            site.cut()
        self._ends = self._now() + LAST_ANSWERS
        await self._until_empty()

    def hurry(self) -> None:
        """Wait no longer."""
        self._ends = 0.0

    async def _until_empty(self) -> None:
        while self.connections and self._now() < self._ends:
            await deferLater(self.reactor, LOOK)

    def _now(self) -> float:
        return float(self.reactor.seconds())


def open_connections(sites: Iterable[Site]) -> int:
    """Connections of all these sites."""
    return sum(site.crowd.open for site in sites)
