"""Figures of parts that only say what they hold; each is a function of the part, read at every scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from attrs import frozen

from caching.figures import Figure, counter, gauge
from caching.invalidations import Invalidations
from caching.layered import Ladder
from caching.memory import Memory
from caching.moment import Trust
from caching.shared import RedisStore
from caching.stats import Routes


@frozen(eq=False)
class Reading:
    """Makes something that shows figures of a function that makes them."""

    read: Callable[[], Iterable[Figure]]

    def figures(self) -> Iterable[Figure]:
        """What the function says."""
        return self.read()


def of_memory(memory: Memory) -> Iterator[Figure]:
    """The worker's own cache (L1)."""
    yield gauge("memory_entries", "Answers in memory.", len(memory))
    yield gauge("memory_bytes", "Bytes they count for.", memory.size)
    yield gauge("memory_limit_bytes", "Bytes they may count for.", memory.limit)
    yield counter("memory_evictions", "Answers dropped for want of room.", memory.evicted)


def of_sites(sites: Iterable[tuple[str, Any]]) -> Iterator[Figure]:
    """Connections, by listener: (name, ``pypi.http.site.Site``)."""
    samples = tuple(({"listener": name}, float(site.crowd.open)) for name, site in sites)
    yield Figure("connections_open", "gauge", "Connections that clients hold open.", samples)


def of_outbox(stats: Any) -> Iterator[Figure]:
    """What is still to be caused outside: purges of the edge, and later mail (``pypi.jobs.outbox.Stats``)."""
    yield gauge("outbox_errands", "Errands in the outbox, of all workers.", stats.waiting)
    yield gauge("outbox_oldest_seconds", "Age of the oldest of them.", stats.age)
    yield counter("outbox_done", "Steps of errands done by this worker.", stats.done)
    yield counter("outbox_failures", "Tries of this worker that failed, a batch each.", stats.failed)


def of_ladder(ladder: Ladder) -> Iterator[Figure]:
    """Whether the source answers, and whether what is kept is trusted."""
    about = "1 while what answers are made from keeps failing and is asked only now and then."
    yield gauge("source_breaker_open", about, ladder.breaker.is_open)
    about = "How far memory is trusted: 1 for one of fresh, doubted (asks first), alone (nothing to ask)."
    states = tuple(({"state": one.name.lower()}, float(one is ladder.moment.trust)) for one in Trust)
    yield Figure("memory_trust", "gauge", about, states)


def of_shared(shared: RedisStore) -> Iterator[Figure]:
    """What came of asking Redis for answers, and of keeping them there."""
    counts = shared.counts
    by_result = {
        "hit": counts.hits,
        "miss": counts.misses,
        "outdated": counts.outdated,
        "unreadable": counts.unreadable,
        "kept": counts.puts,
        "refused": counts.refused,
        "failed": counts.failures,
    }
    samples = tuple(({"result": result}, float(count)) for result, count in by_result.items())
    yield Figure("shared_store", "counter", "Calls to Redis for answers that workers share.", samples)


def of_invalidations(invalidations: Invalidations) -> Iterator[Figure]:
    """How well this worker hears of changes."""
    known, about = invalidations.known, "The last change of which this worker knows, and of all before it."
    yield gauge("invalidation_last_serial", about, known.last)
    about = "For how long it has not been certain that no change is missing."
    yield gauge("invalidation_behind_seconds", about, invalidations.behind_seconds)
    about = "1 while changes have not been heard of for too long to trust what is kept."
    yield gauge("invalidation_blind", about, invalidations.is_blind)
    yield counter("invalidation_changes", "Changes read from the journal.", invalidations.applied)
    yield counter("invalidation_failures", "Looks into the journal that failed.", invalidations.failures)


def of_uploads(routes: Routes, patterns: Sequence[str]) -> Iterator[Figure]:
    """Uploads by what became of them, from the requests that the upload routes answered."""
    results = {"accepted": 0, "refused": 0, "failed": 0}
    for one in routes:
        if one.route in patterns:
            for (method, code), count in one.requests.items():
                if method == "POST":
                    results[_became(code)] += count
    samples = tuple(({"result": result}, float(count)) for result, count in results.items())
    about = "Uploads: accepted, refused (4xx: what was sent, or by whom), failed (5xx: our side)."
    yield Figure("uploads", "counter", about, samples)


def _became(code: int) -> str:
    if code < 400:
        return "accepted"
    return "refused" if code < 500 else "failed"
