"""Clients that have every page already: nothing but 304, beside nginx with the same pages as files.

*One page*: the 60 kB JSON page of the figure ``hot``, by pip. *Mix*: 20,000 requests by Zipf's law and all
kinds of clients over 2,000 projects, every one with the right ``If-None-Match``. One worker on one processor,
wrk on the other.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import field, hot, synthetic, traffic
from benchmarks.clients import PIP_NOW
from benchmarks.figure import Figure, Row, Setting
from benchmarks.synthetic import SMALL
from benchmarks.traffic import Ask

CONNECTIONS = (16, 64)
ASKS = 20_000
LEAST = 0.85


def measure(setting: Setting) -> Iterator[Row]:
    """One page and the mix, with each number of connections."""
    page = [Ask("exhibit-118-0000", PIP_NOW, has_it=True)]
    mix = traffic.drawn(synthetic.by_popularity(SMALL), count=ASKS, having=1.0)
    with field.prepared(setting, "small", page + mix) as ground:
        for name, asks in (("one page", page), ("mix", mix)):
            files = field.written(setting, ground, asks)
            for connections in CONNECTIONS:
                what = f"{name}, c{connections}"
                yield from hot.rows(what, field.raced(setting, ground, what, files, connections), LEAST)


FIGURE = Figure(
    name="conditional",
    question="how fast are answers to clients that have the page already?",
    peer="nginx",
    measure=measure,
    runs=5,
)
