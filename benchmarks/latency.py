"""How long a client waits at 64 connections: the 99th percentile beside nginx's.

*6 kB HTML* and *60 kB JSON* as in the figure ``hot``. *At full load*: each connection asks again as soon as
it has its answer, so the wait is mostly for the 63 others. *At about 6,000/s*: each waits 10 ms on average
before it asks again, which shows what the server does besides answering (flushes logs, collects garbage, runs
jobs).
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from benchmarks import field, nginx
from benchmarks.contest import CLIENT, Turn, heat
from benchmarks.field import OURS
from benchmarks.figure import Figure, Row, Setting, times_as_much
from benchmarks.hot import PAGES
from benchmarks.wrk import Load

CONNECTIONS = 64
MOST = 1.5
PAUSES = (("at full load", 0), ("at about 6,000/s", 10))
"""Name, and milliseconds between an answer and the next request."""


def measure(setting: Setting) -> Iterator[Row]:
    """Each page, with and without pauses."""
    with field.prepared(setting, "small", [ask for _, ask, _ in PAGES]) as ground:
        for name, ask, _ in PAGES:
            load = Load(file=setting.folder, connections=CONNECTIONS, cores=CLIENT)
            files = field.written(setting, ground, [ask])
            for when, pause in PAUSES:
                what = f"{name}, {when}"
                entries = [
                    (entry.contender, evolve(load, file=file, pause=pause))
                    for entry, file in zip(ground.entries, files, strict=True)
                ]
                found = heat(setting, what, entries)
                bar = times_as_much(MOST)
                yield found.row(f"{what}: p99", "ms", Turn.p99, OURS, nginx.ORDINARY.name, bar=bar)
                yield found.row(f"{what}: p99, best", "ms", Turn.p99, OURS, nginx.BEST.name)


FIGURE = Figure(
    name="latency",
    question=f"how long do clients wait at {CONNECTIONS} connections?",
    peer="nginx",
    measure=measure,
    runs=5,
)
