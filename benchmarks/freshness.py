"""From an acknowledged upload to the new page on every worker.

Several workers (two, or as many as there are processors, four at most), each of which has the pages in its
memory. An upload is sent over one connection; when its answer is there, two connections to each worker ask
for the page again and again until the new file is on it. The time of every worker in every upload counts; of
all, the 99th percentile. The worker that acknowledged is asked at once over the same connection: it may never
show the old page. Which connection leads to which worker is read from ``/proc``.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from itertools import chain
from statistics import median
from urllib.parse import urlsplit

from benchmarks import distributions, reaching, servers, uploading
from benchmarks.cache import alone
from benchmarks.client import Client
from benchmarks.clients import BARE
from benchmarks.figure import BenchmarkFailed, Figure, Row, Setting, at_most
from benchmarks.servers import Subject

WORKERS = max(2, min(4, os.cpu_count() or 1))
PROJECTS, UPLOADS = 20, 100
AT_EACH = 2
PATIENCE = 10.0
MOST = 50.0


def measure(setting: Setting) -> Iterator[Row]:
    """A new index for each run."""
    p99: list[float] = []
    middle: list[float] = []
    stale: list[float] = []
    for run in range(setting.runs):
        folder = setting.folder / str(run)
        with servers.serving(folder, workers=WORKERS) as subject, alone():
            setting.say(f"Run {run + 1} of {setting.runs}: {UPLOADS} uploads, {WORKERS} workers")
            times, old = _uploads(setting, subject, run)
            times.sort()
            p99.append(1e3 * times[int(0.99 * (len(times) - 1))])
            middle.append(1e3 * median(times))
            stale.append(old)
    yield Row(measure="until every worker shows it: p99", unit="ms", ours=p99, bar=at_most(MOST))
    yield Row(measure="until every worker shows it: median", unit="ms", ours=middle)
    yield Row(measure="old pages from the worker that acknowledged", unit="", ours=stale, bar=at_most(0))


def _uploads(setting: Setting, subject: Subject, run: int) -> tuple[list[float], int]:
    """Seconds for every worker and upload, and how often the acknowledging worker was behind."""
    wheels = setting.folder / f"wheels-{run}"
    wheels.mkdir()
    times: list[float] = []
    stale = 0
    with ExitStack() as stack:
        uploader = stack.enter_context(closing(Client(subject.origin)))
        readers = reaching.each(subject.origin, servers.workers(subject.running, WORKERS), AT_EACH)
        for client in chain.from_iterable(readers.values()):
            stack.callback(client.close)
        for number in range(UPLOADS):
            project, version = f"fresh{number % PROJECTS}", f"1.{number // PROJECTS}"
            wheel = distributions.tiny(wheels, project, version)
            uploader.ask(uploading.request(subject, project, version, wheel))
            acknowledged = time.perf_counter()
            page = BARE.request(f"/simple/{project}/", urlsplit(subject.origin).netloc)
            stale += wheel.name.encode() not in uploader.ask(page)
            times += _until_shown(readers, page, wheel.name.encode(), acknowledged)
    return times, stale


def _until_shown(
    readers: Mapping[int, Sequence[Client]], page: bytes, sought: bytes, since: float
) -> Iterator[float]:
    """Seconds for each worker; a page that is not there at all is an old one, too."""
    waiting = dict(readers)
    while waiting:
        for worker, clients in list(waiting.items()):
            if all(sought in _shown(client, page) for client in clients):
                yield time.perf_counter() - since
                del waiting[worker]
        if time.perf_counter() - since > PATIENCE:
            raise BenchmarkFailed(f"a worker showed an old page for more than {PATIENCE:g} s")


def _shown(client: Client, page: bytes) -> bytes:
    try:
        return client.ask(page)
    except BenchmarkFailed:
        client.close()
        return b""


FIGURE = Figure(
    name="freshness",
    question="how soon after an upload does every worker show it?",
    measure=measure,
    runs=5,
)
