"""One hot page at a time, beside nginx with the same page as a file.

*6 kB HTML*: a page of 17 files, asked for without Accept and Accept-Encoding. *60 kB JSON*: a page of 118
files, asked for with all headers pip 26 sends, and so compressed. One worker on one processor, wrk on the
other, with 16 and with 64 connections. Ours has its access log and metrics on, nginx its access log off;
*ordinary* and *best* nginx are described in ``benchmarks.nginx``.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import field, nginx
from benchmarks.clients import BARE, PIP_NOW
from benchmarks.contest import Heat, Turn
from benchmarks.field import OURS, Ground
from benchmarks.figure import Bar, Figure, Row, Setting, times_as_much, times_better
from benchmarks.traffic import Ask

CONNECTIONS = (16, 64)
COST = times_as_much(0.85)
AS_BEST = times_better(1.0)
PAGES = (
    ("6 kB HTML", Ask("exhibit-17-0000", BARE), 1.3),
    ("60 kB JSON", Ask("exhibit-118-0000", PIP_NOW), 1.1),
)
"""Name, what is asked for, and how many times faster than ordinary nginx."""


def measure(setting: Setting) -> Iterator[Row]:
    """Each page, each number of connections."""
    with field.prepared(setting, "small", [ask for _, ask, _ in PAGES]) as ground:
        for name, ask, least in PAGES:
            setting.say(f"{name}: {size(ground, ask)}")
            files = field.written(setting, ground, [ask])
            for connections in CONNECTIONS:
                what = f"{name}, c{connections}"
                yield from rows(what, field.raced(setting, ground, what, files, connections), least, COST)


def size(ground: Ground, ask: Ask) -> str:
    """How large a page is, for people."""
    found = ground.sizes[ask.project, ask.client.takes_json]
    return f"{found.plain} bytes" + (f", {found.compressed} compressed" if found.compressed else "")


def rows(what: str, found: Heat, least: float | None, cost: Bar | None = None) -> Iterator[Row]:
    """Rates and processor time beside both configurations of nginx.

    Args:
        least: how many times the rate of the ordinary one; ``None`` where there is no bar.
        cost: for processor time, beside the ordinary one.
    """
    ordinary, best = nginx.ORDINARY.name, nginx.BEST.name
    bar = None if least is None else times_better(least)
    yield found.row(f"{what}: rate, ordinary", "/s", Turn.rate, OURS, ordinary, bar=bar, rate=True)
    yield found.row(f"{what}: CPU, ordinary", "µs", Turn.cost, OURS, ordinary, bar=cost)
    of_best = AS_BEST if cost else None
    yield found.row(f"{what}: rate, best", "/s", Turn.rate, OURS, best, bar=of_best, rate=True)
    yield found.row(f"{what}: CPU, best", "µs", Turn.cost, OURS, best)


FIGURE = Figure(
    name="hot",
    question="how fast is one hot page, on one processor?",
    peer="nginx",
    measure=measure,
    runs=5,
)
