"""The page of one project of 100 small wheels, beside the other indexes in Python that hand out wheels.

Each has the first processor, wrk the second, 64 connections; in turns. *As HTML*: ``Accept: text/html`` and
nothing else, so that nobody has to compress. *As pip asks*: all headers of pip 26; those who know no JSON
answer in HTML, and those who compress do it for each request. What they are and how they run is in
``benchmarks.other_indexes``; nginx is beside them as the file server of a static mirror.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from attrs import evolve

from benchmarks import distributions, nginx, servers, traffic, tree, wrk
from benchmarks.client import connect, read_body, read_head
from benchmarks.clients import PIP_NOW, Client
from benchmarks.contest import SERVER, Contender, Turn, heat
from benchmarks.field import OURS
from benchmarks.figure import BenchmarkFailed, Figure, Row, Setting, times_better
from benchmarks.other_indexes import PEERS, Stock
from benchmarks.traffic import Ask, PathOf
from benchmarks.wrk import Load

PROJECT, FILES = "hundred", 100
CONNECTIONS = 64
PLAIN = Client("plain", 0, (("Accept", "text/html"),))
ASKED = (("as HTML", PLAIN), ("as pip asks", PIP_NOW))
LEAST = {"pypiserver": 80, "devpi-server": 250, "proxpi": 65, "simple-repository-server": 600}
IMPORT = 120.0


def measure(setting: Setting) -> Iterator[Row]:
    """Ours, nginx and the peers, in turns."""
    wheels = setting.folder / "wheels"
    wheels.mkdir()
    made = [distributions.tiny(wheels, PROJECT, f"1.{number}") for number in range(FILES)]
    with ExitStack() as stack:
        ours = stack.enter_context(servers.serving(setting.folder / OURS, cores=SERVER))
        servers.cheeseshop("import", "--quiet", wheels, data=setting.folder / OURS / "data", deadline=IMPORT)
        pages = setting.folder / "pages"
        tree.write(pages, ours.origin, [Ask(PROJECT, client) for _, client in ASKED])
        static, url = stack.enter_context(
            nginx.serving(nginx.ORDINARY, setting.folder / "nginx", tree=pages, cores=SERVER)
        )
        entries: list[tuple[Contender, PathOf]] = [
            (Contender(OURS, ours.origin, partial(servers.answering, ours.running)), traffic.simple),
            (Contender(nginx.ORDINARY.name, url, static.tree), traffic.simple),
        ]
        stock = Stock(setting.folder, made, PROJECT, ours.origin, SERVER, setting.say)
        entries += [(stack.enter_context(peer.serving(stock)), peer.path) for peer in PEERS]
        for name, client in ASKED:
            yield from _rows(setting, name, client, entries)


def _rows(
    setting: Setting, name: str, client: Client, entries: list[tuple[Contender, PathOf]]
) -> Iterator[Row]:
    loads = []
    for contender, path in entries:
        request = client.request(path(PROJECT, client.takes_json), contender.origin.partition("//")[2])
        _check(contender, request)
        file = wrk.write(setting.folder / f"{contender.name}.requests", [request])
        loads.append((contender, Load(file=file, connections=CONNECTIONS)))
    found = heat(setting, name, loads)
    for contender, _ in entries[1:]:
        least = LEAST.get(contender.name) if client is PLAIN else None
        bar = times_better(least) if least else None
        what = f"{name}: {contender.name}"
        yield found.row(f"{what}, rate", "/s", Turn.rate, OURS, contender.name, bar=bar, rate=True)
        cost = found.row(f"{what}, CPU", "µs", Turn.cost, OURS, contender.name)
        yield evolve(cost, as_is=False)


def _check(contender: Contender, request: bytes) -> None:
    """See that it has all files, once; this also warms its cache."""
    connection, body = connect(contender.origin), bytearray()
    try:
        connection.sendall(request)
        head = read_head(connection)
        read_body(connection, head, body.extend)
    finally:
        connection.close()
    if head.fields.get("content-encoding") == "gzip":
        body = bytearray(gzip.decompress(body))
    if missing := [number for number in range(FILES) if f"-1.{number}-py3".encode() not in body]:
        raise BenchmarkFailed(f"{contender.name} lists {FILES - len(missing)} of {FILES} files")


FIGURE = Figure(
    name="peers",
    question=f"how fast is the page of {FILES} files, beside other indexes?",
    peer="other indexes",
    measure=measure,
    runs=5,
)
