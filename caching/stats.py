"""What is counted of a route: plain numbers, which somebody collects now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from attrs import define, field

from caching.figures import Figure, Histogram

METHODS = frozenset({"GET", "HEAD", "POST"})
"""Methods counted by name; any other is ``other``."""


class RouteStats:
    """Counters of one route; they only grow.

    The fast lane counts a request by ``lane += 1``, and in rare cases by one counter more; whoever answers on
    the long way calls ``count`` once per request.

    Attributes:
        route: its pattern; empty for requests that no route answered.
        hits: questions that memory answered, without those of the fast lane.
        misses: questions that memory could not answer.
        coalesced: those of them that joined one under way.
        stale: outdated answers given because nothing better could be had.
        not_modified: answers without a body, since the client had it, without those of the fast lane.
        bytes: of bodies out of memory, those of the fast lane among them.
        lane: requests the fast lane answered.
        lane_not_modified: those of them with 304.
        lane_heads: those of them by HEAD; a 304 is never counted here.
        lane_others: code → those of them with another code than 200 and 304.
        lane_files: requests for files that the fast lane answered; they are counted as on the long way, too.
        shared_hits: questions that the shared store answered.
        shared_misses: those it could not answer.
        shared_bytes: of bodies out of it, as they were stored.
        made: answers made at the source.
        made_bytes: of bodies made there.
        failed: tries to make one that failed, the source's fault or not.
        requests: (method, code) → requests answered on the long way.
        seconds: how long those took, from their head to the end of the answer.
    """

    __slots__ = (
        "bytes",
        "coalesced",
        "failed",
        "hits",
        "lane",
        "lane_files",
        "lane_heads",
        "lane_not_modified",
        "lane_others",
        "made",
        "made_bytes",
        "misses",
        "not_modified",
        "requests",
        "route",
        "seconds",
        "shared_bytes",
        "shared_hits",
        "shared_misses",
        "stale",
    )

    def __init__(self, route: str) -> None:
        self.route = route
        self.hits = self.misses = self.coalesced = self.stale = self.not_modified = self.bytes = 0
        self.lane = self.lane_not_modified = self.lane_heads = self.lane_files = 0
        self.lane_others: dict[int, int] = {}
        self.shared_hits = self.shared_misses = self.shared_bytes = 0
        self.made = self.made_bytes = self.failed = 0
        self.requests: dict[tuple[str, int], int] = {}
        self.seconds = Histogram()

    def __repr__(self) -> str:
        return f"<RouteStats {self.route}: {self.hits + self.lane} hits, {self.misses} misses>"

    def count(self, method: str, code: int, seconds: float) -> None:
        """A request was answered on the long way."""
        key = (method if method in METHODS else "other", code)
        self.requests[key] = self.requests.get(key, 0) + 1
        self.seconds.add(seconds)

    def answered(self) -> dict[tuple[str, int], int]:
        """(method, code) → requests, those of the fast lane among them."""
        found = dict(self.requests)
        others = sum(self.lane_others.values())
        plain = self.lane - self.lane_not_modified - self.lane_heads - others
        by_lane = {("GET", 200): plain, ("GET", 304): self.lane_not_modified, ("HEAD", 200): self.lane_heads}
        by_lane.update({("GET", code): count for code, count in self.lane_others.items()})
        for key, count in by_lane.items():
            if count:
                found[key] = found.get(key, 0) + count
        return found


@define(eq=False, repr=False)
class Routes:
    """The counters of all routes, collected.

    Attributes:
        unrouted: of requests that no route answered.
    """

    unrouted: RouteStats = field(factory=lambda: RouteStats(""), init=False)
    _all: dict[int, RouteStats] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self.add(self.unrouted)

    def __repr__(self) -> str:
        return f"<Routes {len(self._all)}>"

    def __iter__(self) -> Iterator[RouteStats]:
        return iter(tuple(self._all.values()))

    def add(self, stats: RouteStats) -> None:
        """Show these counters from now on; adding them again changes nothing."""
        self._all.setdefault(id(stats), stats)

    def figures(self) -> Iterator[Figure]:
        """Requests, and what each rung of the caches did for them."""
        yield self._requests()
        yield self._seconds()
        yield self._summed(
            "lane_requests",
            "Requests that the fast lane answered.",
            lambda one: {(): one.lane + one.lane_files},
            (),
        )
        yield self._summed("cache_lookups", _LOOKUPS, _lookups, ("rung", "result"))
        yield self._summed("cache_bytes", "Bytes of bodies from each rung.", _bytes, ("rung",))
        yield self._summed(
            "cache_not_modified",
            "Answers out of the caches that needed no body (304).",
            lambda one: {(): one.not_modified + one.lane_not_modified},
            (),
        )

    def _requests(self) -> Figure:
        def answered(one: RouteStats) -> dict[tuple[str, ...], int]:
            return {(method, str(code)): count for (method, code), count in one.answered().items()}

        return self._summed("requests", "Requests answered.", answered, ("method", "status"))

    def _seconds(self) -> Figure:
        about = "How long requests took that the fast lane did not answer from memory."
        by_route: dict[str, Histogram] = {}
        for one in self:
            if any(one.seconds.counts):
                whole = by_route.setdefault(one.route, Histogram(one.seconds.bounds))
                whole.counts = [a + b for a, b in zip(whole.counts, one.seconds.counts, strict=True)]
                whole.sum += one.seconds.sum
        samples = (({"route": _shown(route)}, whole) for route, whole in by_route.items())
        return Figure("request_seconds", "histogram", about, tuple(samples))

    def _summed(self, name: str, about: str, read: Read, labels: tuple[str, ...]) -> Figure:
        """A counter over all routes; those that share a pattern are one."""
        sums: dict[tuple[str, ...], int] = {}
        for one in self:
            for values, count in read(one).items():
                if count:
                    key = (_shown(one.route), *values)
                    sums[key] = sums.get(key, 0) + count
        names = ("route", *labels)
        samples = ((dict(zip(names, key, strict=True)), float(count)) for key, count in sums.items())
        return Figure(name, "counter", about, tuple(samples))


Read = Callable[[RouteStats], dict[tuple[str, ...], int]]

_LOOKUPS = (
    "Questions to each rung: hit, stale (outdated, for want of better), miss, or coalesced (joined a miss "
    "under way); at the source: made, or failed."
)


def _shown(route: str) -> str:
    return route or "none"


def _lookups(one: RouteStats) -> dict[tuple[str, ...], int]:
    return {
        ("l1", "hit"): one.hits + one.lane,
        ("l1", "stale"): one.stale,
        ("l1", "coalesced"): one.coalesced,
        ("l1", "miss"): one.misses - one.coalesced,
        ("l2", "hit"): one.shared_hits,
        ("l2", "miss"): one.shared_misses,
        ("source", "made"): one.made,
        ("source", "failed"): one.failed,
    }


def _bytes(one: RouteStats) -> dict[tuple[str, ...], int]:
    return {("l1",): one.bytes, ("l2",): one.shared_bytes, ("source",): one.made_bytes}
