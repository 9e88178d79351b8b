"""One machine of two processors, its own load included: index requests in a second.

Two workers of ours, and nginx with two, in turns; wrk has two threads and 64 connections, and nobody is
pinned: all share both processors. *Mix*: 40,000 requests over 140,000 projects as in the figure ``zipf``; *6
kB HTML*: one page as in ``hot``. The bar is the mean rate of the public index in 2025. On a machine with more
processors all are held to the first two.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import field, nginx, synthetic, traffic
from benchmarks.contest import Turn
from benchmarks.field import OURS
from benchmarks.figure import Figure, Row, Setting, at_least
from benchmarks.hot import AS_BEST, PAGES
from benchmarks.synthetic import LARGE

WORKERS, THREADS, CONNECTIONS = 2, 2, 64
CORES = "0,1"
LEAST = 81_000


def measure(setting: Setting) -> Iterator[Row]:
    """The mix."""
    asks = traffic.drawn(synthetic.by_popularity(LARGE))
    with field.prepared(
        setting, "large", asks, configurations=[nginx.ORDINARY], workers=WORKERS, cores=CORES
    ) as ground:
        yield from _rows(setting, ground, "mix", asks)
    name, ask, _ = PAGES[0]
    with field.prepared(
        setting, "small", [ask], configurations=[nginx.ORDINARY], workers=WORKERS, cores=CORES
    ) as ground:
        yield from _rows(setting, ground, name, [ask])


def _rows(setting: Setting, ground: field.Ground, what: str, asks: list[traffic.Ask]) -> Iterator[Row]:
    files = field.written(setting, ground, asks)
    found = field.raced(setting, ground, what, files, CONNECTIONS, threads=THREADS, cores=CORES)
    peer = nginx.ORDINARY.name
    yield found.row(f"{what}: rate", "/s", Turn.rate, OURS, peer, bar=at_least(LEAST), rate=True)
    yield found.row(f"{what}: rate, as nginx", "/s", Turn.rate, OURS, peer, bar=AS_BEST, rate=True)
    yield found.row(f"{what}: CPU", "µs", Turn.cost, OURS, peer)
    yield found.row(f"{what}: p99", "ms", Turn.p99, OURS, peer)


FIGURE = Figure(
    name="headline",
    question="how many index requests does one machine of two processors answer, wrk included?",
    peer="nginx, two workers",
    measure=measure,
    runs=5,
)
