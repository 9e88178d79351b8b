"""Pages that no worker has in its memory: processor time of the thread that runs the reactor.

A worker that keeps no pages (``cache.memory`` 0) and a Redis that was just started are asked for distinct
projects, one after the other, as pip asks. The first time nothing is there, so each page is *rendered* from
its rows; the second time what was stored is sent (*stored ready bytes*). Counted is the processor time of the
reactor's thread, by the kernel's nanoseconds, and beside it that of the whole process, threads included;
PostgreSQL's and Redis's are not in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from urllib.parse import urlsplit

from attrs import define, field

from benchmarks import catalogue, machine, servers
from benchmarks.cache import alone
from benchmarks.client import Client
from benchmarks.clients import PIP_NOW
from benchmarks.contest import SERVER
from benchmarks.figure import Figure, Row, Setting, at_most
from benchmarks.synthetic import SMALL

ENVIRONMENT = {"CHEESESHOP_CACHE_MEMORY": "0"}
WARM_UP = 40
GROUPS = {"100 files": (100, 200, 1.5), "3,000 files": (3000, 20, 3.0)}
"""Name → files of each project, how many projects, milliseconds a rendered page may take."""

STORED = 0.5
"""Milliseconds a stored page may take."""


@define
class Cost:
    """Milliseconds of processor time for a page, one number for each run."""

    reactor: list[float] = field(factory=list)
    process: list[float] = field(factory=list)


def measure(setting: Setting) -> Iterator[Row]:
    """A new service, and with it an empty Redis, for each run."""
    data = catalogue.kept("small", setting.say)
    rendered = {name: Cost() for name in GROUPS}
    stored = {name: Cost() for name in GROUPS}
    for run in range(setting.runs):
        setting.say(f"Run {run + 1} of {setting.runs}")
        with (
            alone(),
            servers.reading(data, setting.folder / str(run), cores=SERVER, env=ENVIRONMENT) as service,
            closing(Client(servers.origin(service))) as client,
        ):
            for name in _names(2 * GROUPS["100 files"][0], GROUPS["100 files"][0], WARM_UP):
                client.ask(_request(client, name))
            for costs in (rendered, stored):
                for group, (files, count, _) in GROUPS.items():
                    requests = [_request(client, name) for name in _names(0, files, count)]
                    _ask(service.pid, client.ask, requests, costs[group])
    for group, (_, _, most) in GROUPS.items():
        yield _row(f"{group}, rendered: reactor", rendered[group].reactor, most)
        yield _row(f"{group}, rendered: all threads", rendered[group].process)
        yield _row(f"{group}, stored: reactor", stored[group].reactor, STORED)
        yield _row(f"{group}, stored: all threads", stored[group].process)


def _names(first: int, files: int, count: int) -> Sequence[str]:
    block = next(block for block in SMALL.blocks if block.files == files)
    return list(block.names())[first : first + count]


def _request(client: Client, project: str) -> bytes:
    return PIP_NOW.request(f"/simple/{project}/", urlsplit(client.origin).netloc)


def _ask(pid: int, ask: Callable[[bytes], bytes], requests: Sequence[bytes], cost: Cost) -> None:
    reactor, process = machine.thread_seconds(pid), machine.process_seconds(pid)
    for request in requests:
        ask(request)
    cost.reactor.append(1e3 * (machine.thread_seconds(pid) - reactor) / len(requests))
    cost.process.append(1e3 * (machine.process_seconds(pid) - process) / len(requests))


def _row(measure: str, milliseconds: list[float], most: float | None = None) -> Row:
    bar = None if most is None else at_most(most)
    return Row(measure=measure, unit="ms", ours=milliseconds, bar=bar)


FIGURE = Figure(
    name="cold",
    question="what does a page cost that no worker has in its memory?",
    measure=measure,
    runs=5,
)
