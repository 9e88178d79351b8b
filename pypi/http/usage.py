"""How often each feature is used, and by which clients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime

from attrs import define, field, frozen

from caching.figures import Figure, counter
from caching.stats import Routes
from pypi.domain.clients import OTHER
from pypi.http.noted import feature_of
from pypi.http.overheard import Overheard, family

MOST_PAIRS = 400
"""Features and families that are counted together; what comes beyond that is by ``other``."""

MOST_WAITING = 4000
"""Sums that wait to be kept, of all days; what comes beyond that is dropped, and counted."""

UNHEARD = "unknown"
"""The family of requests to the lane of which no line was looked at."""


@frozen(order=True)
class Sum:
    """How often a feature was used by a family of clients, on one day.

    Attributes:
        day: in UTC, as ISO 8601.
    """

    day: str
    feature: str
    family: str


@frozen
class Seen:
    """How often, and when for the last time, to a minute."""

    count: int
    last: datetime

    def plus(self, other: Seen) -> Seen:
        """Both together."""
        return Seen(self.count + other.count, max(self.last, other.last))


@define(eq=False)
class Usage:
    """Counts; what it has counted is taken from it now and then, to be kept.

    Attributes:
        routes: of whose counters those of the fast lane are read.
        overheard: says who it answered.
        flush: has ``overheard`` hear what the lane has written so far.
        now: aware, UTC.
        counts: (feature, family) → requests; they only grow.
        dropped: requests that are in no sum, since too many waited.
    """

    routes: Routes = field(repr=False)
    overheard: Overheard = field(repr=False)
    flush: Callable[[], None] = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    counts: dict[tuple[str, str], int] = field(factory=dict, init=False)
    dropped: int = field(default=0, init=False)
    _told: dict[tuple[str, str], int] = field(factory=dict, init=False, repr=False)
    _lane: dict[int, int] = field(factory=dict, init=False, repr=False)
    _waiting: dict[Sum, Seen] = field(factory=dict, init=False, repr=False)

    def count(self, features: tuple[str, ...], agent: bytes | None) -> None:
        """A request is over that used these features.

        Args:
            agent: value of its ``User-Agent``.
        """
        for feature in features:
            self._add(feature, family(agent), 1)

    def take(self) -> dict[Sum, Seen]:
        """All that waits to be kept; whoever takes it keeps it, or gives it back."""
        self._collect()
        self._settle()
        taken, self._waiting = self._waiting, {}
        return taken

    def give_back(self, taken: Mapping[Sum, Seen]) -> None:
        """It could not be kept."""
        for key, seen in taken.items():
            self._wait(key, seen)

    def figures(self) -> Iterator[Figure]:
        """Requests by feature and family of clients."""
        self._collect()
        about = "Requests that used a feature, by family of clients."
        samples = tuple(
            ({"feature": feature, "family": name}, float(count))
            for (feature, name), count in self.counts.items()
        )
        yield Figure("feature_requests", "counter", about, samples)
        about = "Of those, requests that no record is kept of: the database was away for too long."
        yield counter("feature_requests_dropped", about, self.dropped)

    def _add(self, feature: str, name: str, count: int) -> None:
        pair = (feature, name)
        if pair not in self.counts and len(self.counts) >= MOST_PAIRS:
            pair = (feature, OTHER)
        self.counts[pair] = self.counts.get(pair, 0) + count

    def _collect(self) -> None:
        """Count what the lane has answered since the last time."""
        self.flush()
        heard = self.overheard.take()
        answered: dict[str, int] = {}
        for stats in self.routes:
            feature = feature_of(stats)
            if feature:
                now, before = stats.lane + stats.lane_files, self._lane.get(id(stats), 0)
                self._lane[id(stats)] = now
                answered[feature] = answered.get(feature, 0) + now - before
        for feature, count in answered.items():
            for name, part in shared(count, heard.get(feature, {})).items():
                self._add(feature, name, part)

    def _settle(self) -> None:
        """Have wait what was counted since the last time."""
        now = self.now()
        for pair, count in self.counts.items():
            if more := count - self._told.get(pair, 0):
                self._told[pair] = count
                self._wait(Sum(now.date().isoformat(), *pair), Seen(more, now))

    def _wait(self, key: Sum, seen: Seen) -> None:
        known = self._waiting.get(key)
        if known is None and len(self._waiting) >= MOST_WAITING:
            self.dropped += seen.count
        else:
            self._waiting[key] = seen if known is None else known.plus(seen)


def shared(count: int, weights: Mapping[str, int]) -> dict[str, int]:
    """``count`` in parts as the weights are to each other, by largest remainders.

    Without any weights all of it is ``UNHEARD``.
    """
    whole = sum(weights.values())
    if not count or not whole:
        return {UNHEARD: count} if count else {}
    parts = {name: count * weight // whole for name, weight in weights.items()}
    rest = sorted(weights, key=lambda name: (-(count * weights[name] % whole), name))
    for name in rest[: count - sum(parts.values())]:
        parts[name] += 1
    return {name: part for name, part in parts.items() if part}
