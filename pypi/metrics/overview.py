"""The figures of all workers at one glance, for whoever runs the index.

They are read back from the text that ``/metrics`` shows, so that both say the same of all workers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from attrs import frozen

from pypi.metrics.exposition import PREFIX, WORKER

BUSIEST = 12
"""Routes in their list."""


@frozen
class Rung:
    """One rung of the ladder of caches: what of all that was asked of it it had.

    Attributes:
        name: as people say it.
        had: answers it had.
        asked: requests that came so far.
        size: bytes of the bodies it gave.
    """

    name: str
    had: int
    asked: int
    size: int

    @property
    def share(self) -> float | None:
        """From 0 to 1; ``None`` where nothing was asked."""
        return self.had / self.asked if self.asked else None


@frozen
class Busy:
    """A route and how often it was asked."""

    route: str
    requests: int
    errors: int


@frozen(kw_only=True)
class Overview:
    """What all workers have done since each began, and how they are.

    Attributes:
        workers: how many told.
        absent: how many did not.
        seconds: since the oldest of them began.
        requests: answered in all, by the first digit of their status.
        lane: of these, by the fast lane.
        memory: bytes of all processes.
        busiest: routes, the most asked first.
        failing: words for what is not well at this moment; empty where all is.
        values: gauges by name, without the prefix: the largest of what the workers say.
    """

    workers: int
    absent: int
    seconds: float
    requests: Mapping[str, int]
    lane: int
    memory: int
    rungs: Sequence[Rung]
    busiest: Sequence[Busy]
    failing: Sequence[str]
    values: Mapping[str, float]

    @property
    def total(self) -> int:
        """Requests of any status."""
        return sum(self.requests.values())


class Figures:
    """Samples by name and labels."""

    def __init__(self, text: str) -> None:
        # Imported here, as for ``pypi.metrics.text``, which has been asked before.
        from prometheus_client.parser import text_string_to_metric_families

        self._samples: dict[str, list[tuple[Mapping[str, str], float]]] = defaultdict(list)
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._samples[sample.name.removeprefix(PREFIX)].append((sample.labels, sample.value))

    def sum(self, name: str, **labels: str) -> int:
        """All samples of a name that have these labels."""
        return int(sum(value for found, value in self.of(name) if labels.items() <= found.items()))

    def of(self, name: str) -> Sequence[tuple[Mapping[str, str], float]]:
        """All samples of a name: labels and value."""
        return self._samples.get(name, [])

    def largest(self, name: str) -> float:
        """The largest sample of a name; 0 for none."""
        return max((value for _, value in self.of(name)), default=0.0)

    def by(self, name: str, key: Callable[[Mapping[str, str]], str]) -> dict[str, int]:
        """Sums by what ``key`` makes of the labels."""
        found: dict[str, int] = defaultdict(int)
        for labels, value in self.of(name):
            found[key(labels)] += int(value)
        return dict(found)


VALUES = (
    "outbox_errands",
    "outbox_oldest_seconds",
    "mail_waiting",
    "mail_oldest_seconds",
    "invalidation_last_serial",
    "invalidation_behind_seconds",
    "memory_entries",
    "memory_bytes",
    "memory_limit_bytes",
    "database_connections_busy",
    "database_connections_limit",
    "descriptions_outdated",
)


def overview(text: str, now: float) -> Overview:
    """Read the text of ``/metrics``.

    Args:
        now: POSIX seconds.
    """
    figures = Figures(text)
    workers = {labels[WORKER] for labels, _ in figures.of("build_info")}
    began = min((value for _, value in figures.of("process_start_time_seconds")), default=now)
    return Overview(
        workers=len(workers),
        absent=figures.sum("workers_absent"),
        seconds=max(0.0, now - began),
        requests=figures.by("requests_total", lambda labels: labels["status"][:1]),
        lane=figures.sum("lane_requests_total"),
        memory=figures.sum("process_resident_memory_bytes"),
        rungs=_rungs(figures),
        busiest=_busiest(figures),
        failing=tuple(_failing(figures)),
        values={name: figures.largest(name) for name in VALUES},
    )


def _rungs(figures: Figures) -> list[Rung]:
    def count(rung: str, *results: str) -> int:
        return sum(figures.sum("cache_lookups_total", rung=rung, result=one) for one in results)

    memory = count("l1", "hit", "stale", "coalesced")
    shared = count("l2", "hit")
    made = count("source", "made")
    return [
        Rung("Memory", memory, memory + count("l1", "miss"), figures.sum("cache_bytes_total", rung="l1")),
        Rung("Redis", shared, shared + count("l2", "miss"), figures.sum("cache_bytes_total", rung="l2")),
        Rung(
            "Made anew",
            made,
            made + count("source", "failed"),
            figures.sum("cache_bytes_total", rung="source"),
        ),
    ]


def _busiest(figures: Figures) -> list[Busy]:
    asked = figures.by("requests_total", lambda labels: labels["route"])
    errors = figures.by("requests_total", lambda labels: labels["route"] if labels["status"] >= "500" else "")
    most = sorted(asked, key=lambda route: (-asked[route], route))[:BUSIEST]
    return [Busy(route, asked[route], errors.get(route, 0)) for route in most]


def _failing(figures: Figures) -> Iterator[str]:
    words: Iterable[tuple[str, float, str]] = (
        ("source_breaker_open", 0, "The database keeps failing: what is kept is still shown."),
        ("redis_breaker_open", 0, "Redis does not answer: every worker is on its own."),
        ("invalidation_blind", 0, "A worker has not heard of changes for too long."),
        ("workers_absent", 0, "A worker does not answer."),
        ("outbox_oldest_seconds", 300, "Purges of the edge wait for more than five minutes."),
        ("mail_oldest_seconds", 1800, "Mail waits for more than half an hour."),
    )
    for name, bound, sentence in words:
        if figures.largest(name) > bound:
            yield sentence
