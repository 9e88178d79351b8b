"""Metrics: every figure in a format that Prometheus reads, of all workers whichever is asked."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from prometheus_client.core import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read
from prometheus_client.samples import Sample
from twisted.internet import reactor as _reactor
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock

from caching.figures import Figure, Histogram, counter, gauge
from caching.memory import Memory
from caching.redis import Redis
from caching.stats import Routes, RouteStats
from pypi import front
from pypi.db.database import Database
from pypi.http.access_log import AccessLog
from pypi.http.hosts import Hosts
from pypi.http.observed import Observer
from pypi.http.site import Site
from pypi.metrics import Heartbeat, Metrics, merged
from pypi.metrics.readings import Reading, of_memory, of_outbox, of_sites, of_uploads
from pypi.web import metrics_siblings
from pypi.web.metrics import Scrapes
from pypi.web.metrics_siblings import Siblings, beside
from tests.http.memory import reply, serve
from tests.http.probes import H
from tests.support import client
from tests.support.client import Reply

reactor: Any = _reactor

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def families(text: bytes) -> dict[str, Metric]:
    """Every family of a text by its name, each of which is there but once."""
    found = list(read(text.decode()))
    assert len({one.name for one in found}) == len(found)
    assert len(set(samples(found))) == len(samples(found))
    return {one.name: one for one in found}


def samples(found: list[Metric]) -> list[tuple[str, frozenset[tuple[str, str]]]]:
    return [(one.name, frozenset(one.labels.items())) for family in found for one in family.samples]


def value(text: bytes, name: str, **labels: str) -> float:
    """The one sample of that name with these labels."""
    all_samples: list[Sample] = [one for family in read(text.decode()) for one in family.samples]
    (found,) = (one for one in all_samples if one.name == name and labels.items() <= one.labels.items())
    return found.value


def shown(*parts: Any, worker: str = "0", accept: str | None = None) -> bytes:
    """The text of these parts."""
    metrics = Metrics(version="1.2", worker=worker)
    metrics.add(*parts)
    return metrics.written(metrics.figures(), accept)[0]


# Figures


def test_counting_a_route() -> None:
    """Requests are shown by route, method and status, those of the fast lane among them."""
    stats, routes = RouteStats("/simple/<name>/"), Routes()
    routes.add(stats)
    routes.add(stats)
    for method, code in [("GET", 200), ("HEAD", 200), ("BREW", 405), ("GET", 304), ("GET", 200)]:
        stats.count(method, code, 0.004)
    stats.lane, stats.lane_not_modified, stats.lane_heads, stats.lane_others[404] = 100, 30, 5, 1
    assert stats.answered() == {
        ("GET", 200): 2 + 64,
        ("HEAD", 200): 1 + 5,
        ("other", 405): 1,
        ("GET", 304): 1 + 30,
        ("GET", 404): 1,
    }
    text = shown(routes)
    route = {"route": "/simple/<name>/"}
    assert value(text, "cheeseshop_requests_total", **route, method="GET", status="304") == 31
    assert value(text, "cheeseshop_lane_requests_total", **route) == 100
    assert value(text, "cheeseshop_request_seconds_bucket", **route, le="0.005") == 5
    assert value(text, "cheeseshop_request_seconds_bucket", **route, le="0.0025") == 0
    assert value(text, "cheeseshop_request_seconds_count", **route) == 5
    assert value(text, "cheeseshop_request_seconds_sum", **route) == pytest.approx(0.02)


def test_what_each_rung_did() -> None:
    """Hits, misses and bytes are shown by rung; a route that is there twice is shown once."""
    routes = Routes()
    for _ in range(2):
        stats = RouteStats("/simple/")
        stats.hits, stats.lane, stats.misses, stats.coalesced, stats.stale = 1, 10, 7, 3, 2
        stats.shared_hits, stats.shared_misses, stats.made, stats.failed = 1, 3, 2, 1
        stats.bytes, stats.shared_bytes, stats.made_bytes = 1000, 100, 50
        routes.add(stats)
    text = shown(routes)
    rungs = [
        ("l1", "hit", 22),
        ("l1", "miss", 8),
        ("l1", "coalesced", 6),
        ("l1", "stale", 4),
        ("l2", "hit", 2),
        ("l2", "miss", 6),
        ("source", "made", 4),
        ("source", "failed", 2),
    ]
    for rung, result, count in rungs:
        labels = {"route": "/simple/", "rung": rung, "result": result}
        assert value(text, "cheeseshop_cache_lookups_total", **labels) == count
    for rung, count in [("l1", 2000), ("l2", 200), ("source", 100)]:
        assert value(text, "cheeseshop_cache_bytes_total", rung=rung) == count


def test_requests_are_observed() -> None:
    """What is over is counted under its route; what no route answered, under none."""
    stats = RouteStats("/a/<b>")

    async def handler(request: Any) -> None:
        if request.path != b"/":
            request.route = stats
        reply(request)

    service = serve(handler)
    observer = Observer(service.clock)
    service.site._access_log = observer
    wire = service.connect()
    for path in (b"/", b"/a/x", b"/a/y"):
        wire.send(b"GET " + path + b" HTTP/1.1\r\n" + H + b"\r\n")
    observer.refuse("192.0.2.1", 431)
    text = shown(observer)
    assert value(text, "cheeseshop_requests_total", route="none", status="200") == 1
    assert value(text, "cheeseshop_requests_total", route="/a/<b>", status="200") == 2
    assert value(text, "cheeseshop_refused_heads_total", status="431") == 1
    assert "/a/x" not in text.decode()


def test_uploads() -> None:
    """Uploads are told apart by what became of them."""
    routes, stats = Routes(), RouteStats("/legacy/")
    routes.add(stats)
    for code in (200, 200, 400, 403, 503, 499):
        stats.count("POST", code, 0.1)
    stats.count("GET", 405, 0.1)
    text = shown(Reading(lambda: of_uploads(routes, ["/legacy/"])))
    assert value(text, "cheeseshop_uploads_total", result="accepted") == 2
    assert value(text, "cheeseshop_uploads_total", result="refused") == 3
    assert value(text, "cheeseshop_uploads_total", result="failed") == 1


def test_readings() -> None:
    """Parts that only hold numbers are read."""

    class Errands:
        waiting, age, done, failed = 3, 12.5, 100, 2

    site = serve(reply).site  # type: ignore[arg-type]
    text = shown(
        Reading(lambda: of_memory(Memory(1 << 20))),
        Reading(lambda: of_sites([("public", site)])),
        Reading(lambda: of_outbox(Errands)),
        Redis("unix:///nowhere", Clock()),
        Database("postgresql://nobody.example/", Clock(), size=7),
    )
    assert value(text, "cheeseshop_memory_limit_bytes") == 1 << 20
    assert value(text, "cheeseshop_memory_evictions_total") == 0
    assert value(text, "cheeseshop_connections_open", listener="public") == 0
    assert value(text, "cheeseshop_outbox_oldest_seconds") == 12.5
    assert value(text, "cheeseshop_redis_connections") == 0
    assert value(text, "cheeseshop_redis_breaker_open") == 0
    assert value(text, "cheeseshop_database_connections_limit") == 7


async def test_heartbeat() -> None:
    """A reactor that is kept busy is late, and that is counted."""
    clock = Clock()
    heartbeat = Heartbeat(clock)
    await heartbeat.start()
    clock.advance(0.1)
    clock.advance(0.12)
    clock.advance(0.4)
    text = shown(heartbeat)
    assert value(text, "cheeseshop_reactor_lag_seconds_bucket", le="0.001") == 1
    assert value(text, "cheeseshop_reactor_lag_seconds_bucket", le="0.025") == 2
    assert value(text, "cheeseshop_reactor_lag_seconds_count") == 3
    await heartbeat.stop()
    assert not clock.getDelayedCalls()


def test_histograms_are_exact_at_their_bounds() -> None:
    """A value equal to a bound is counted up to it (OpenMetrics: buckets are ``le``)."""
    histogram = Histogram((1.0, 2.0))
    for one in (0.5, 1.0, 1.5, 2.0, 3.0):
        histogram.add(one)
    assert (histogram.counts, histogram.sum) == ([2, 2, 1], 8.0)


def test_a_part_that_fails() -> None:
    """A part whose figures cannot be read costs its own figures only, and is counted."""

    class Broken:
        def figures(self) -> Iterator[Figure]:
            yield gauge("whole", "There.", 1)
            raise ValueError("broken")

    text = shown(Broken(), Reading(lambda: [gauge("other", "There, too.", 2)]))
    assert value(text, "cheeseshop_other") == 2
    assert value(text, "cheeseshop_silent_parts") == 1


# Formats


def test_what_every_process_shows() -> None:
    """The process, the interpreter and the version are shown without anybody's doing, by worker."""
    text = shown(worker="7")
    assert value(text, "cheeseshop_build_info", version="1.2", worker="7") == 1
    assert value(text, "process_resident_memory_bytes", worker="7") > 1 << 20
    assert value(text, "process_open_fds", worker="7") > 0
    assert {"python_info", "process_cpu_seconds", "python_gc_collections"} <= families(text).keys()


