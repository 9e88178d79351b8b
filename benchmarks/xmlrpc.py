"""Calls of XML-RPC with a hundred results, by one worker on one processor, wrk on the other.

*Remembered*: one search over and over, its bytes known, its answer in memory. *From Redis*: a hundred
searches in turn by a worker that keeps nothing in memory, so that each answer comes out of Redis. *Found
anew*: searches that nobody made before, one after the other: what the thread of the reactor spends on one,
from its socket back to it, with two looks into Redis and one into PostgreSQL, which does the finding.
*Written*: a hundred results as XML, beside ``xmlrpc.client``.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from itertools import count, islice
from pathlib import Path
from urllib.parse import urlsplit
from xmlrpc.client import dumps, loads

from benchmarks import catalogue, machine, servers, wrk
from benchmarks.cache import alone
from benchmarks.client import Client
from benchmarks.clients import MIX
from benchmarks.contest import CLIENT, SERVER, Contender, Heat, Turn, heat
from benchmarks.figure import BenchmarkFailed, Figure, Row, Setting, at_least, times_better
from benchmarks.processes import Running
from benchmarks.wrk import Load
from legacy_compat.xmlrpc import marshal

OURS = "ours"
AGENT = next(dict(one.headers)["User-Agent"] for one in MIX if one.name == "pip 20")
CONNECTIONS = 16
HITS = 100
QUESTIONS = 100
WARM_UP = 50
ANEW = 300
WRITTEN = 500

EXHIBITS = "exhibit-100-"
"""In the names of hundreds of projects."""

NO_LIMIT = {"CHEESESHOP_LIMITS_FACTOR": "0"}
NO_MEMORY = {"CHEESESHOP_CACHE_MEMORY": "0"}

REMEMBERED, FROM_REDIS = 4000, 2000
"""Calls a second."""

TIMES_FASTER = 2.0
"""Than ``xmlrpc.client``."""


def measure(setting: Setting) -> Iterator[Row]:
    """The same index with and without memory."""
    data = catalogue.kept("small", setting.say)
    with _service(setting, data, "memory", {}) as service:
        turn = _turns(setting, service, "remembered", [search(0)])
        yield turn.row("remembered: rate", "/s", Turn.rate, OURS, bar=at_least(REMEMBERED), rate=True)
        yield turn.row("remembered: CPU", "µs", Turn.cost, OURS)
        yield _anew(setting, service)
    with _service(setting, data, "redis", NO_MEMORY) as service:
        turn = _turns(setting, service, "from Redis", [search(number) for number in range(QUESTIONS)])
        yield turn.row("from Redis: rate", "/s", Turn.rate, OURS, bar=at_least(FROM_REDIS), rate=True)
        yield turn.row("from Redis: CPU", "µs", Turn.cost, OURS)
    yield _written(setting)


def search(number: int) -> bytes:
    """A search as pip makes it, for projects of which there are hundreds, and one that there is not."""
    words = [EXHIBITS, f"no-such-project-{number}"]
    return dumps(({"name": words, "summary": words}, "or"), "search").encode()


def _request(origin: str, body: bytes) -> bytes:
    """A call as pip 20 sends it."""
    lines = [
        "POST /RPC2 HTTP/1.1",
        f"Host: {urlsplit(origin).netloc}",
        f"User-Agent: {AGENT}",
        "Accept-Encoding: gzip, deflate",
        "Accept: */*",
        "Connection: keep-alive",
        "Content-Type: text/xml",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def _service(setting: Setting, data: Path, name: str, env: Mapping[str, str]) -> Iterator[Running]:
    folder = setting.folder / name
    with servers.reading(data, folder, cores=SERVER, env={**NO_LIMIT, **env}) as service:
        _check(servers.origin(service))
        yield service


def _check(origin: str) -> None:
    with closing(Client(origin)) as client:
        (found,), _ = loads(gzip.decompress(client.ask(_request(origin, search(0)))))
    if len(found) != HITS:
        raise BenchmarkFailed(f"a search has {len(found)} hits, not {HITS}")


def _turns(setting: Setting, service: Running, what: str, bodies: Sequence[bytes]) -> Heat:
    origin = servers.origin(service)
    requests = [_request(origin, body) for body in bodies]
    file = wrk.write(setting.folder / f"{what}.wrk", requests)
    load = Load(file=file, connections=CONNECTIONS, cores=CLIENT)
    return heat(setting, what, [(Contender(OURS, origin, lambda: [service.pid]), load)])


def _anew(setting: Setting, service: Running) -> Row:
    origin, costs, numbers = servers.origin(service), [], count(QUESTIONS)
    with closing(Client(origin)) as client, alone():
        for number in islice(numbers, WARM_UP):
            client.ask(_request(origin, search(number)))
        for run in range(setting.runs):
            setting.say(f"found anew: run {run + 1} of {setting.runs}")
            requests = [_request(origin, search(number)) for number in islice(numbers, ANEW)]
            before = machine.thread_seconds(service.pid)
            for request in requests:
                client.ask(request)
            costs.append(1e3 * (machine.thread_seconds(service.pid) - before) / ANEW)
    return Row(measure="found anew: reactor", unit="ms", ours=costs)


def _written(setting: Setting) -> Row:
    hits = [
        {
            "_pypi_ordering": HITS - number,
            "version": f"1.{number}",
            "name": f"{EXHIBITS}{number:04}",
            "summary": f"Exhibit number {number} of <many> & more",
        }
        for number in range(HITS)
    ]
    ours = [_seconds(lambda: marshal.response(marshal.xml(hits))) for _ in range(setting.runs)]
    peer = [
        _seconds(lambda: dumps((hits,), methodresponse=True, allow_none=True).encode())
        for _ in range(setting.runs)
    ]
    return Row(measure="written", unit="µs", ours=ours, peer=peer, bar=times_better(TIMES_FASTER))


def _seconds(work: Callable[[], object]) -> float:
    """Microseconds of processor time."""
    began = time.process_time()
    for _ in range(WRITTEN):
        work()
    return 1e6 * (time.process_time() - began) / WRITTEN


FIGURE = Figure(
    name="xmlrpc",
    question="how fast is `pip search`, remembered and not?",
    peer="xmlrpc.client",
    measure=measure,
    runs=5,
)
