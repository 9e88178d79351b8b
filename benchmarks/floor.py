"""How far down Python can go: a loop that only reads and sends, beside us and nginx, with the same page.

What ``benchmarks.bare_loop`` costs is what the kernel and the calls into it cost from Python; what we cost
beyond it is all that we do for a request: events, transport, lane, counters and the line of the access log.
The page is the one of 6 kB of the figure ``hot``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attrs import evolve

from benchmarks import field, nginx
from benchmarks.client import connect
from benchmarks.clients import BARE
from benchmarks.contest import CLIENT, SERVER, Contender, Turn, heat
from benchmarks.field import OURS, Ground
from benchmarks.figure import Figure, Row, Setting
from benchmarks.machine import pinned
from benchmarks.processes import Running, running
from benchmarks.traffic import Ask
from benchmarks.wrk import Load

BARE_LOOP = "bare loop"
PAGE = Ask("exhibit-17-0000", BARE)
CONNECTIONS = (16, 64)


def measure(setting: Setting) -> Iterator[Row]:
    """The bare loop beside nginx, and us beside the bare loop."""
    with field.prepared(setting, "small", [PAGE], configurations=[nginx.ORDINARY]) as ground:
        files = field.written(setting, ground, [PAGE])
        answer = _answer(setting.folder / "answer", ground)
        command = [*pinned(SERVER), sys.executable, "-m", "benchmarks.bare_loop", answer]
        log = setting.folder / "bare-loop.log"
        with running(command, ready=r"port (\d+)", log=log, deadline=10) as bare:
            for connections in CONNECTIONS:
                yield from _rows(setting, ground, files, bare, connections)


def _answer(file: Path, ground: Ground) -> Path:
    """What we answer, head and body, as a file."""
    ours = ground.entries[0]
    with connect(ours.contender.origin) as connection:
        connection.sendall(ours.known.request(PAGE))
        data, end = b"", 0
        while not end or len(data) < end:
            data += connection.recv(1 << 16)
            head, found, _ = data.partition(b"\r\n\r\n")
            length = re.search(rb"(?i)\ncontent-length: (\d+)", head)
            end = len(head) + 4 + int(length[1]) if found and length else 0
    file.write_bytes(data)
    return file


def _rows(
    setting: Setting, ground: Ground, files: list[Path], bare: Running, connections: int
) -> Iterator[Row]:
    assert bare.said is not None
    load = Load(file=files[0], connections=connections, threads=1, cores=CLIENT)
    entries = [
        (entry.contender, evolve(load, file=file)) for entry, file in zip(ground.entries, files, strict=True)
    ]
    loop = Contender(BARE_LOOP, f"http://127.0.0.1:{bare.said[1]}", partial(list, [bare.pid]))
    what = f"c{connections}"
    found = heat(setting, what, [*entries, (loop, load)])
    ordinary = nginx.ORDINARY.name
    yield found.row(f"bare loop, {what}: rate, nginx", "/s", Turn.rate, BARE_LOOP, ordinary, rate=True)
    yield found.row(f"bare loop, {what}: CPU, nginx", "µs", Turn.cost, BARE_LOOP, ordinary)
    yield found.row(f"ours, {what}: CPU, bare loop", "µs", Turn.cost, OURS, BARE_LOOP)


FIGURE = Figure(
    name="floor",
    question="what does the least that Python could do for a hot page cost?",
    peer="nginx, and a loop that only reads and sends",
    measure=measure,
    runs=5,
)
