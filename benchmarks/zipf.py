"""All kinds of pages, asked for by all kinds of clients, beside nginx with the same pages as files.

40,000 requests over an index of 140,000 projects, by Zipf's law, with the headers of pip, uv, Poetry, PDM,
curl and browsers (``benchmarks.clients``), of which 20 % come with the right ``If-None-Match``; over and
over, in the same order for everybody. One worker on one processor, wrk on the other. Ours may keep 1 GB of
pages, nginx all that the machine's memory takes. *Best* nginx is asked for files; see ``benchmarks.nginx``.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import field, hot, synthetic, traffic
from benchmarks.figure import Figure, Row, Setting
from benchmarks.synthetic import LARGE

CONNECTIONS = (16, 64)
LEAST = 1.2


def measure(setting: Setting) -> Iterator[Row]:
    """The mix, with each number of connections."""
    asks = traffic.drawn(synthetic.by_popularity(LARGE))
    with field.prepared(setting, "large", asks) as ground:
        total = sum(size.plain for size in ground.sizes.values())
        setting.say(f"{len(asks)} requests for {len(ground.sizes)} pages of {total / 1e6:.0f} MB")
        files = field.written(setting, ground, asks)
        for connections in CONNECTIONS:
            what = f"mix, c{connections}"
            yield from hot.rows(what, field.raced(setting, ground, what, files, connections), LEAST)


FIGURE = Figure(
    name="zipf",
    question="how fast are 140,000 projects asked for by all kinds of clients?",
    peer="nginx",
    measure=measure,
    runs=5,
)
