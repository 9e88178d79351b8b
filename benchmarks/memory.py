"""Memory of a worker, idle and with pages, and how soon it is ready.

*Idle*: the resident set two seconds after the start, before anybody asked, of one worker of two, and what of
it are pages of files, the code of libraries, which the machine holds once for all workers; beside it, to
compare, that of a service of one process, which sees to the embedded servers as well. *A cached page*:
pages of the 140,000 that are neither the most nor the least popular, asked for once each as pip does, after
some others that warm everything else up; what the resident set grew by for each, beside 1.3 times the page's
compressed size and 1.5 kB. *Bound*: the same pages at a worker that may keep 8 MB; what its resident set
grew by. *Ready*: from the start of a second service, on the databases of a first that runs already, to its
ready line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import mean
from urllib.parse import urlsplit

from attrs import define, field

from benchmarks import catalogue, machine, servers, synthetic
from benchmarks.client import Client
from benchmarks.clients import PIP_NOW
from benchmarks.field import MEMORY
from benchmarks.figure import Figure, Row, Setting, at_most
from benchmarks.processes import Running
from benchmarks.synthetic import LARGE
from pypi.domain.names import NormalizedName

SETTLING = 2.0
WARM_UP, TIMES_EACH = 40, 20
PAGES = slice(2000, 6000)
BOUND = 8_000_000
TIMES, BESIDES, OVER = 1.3, 1500, 1.05
MOST_IDLE, LONGEST_START = 80.0, 1.0


@define
class Found:
    """One number for each run; bytes, but for ``ready`` in seconds."""

    idle: list[float] = field(factory=list)
    shared: list[float] = field(factory=list)
    alone: list[float] = field(factory=list)
    page: list[float] = field(factory=list)
    allowed: list[float] = field(factory=list)
    bounded: list[float] = field(factory=list)
    ready: list[float] = field(factory=list)


def measure(setting: Setting) -> Iterator[Row]:
    """A new service for each run and each question."""
    data = catalogue.kept("large", setting.say)
    names = synthetic.by_popularity(LARGE)
    found = Found()
    for run in range(setting.runs):
        folder = setting.folder / str(run)
        folder.mkdir()
        setting.say(f"Run {run + 1} of {setting.runs}: with room")
        with servers.reading(data, folder / "roomy", env=MEMORY) as service:
            time.sleep(SETTLING)
            found.alone.append(_held(service) / 1e6)
            grown, sizes = _fill(service, names)
            found.page.append(grown / len(sizes))
            found.allowed.append(TIMES * mean(sizes) + BESIDES)
            found.ready.append(_second(data, folder))
        setting.say(f"Run {run + 1} of {setting.runs}: two workers")
        idle, shared = _idle(data, folder)
        found.idle.append(idle / 1e6)
        found.shared.append(shared / 1e6)
        setting.say(f"Run {run + 1} of {setting.runs}: without room")
        env = {"CHEESESHOP_CACHE_MEMORY": str(BOUND)}
        with servers.reading(data, folder / "bounded", env=env) as service:
            found.bounded.append(_fill(service, names)[0] / 1e6)
    yield Row(measure="idle worker", unit="MB", ours=found.idle, bar=at_most(MOST_IDLE))
    yield Row(measure="of that, code that all workers share", unit="MB", ours=found.shared)
    yield Row(measure="idle service of one process", unit="MB", ours=found.alone)
    yield Row(
        measure="a cached page",
        unit="bytes",
        ours=found.page,
        bar=at_most(round(mean(found.allowed))),
        note=f"compressed size {(mean(found.allowed) - BESIDES) / TIMES:.0f} bytes on average",
    )
    yield Row(
        measure="growth when it may keep 8 MB",
        unit="MB",
        ours=found.bounded,
        bar=at_most(OVER * BOUND / 1e6),
        note="of the whole process, while 14 MB and more are asked for",
    )
    yield Row(measure="ready, on running databases", unit="s", ours=found.ready, bar=at_most(LONGEST_START))


def _idle(data: Path, folder: Path) -> tuple[float, float]:
    """Bytes that a worker of two holds before anybody asked, and how many of them are pages of files."""
    with servers.reading(data, folder / "two", workers=2, env=MEMORY) as service:
        time.sleep(SETTLING)
        pids = servers.workers(service, 2)
        held, of_files = ([machine.memory(pid, what) for pid in pids] for what in ("VmRSS", "RssFile"))
        return mean(held), mean(of_files)


def _held(service: Running) -> int:
    return machine.memory(service.pid, "VmRSS")


def _fill(service: Running, names: list[NormalizedName]) -> tuple[int, list[int]]:
    """Ask for pages; bytes the process grew by, and the size of each page as it was sent."""
    origin = servers.origin(service)
    with closing(Client(origin)) as client:
        for name in names[:WARM_UP] * TIMES_EACH:
            client.ask(PIP_NOW.request(f"/simple/{name}/", urlsplit(origin).netloc))
        before = _held(service)
        sizes = [
            len(client.ask(PIP_NOW.request(f"/simple/{name}/", urlsplit(origin).netloc)))
            for name in names[PAGES]
        ]
        return _held(service) - before, sizes


def _second(data: Path, folder: Path) -> float:
    with servers.reading(data, folder / "second") as service:
        return service.seconds_to_ready


FIGURE = Figure(
    name="memory",
    question="what does a worker hold, and how soon is it ready?",
    measure=measure,
)
