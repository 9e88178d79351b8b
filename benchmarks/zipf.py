"""All kinds of pages, asked for by all kinds of clients, beside nginx with the same pages as files.

40,000 requests over an index of 140,000 projects, by Zipf's law, with the headers of pip, uv, Poetry, PDM,
curl and browsers (``benchmarks.clients``), of which 20 % come with the right ``If-None-Match``; over and
over, in the same order for everybody. One worker on one processor, wrk on the other. Ours may keep 1 GB of
pages, nginx all that the machine's memory takes. *Best* nginx is asked for files; see ``benchmarks.nginx``.

Popular projects have many files, so an answer of the mix has 50 kB on average, and most of its cost is the
kernel's copying. *Small pages*: the same over the projects of at most 20 files, where the server itself
counts for more.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from benchmarks import field, hot, synthetic, traffic
from benchmarks.contest import Heat
from benchmarks.field import OURS
from benchmarks.figure import Figure, Row, Setting
from benchmarks.synthetic import LARGE

CONNECTIONS = (16, 64)
LEAST = 1.2
SMALL = 20
"""Files a project has at most whose page is a small one."""


def measure(setting: Setting) -> Iterator[Row]:
    """The mix with each number of connections, and the one of small pages."""
    mixes = {
        "mix": traffic.drawn(synthetic.by_popularity(LARGE)),
        "small pages": traffic.drawn(synthetic.by_popularity(LARGE, most=SMALL)),
    }
    every = [ask for asks in mixes.values() for ask in asks]
    with field.prepared(setting, "large", every) as ground:
        for name, asks in mixes.items():
            files = field.written(setting, ground, asks)
            for connections in CONNECTIONS if name == "mix" else CONNECTIONS[-1:]:
                what = f"{name}, c{connections}"
                found = field.raced(setting, ground, what, files, connections)
                note = f"{mean_size(found) / 1e3:.0f} kB on average"
                yield from (
                    evolve(row, note="; ".join(filter(None, (note, row.note))))
                    for row in hot.rows(what, found, LEAST if name == "mix" else None)
                )


def mean_size(found: Heat) -> float:
    """Bytes of an answer of ours, head included, on average."""
    turns = found.turns[OURS]
    return sum(turn.result.bytes for turn in turns) / sum(turn.result.requests for turn in turns)


FIGURE = Figure(
    name="zipf",
    question="how fast are 140,000 projects asked for by all kinds of clients?",
    peer="nginx",
    measure=measure,
    runs=5,
)