def test_names() -> None:
    """Names are of snake_case, units last; every family has its sentence."""
    for family in families(shown(Observer(Clock()), Heartbeat(Clock()))).values():
        assert family.name == family.name.lower()
        assert family.documentation.strip()
        assert all(one.labels["worker"] == "0" for one in family.samples)


def test_openmetrics() -> None:
    """Who asks for OpenMetrics gets it, with the end it asks for."""
    metrics = Metrics(version="1.2", parts=[Reading(lambda: [counter("a", "A sentence.", 3)])])
    text, content_type = metrics.written(metrics.figures(), OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    found = {one.name: one for one in read_openmetrics(text.decode())}
    assert found["cheeseshop_a"].samples[0].value == 3


@pytest.mark.parametrize("accept", [None, OPENMETRICS])
def test_merging(accept: str | None) -> None:
    """The texts of several workers become one, each family once, no sample lost."""
    nasty = 'a "quoted"\nline \\ # HELP x y'
    texts = [
        shown(
            Heartbeat(Clock()),
            Reading(lambda: [counter("jobs", nasty, 3, name=nasty)]),
            Reading(lambda n=n: [gauge(f"only_{n}", "Of one worker.", 1)]),  # type: ignore[misc]
            worker=str(n),
            accept=accept,
        )
        for n in range(3)
    ]
    whole = merged(texts)
    parse = read_openmetrics if accept else read
    found = list(parse(whole.decode()))
    assert len({one.name for one in found}) == len(found)
    assert sorted(samples(found), key=str) == sorted(
        (one for text in texts for one in samples(list(parse(text.decode())))), key=str
    )
    assert whole.count(b"# EOF") == (1 if accept else 0)


def test_merging_one() -> None:
    """One text stays what it is."""
    text = shown(Heartbeat(Clock()))
    assert merged([text]) == text


# The room


class Listening:
    """Workers' operator sites on sockets in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports: list[Any] = []

    def path(self, slot: int) -> Path:
        return self.folder / f"worker-{slot}.sock"

    def worker(self, slot: int, siblings: Siblings | None = None) -> Site:
        metrics = Metrics(version="1.2", worker=str(slot), parts=[Heartbeat(reactor)])
        resource = front.operators(Scrapes(metrics=metrics, siblings=siblings))
        site = Site(resource, reactor=reactor, hosts=Hosts.of([], loopback=True))
        self.ports.append(reactor.listenUNIX(str(self.path(slot)), site))
        return site

    def mute(self, slot: int, answer: bytes = b"") -> None:
        """A worker that takes connections, says something, and nothing more."""

        class Mute(Protocol):
            def connectionMade(self) -> None:
                assert self.transport is not None
                self.transport.write(answer)

        self.ports.append(reactor.listenUNIX(str(self.path(slot)), Factory.forProtocol(Mute)))

    async def asked(self, path: str = "/metrics", accept: str = "*/*", alone: bool = False) -> Reply:
        """What worker 0 answers over TCP."""
        siblings = None if alone else Siblings(sockets=beside(self.path(0)), reactor=reactor)
        port = reactor.listenTCP(0, self.worker(0, siblings), interface="127.0.0.1")
        self.ports.append(port)
        return await client.ask(port.getHost().port, "GET", path, {"Accept": accept})


@pytest_twisted.async_yield_fixture
async def listening(tmp_path: Path) -> AsyncIterator[Listening]:
    """Workers to be started."""
    made = Listening(tmp_path)
    yield made
    for port in made.ports:
        await port.stopListening()


def workers(text: bytes) -> set[str]:
    """The workers that are in a text."""
    return {one.labels["worker"] for one in families(text)["cheeseshop_build_info"].samples}


async def test_one_worker(listening: Listening) -> None:
    """A worker alone answers for itself."""
    answer = await listening.asked(alone=True)
    assert answer.status == 200
    assert answer["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer["Cache-Control"] == "private, no-store"
    assert workers(answer.body) == {"0"}


@pytest.mark.parametrize("accept", ["text/plain", OPENMETRICS])
async def test_all_workers(listening: Listening, accept: str) -> None:
    """Whichever worker is asked answers for all, in the format that was asked for."""
    for slot in (1, 2):
        listening.worker(slot)
    answer = await listening.asked(accept=accept)
    if accept == OPENMETRICS:
        assert answer["Content-Type"].startswith("application/openmetrics-text")
        names = [one.name for one in read_openmetrics(answer.text)]
        assert len(names) == len(set(names))
    else:
        assert workers(answer.body) == {"0", "1", "2"}
        assert value(answer.body, "cheeseshop_workers_absent", worker="0") == 0


async def test_only_itself(listening: Listening) -> None:
    """``?worker=self`` asks nobody else; so do workers who ask each other."""
    listening.worker(1)
    assert workers((await listening.asked("/metrics?worker=self")).body) == {"0"}


async def test_workers_that_are_gone(
    listening: Listening, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Workers that do not answer, or not well, are left out and counted; the others are shown."""
    monkeypatch.setattr(metrics_siblings, "PATIENCE", 3.0)
    monkeypatch.setattr(metrics_siblings, "LARGEST", 1 << 20)
    listening.worker(1)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(listening.path(2)))
    listening.mute(3)
    listening.mute(4, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * (2 << 20))
    listening.mute(5, b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")
    listening.mute(6, b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
    answer = await listening.asked()
    assert workers(answer.body) == {"0", "1"}
    assert value(answer.body, "cheeseshop_workers_absent") == 5


def test_log_lines_are_counted() -> None:
    """Lines of the access log, and those that were lost, are shown."""
    from pypi.http.log_lines import Combined
    from pypi.http.log_writer import LogWriter

    writer = LogWriter(None, Clock(), most_waiting=3)  # type: ignore[arg-type]
    log = AccessLog(Combined(), writer, Clock(), lambda: 0.0)
    for _ in range(2):
        log.append(b"a\n")
        log.flush()
    text = shown(Observer(Clock(), log))
    assert value(text, "cheeseshop_access_log_lines_total") == 2
    assert value(text, "cheeseshop_access_log_dropped_lines_total") == 1
