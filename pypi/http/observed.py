"""What becomes of a request when it is over: it is counted, and logged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define, field

from caching.figures import Figure, counter
from caching.stats import Routes, RouteStats
from pypi.http.access_log import AccessLog
from pypi.http.overheard import last_header
from pypi.http.usage import Usage

GONE = 499
"""What is noted, as nginx does it, of a client that left before its answer began."""


@define(eq=False, repr=False)
class Observer:
    """Called by the site with every request that is over; the fast lane counts and logs for itself.

    Attributes:
        reactor: the clock of ``Request.received_at``.
        log: the access log; ``None`` where there is none.
        usage: counts features; ``None`` where nobody wants to know.
        routes: the counters of all routes. A route's are found at the first request that it answers.
        refused: status → what could not be understood as requests.
    """

    reactor: Any
    log: AccessLog | None = None
    usage: Usage | None = None
    routes: Routes = field(factory=Routes)
    refused: dict[int, int] = field(factory=dict, init=False)

    def __call__(self, request: Any) -> None:
        """Count and log a request.

        Args:
            request: a ``pypi.http.request.Request``; the router has set its ``route``, if there was one.
        """
        seconds = self.reactor.seconds() - request.received_at
        code = GONE if request.aborted and not request.startedWriting else request.code
        stats: RouteStats | None = getattr(request, "route", None)
        if stats is None:
            stats = self.routes.unrouted
        else:
            self.routes.add(stats)
        stats.count(request.method.decode("ascii", "replace"), code, seconds)
        if self.usage is not None and request.features:
            self.usage.count(request.features, last_header(request, b"user-agent"))
        if self.log is not None:
            cache = request.responseHeaders.getRawHeaders(b"Cache-Status", (b"",))[-1]
            self.log.add(request, code=code, seconds=seconds, cache=cache, route=stats.route)

    def refuse(self, address: str, code: int, size: int = 0) -> None:
        """Count and log the answer to bytes that were no request.

        Args:
            address: of the other end of the connection.
            size: bytes of the body of the answer.
        """
        self.refused[code] = self.refused.get(code, 0) + 1
        if self.log is not None:
            self.log.refuse(address, code, size)

    def figures(self) -> Iterator[Figure]:
        """Of the routes, of what was no request, and of the log."""
        yield from self.routes.figures()
        samples = tuple(({"status": str(code)}, float(count)) for code, count in self.refused.items())
        about = "Answers to what could not be understood as a request, or was one connection too many."
        yield Figure("refused_heads", "counter", about, samples)
        if self.log is not None:
            writer = self.log.writer
            yield counter("access_log_lines", "Lines handed to the writer of the access log.", writer.lines)
            yield counter("access_log_dropped_lines", "Of those, lines that are lost.", writer.dropped)
