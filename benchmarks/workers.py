"""Several workers beside one: do they scale, and do they cost more?

As many workers as half of the processors (two at least), and wrk with as many threads. With twice as many
processors as workers each side has its own half, and the rates show how far workers scale. With fewer, as on
a machine of two, all share all, and rates cannot show it; then it is calculated from processor time per
request: twice the workers at the same cost do twice as much where they have processors of their own. The page
is the 60 kB JSON page of ``hot``, by pip, at 64 connections.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from attrs import evolve

from benchmarks import field, machine, nginx, servers
from benchmarks.contest import Contender, Heat, Turn, heat
from benchmarks.field import OURS
from benchmarks.figure import Figure, Row, Setting, at_least, times_as_much
from benchmarks.hot import AS_BEST, PAGES
from benchmarks.wrk import Load

CONNECTIONS = 64
EFFICIENCY = 0.9
COST = times_as_much(1.1)


def measure(setting: Setting) -> Iterator[Row]:
    """One worker and several, of ours and of nginx, in turns."""
    cores = os.cpu_count() or 1
    count = max(2, cores // 2)
    own = cores >= 2 * count
    ours, theirs = _cores(0, count if own else cores), _cores(count if own else 0, cores)
    ask = PAGES[1][1]
    with ExitStack() as stack:
        grounds = {
            workers: stack.enter_context(
                field.prepared(
                    setting,
                    "small",
                    [ask],
                    configurations=[nginx.ORDINARY],
                    workers=workers,
                    cores=ours if workers > 1 else (ours if not own else "0"),
                )
            )
            for workers in (1, count)
        }
        entries = [
            (
                _named(entry.contender, workers),
                entry.known.write(_file(setting, entry.contender, workers), [ask]),
            )
            for workers, ground in grounds.items()
            for entry in ground.entries
        ]
        load = Load(file=setting.folder, connections=CONNECTIONS, threads=count, cores=theirs)
        workers = servers.workers(grounds[count].service, count)
        before = _cpu(workers)
        found = heat(setting, f"{count} workers", [(one, evolve(load, file=file)) for one, file in entries])
        used = [after - at for after, at in zip(_cpu(workers), before, strict=True)]
        uneven = f"the busiest worker did {max(used) / max(min(used), 0.001):.2g} × the least busy one's work"
        yield from _rows(found, count, own=own, note=uneven)


def _rows(found: Heat, count: int, *, own: bool, note: str) -> Iterator[Row]:
    one, many, peer = f"{OURS} x1", f"{OURS} x{count}", f"nginx x{count}"
    costs = zip(found.turns[one], found.turns[many], strict=True)
    rates = zip(found.turns[one], found.turns[many], strict=True)
    yield Row(
        measure=f"{count} workers beside one: {'rate' if own else 'calculated from CPU'}",
        unit="×",
        ours=(
            [after.rate() / before.rate() for before, after in rates]
            if own
            else [count * before.cost() / after.cost() for before, after in costs]
        ),
        bar=at_least(EFFICIENCY * count),
        note="; ".join(filter(None, (note, found.note(one, many)))),
    )
    yield found.row("CPU, beside one worker (as peer)", "µs", Turn.cost, many, one, bar=COST)
    yield found.row(f"rate, beside nginx x{count}", "/s", Turn.rate, many, peer, bar=AS_BEST, rate=True)
    yield found.row(f"CPU, beside nginx x{count}", "µs", Turn.cost, many, peer)


FIGURE = Figure(
    name="workers",
    question="do several workers scale?",
    peer="nginx with as many workers, or one of ours",
    measure=measure,
    runs=5,
)


def _cores(first: int, end: int) -> str:
    return f"{first}-{end - 1}"


def _named(contender: Contender, workers: int) -> Contender:
    return evolve(contender, name=f"{contender.name} x{workers}")


def _file(setting: Setting, contender: Contender, workers: int) -> Path:
    return setting.folder / f"{contender.name}-{workers}.requests"


def _cpu(pids: list[int]) -> list[float]:
    return [machine.cpu_seconds([pid]) for pid in pids]
