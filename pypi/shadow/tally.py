"""Counting while requests are asked again: bounded, however many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from math import exp, log

from attrs import define, field

from pypi.shadow.compare import MATTERS, change, differences
from pypi.shadow.lines import Recorded
from pypi.shadow.replay import Ending
from pypi.shadow.shapes import shape

MOST_OFFENDERS = 1000
"""Lines of a table; what finds no room is counted as ``…``."""

STEP = log(1.02)
LEAST = 1e-6


@define(eq=False)
class Latency:
    """Times, kept to two hundredths of each."""

    count: int = 0
    longest: float = 0.0
    _steps: Counter[int] = field(factory=Counter)

    def add(self, seconds: float) -> None:
        """Count a time."""
        self.count += 1
        self.longest = max(self.longest, seconds)
        self._steps[int(log(max(seconds, LEAST) / LEAST) / STEP)] += 1

    def at(self, share: float) -> float:
        """Seconds that this share of all times did not exceed."""
        left = share * self.count
        for step in sorted(self._steps):
            left -= self._steps[step]
            if left <= 0:
                return min(self.longest, LEAST * exp((step + 1) * STEP))
        return self.longest


@define
class Offender:
    """A line of a table of what went otherwise.

    Attributes:
        example: a target.
    """

    requests: int = 0
    example: str = ""


Key = tuple[str, str, str, str]


@define(eq=False)
class Offenders:
    """What went otherwise, by kind, shape of the address, and the two statuses."""

    _found: dict[Key, Offender] = field(factory=dict)

    def add(self, kind: str, target: str, one: str, other: str) -> None:
        """Count one."""
        key = (kind, shape(target), one, other)
        if key not in self._found and len(self._found) >= MOST_OFFENDERS:
            key = (kind, "…", "", "")
        found = self._found.setdefault(key, Offender(example=target[:200]))
        found.requests += 1

    def top(self) -> Iterator[tuple[Key, Offender]]:
        """Every line, the largest first."""
        yield from sorted(self._found.items(), key=lambda item: (-item[1].requests, item[0]))


@define(eq=False)
class ServerTally:
    """What one server answered.

    Attributes:
        latency: of whole requests, redirects that were followed included.
        statuses: (then, now) → requests; now is that of the last answer.
        kinds: as ``compare.change`` has them → requests.
        hops: number of redirects → requests.
        errors: why there was no answer → requests.
        bytes: of all bodies.
    """

    latency: Latency = field(factory=Latency)
    statuses: Counter[tuple[int, int]] = field(factory=Counter)
    kinds: Counter[str] = field(factory=Counter)
    hops: Counter[int] = field(factory=Counter)
    errors: Counter[str] = field(factory=Counter)
    offenders: Offenders = field(factory=Offenders)
    bytes: int = 0

    def add(self, recorded: Recorded, ending: Ending) -> bool:
        """Count an ending; whether it changed in a way that matters."""
        kind = change(recorded, ending)
        self.latency.add(ending.seconds)
        self.statuses[recorded.status, ending.status] += 1
        self.kinds[kind] += 1
        self.hops[ending.hops] += 1
        self.bytes += ending.last.size
        if ending.last.error:
            self.errors[ending.last.error] += 1
        if kind not in MATTERS:
            return False
        self.offenders.add(kind, recorded.target, str(recorded.status), str(ending.status))
        return True

    @property
    def failures(self) -> int:
        """Requests that ended with 5xx."""
        return sum(count for (_, now), count in self.statuses.items() if now >= 500)


@define(eq=False)
class Tally:
    """What all servers answered.

    Attributes:
        servers: of each one, in their order.
        ignored: kinds of difference between two that do not count.
        requests: that have ended.
        different: of those, the ones where something matters.
        kinds: of differences between two servers → requests.
        offenders: what two servers answer differently.
    """

    servers: Sequence[ServerTally]
    ignored: Collection[str] = ()
    requests: int = 0
    different: int = 0
    kinds: Counter[str] = field(factory=Counter)
    offenders: Offenders = field(factory=Offenders)

    def add(self, recorded: Recorded, endings: Sequence[Ending]) -> None:
        """Count a request."""
        self.requests += 1
        changed = [server.add(recorded, ending) for server, ending in zip(self.servers, endings, strict=True)]
        if len(endings) != 2:
            self.different += any(changed)
            return
        # It is the two that are compared; the log is but what is asked.
        one, other = endings
        found = differences(one, other, self.ignored)
        for kind in found:
            self.kinds[kind] += 1
            self.offenders.add(kind, recorded.target, str(one.status), str(other.status))
        self.different += bool(found)
