"""What is counted of a route: plain numbers, which somebody collects now and then."""

from __future__ import annotations


class RouteStats:
    """Counters of one route; they only grow.

    Attributes:
        route: its pattern.
        hits: answers out of memory, those of the fast lane among them.
        not_modified: answers without a body, since the client had it.
        misses: questions that memory could not answer.
        coalesced: those of them that joined one under way.
        stale: outdated answers given because nothing better could be had.
        bytes: of bodies out of memory.
    """

    __slots__ = ("bytes", "coalesced", "hits", "misses", "not_modified", "route", "stale")

    def __init__(self, route: str) -> None:
        self.route = route
        self.hits = self.misses = self.not_modified = self.coalesced = self.stale = self.bytes = 0

    def __repr__(self) -> str:
        return f"<RouteStats {self.route}: {self.hits} hits, {self.misses} misses>"
