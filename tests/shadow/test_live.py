"""Live traffic shown to a second server."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from pytest_twisted import async_yield_fixture
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.threads import deferToThread

from pypi.config import load
from pypi.http.log_lines import Combined, Json
from pypi.shadow import live
from pypi.shadow.asks import ask
from pypi.shadow.exchange import Caller, Server
from pypi.shadow.live import CONNECTIONS, MARK, MOST_WAITING, Shadow
from pypi.shadow.replies import Reply
from pypi.watch import watch
from tests.http.memory import errors_logged
from tests.shadow.servers import Scripted, answer, scripted, target
from tests.support.archives import wheel, wheel_filename
from tests.support.index import eventually, running
from tests.support.service import Service

reactor: Any = _reactor
OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"


def line(path: str = "/simple/", status: int = 200, method: str = "GET", agent: str = "pip/9.0.3") -> bytes:
    """A line of the access log."""
    lines = Combined()
    request = lines.request(method.encode(), path.encode(), b"HTTP/1.1")
    start = lines.prefix("192.0.2.7") + lines.stamp(0) + request
    return start + lines.answer(status, 10) + lines.suffix(b"https://from.example/", agent.encode())


@async_yield_fixture
async def second() -> AsyncIterator[Scripted]:
    """The second server: it has all but ``/simple/gone/``."""
    async with scripted(lambda request: answer(404 if b"gone" in request else 200)) as server:
        yield server


@async_yield_fixture
async def shadow(second: Scripted) -> AsyncIterator[Shadow]:
    """Everything is shown to it."""
    made = Shadow(Server.at(second.url, reactor), 100.0, reactor)
    await made.start()
    yield made
    await made.stop()


async def settled(shadow: Shadow, count: int) -> None:
    """Wait until so many requests have been shown."""
    await eventually(lambda: sum(shadow.results.values()) >= count)


async def test_shows_what_was_answered(shadow: Shadow, second: Scripted) -> None:
    """Safe requests are asked again, and their statuses compared; whole, partly or unchanged is the same."""
    shadow.see([line("/simple/a/"), line("/simple/b/", 304), line("/f", 206, "HEAD"), line("/simple/gone/")])
    await settled(shadow, 4)
    assert sorted(map(target, second.requests)) == ["/f", "/simple/a/", "/simple/b/", "/simple/gone/"]
    assert shadow.results == {"same": 3, "different": 1}
    ((key, found),) = shadow.offenders.top()
    assert (key, found.requests) == (("status", "/simple/*/", "200", "404"), 1)


async def test_says_what_it_is_and_nothing_of_anybody(shadow: Shadow, second: Scripted) -> None:
    """Such a request bears a mark, its client's name, and nothing by which somebody could be told."""
    shadow.see([line()])
    await settled(shadow, 1)
    head = second.requests[0].decode()
    assert head.startswith("GET /simple/ HTTP/1.1\r\n")
    assert f"\r\n{MARK}: 1\r\n" in head
    assert f"\r\nUser-Agent: pip/9.0.3 {MARK}\r\n" in head
    assert not re.search(r"Authorization|Cookie|192\.0\.2\.7|Forwarded|Referer|from\.example", head, re.I)


@pytest.mark.parametrize(
    "passed_over",
    [
        line(method="POST"),
        line(method="DELETE"),
        line(status=499),
        line(agent=f"pip/9.0.3 {MARK}"),
        line("/pypi?:action=user&otk=5f4dcc3b"),
        line("/x?a=b&Token=5f4dcc3b"),
        line("*"),
        b"no line at all\n",
        Combined().prefix("192.0.2.7") + Combined().stamp(0) + b'-" 400 0 "-" "-"\n',
    ],
    ids=lambda given: repr(given[30:80]),
)
async def test_what_is_not_shown(shadow: Shadow, second: Scripted, passed_over: bytes) -> None:
    """What is not safe, has no answer, may hold a secret, or was asked by a shadow, is not shown."""
    shadow.see([passed_over, line("/simple/last/")])
    await settled(shadow, 1)
    assert [target(request) for request in second.requests] == ["/simple/last/"]


async def test_the_other_format(shadow: Shadow, second: Scripted) -> None:
    """Lines of JSON are understood as well."""
    lines = Json("1")
    shadow.see(
        [
            lines.prefix("192.0.2.7")
            + lines.stamp(0)
            + lines.request(b"GET", b"/simple/a/", b"HTTP/1.1")
            + lines.answer(200, 1)
            + lines.suffix(None, b"uv/0.9")
        ]
    )
    await settled(shadow, 1)
    assert [target(request) for request in second.requests] == ["/simple/a/"]


async def test_a_share(second: Scripted) -> None:
    """Of many requests about the share is shown, drawn at random, over all batches."""
    draws = iter([n * 0.61803398875 % 1 for n in range(1, 100_000)])
    shadow = Shadow(Server.at(second.url, reactor), 5.0, reactor, lambda: next(draws))
    await shadow.start()
    try:
        for batch in range(2000):
            shadow.see([line(f"/simple/{batch}/")] * (batch % 3))
            if batch % 100 == 0:
                await eventually(lambda: not shadow._waiting)
        await eventually(lambda: len(shadow._idle) == CONNECTIONS)
        assert 70 < len(second.requests) < 130
        assert sum(shadow.results.values()) == len(second.requests)
    finally:
        await shadow.stop()


async def test_what_waits_is_bounded(second: Scripted) -> None:
    """A second server that does not keep up gets what it can take; the rest is dropped, and counted."""
    second.answer = lambda request: b""
    shadow = Shadow(Server.at(second.url, reactor), 100.0, reactor)
    await shadow.start()
    try:
        for _ in range(10):
            shadow.see([line()] * MOST_WAITING)
        await eventually(lambda: len(second.requests) == CONNECTIONS)
        assert second.connections == CONNECTIONS
        assert shadow.dropped == 9 * MOST_WAITING - CONNECTIONS
        assert len(shadow._waiting) == MOST_WAITING
    finally:
        await shadow.stop()
    assert len(shadow._waiting) == 0


async def test_a_second_server_that_is_not_there(second: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody answers, or not in time, is counted as failed, and nothing else happens."""
    monkeypatch.setattr(live, "TIMEOUT", 0.05)
    second.answer = lambda request: b""
    slow = Shadow(Server.at(second.url, reactor), 100.0, reactor)
    absent = Shadow(Server.at("http://127.0.0.1:1", reactor), 100.0, reactor)
    with errors_logged() as errors:
        for shadow in (slow, absent):
            await shadow.start()
            shadow.see([line()] * 3)
            await settled(shadow, 3)
            await shadow.stop()
            assert shadow.results == {"failed": 3}
    assert errors == []


def test_off_unless_asked_for(tmp_path: Path) -> None:
    """Without both a share and a server nothing is shown; with both, also where no log is kept."""

    def made(**settings: object) -> Any:
        overrides: dict[str, object] = {"service.data": str(tmp_path)}
        overrides |= {key.replace("__", "."): value for key, value in settings.items()}
        config = load(environment={}, overrides=overrides)
        return watch(config, reactor, wall=lambda: 0.0, worker="0", run=None)

    assert made().shadow is None
    assert made(shadow__percent=5).shadow is None
    assert made(shadow__origin="http://second.example").shadow is None
    both = {"shadow__percent": 5, "shadow__origin": "http://second.example"}
    assert made(**both).shadow.percent == 5
    assert made(log__access="off", **both).log is not None
    assert made(log__access="off").log is None


@pytest.fixture
def first(tmp_path: Path) -> Iterator[Service]:
    """A service of its own; to be started with a second server."""
    made = Service(tmp_path / "first")
    yield made
    made.end()


async def test_between_two_indexes(first: Service, database_url: str, tmp_path: Path) -> None:
    """A real index, fast lane and all, shows its traffic to another, and says where they differ."""
    async with running(database_url, tmp_path / "second") as other:
        await other.upload(wheel("demo"), wheel_filename("demo"))
        settings = {"SHADOW_PERCENT": "100", "SHADOW_ORIGIN": f"http://127.0.0.1:{other.port}"}
        first.settings = settings
        await deferToThread(first.start)
        port = int(first.url.rstrip("/").rpartition(":")[2])
        client = Caller(Server.at(f"http://127.0.0.1:{port}", reactor), reactor.seconds)
        for path in ["/simple/"] * 20 + ["/simple/demo/"] * 3:
            done: Deferred[Reply] = Deferred()
            client.ask(ask("GET", path, host=f"127.0.0.1:{port}", agent="pip/9.0.3"), done.callback)
            assert (await done).status == (200 if path == "/simple/" else 404)
        client.drop()

        def figures() -> dict[str, float]:
            with urlopen(f"{first.operator_url}metrics") as shown:
                text = shown.read().decode()
            found = re.findall(r"^cheeseshop_(\w+)_total\{([^}]*)\} ([0-9.e+]+)$", text, re.MULTILINE)
            return {f"{name} {labels}": float(value) for name, labels, value in found}

        async def shown() -> tuple[float, float]:
            counts = await deferToThread(figures)
            return (
                sum(count for name, count in counts.items() if 'result="same"' in name and "shadow" in name),
                sum(count for name, count in counts.items() if 'result="different"' in name),
            )

        give_up = reactor.seconds() + 60
        while (found := await shown()) != (20, 3):
            assert reactor.seconds() < give_up, found
        counts = await deferToThread(figures)
        assert sum(count for name, count in counts.items() if name.startswith("lane_requests")) > 10
        await deferToThread(first.stop)
        told = re.findall(
            r"Of 23 requests shown to \S+ 3 were answered differently: (.*)", first.log.read_text()
        )
        assert told == ["3 /simple/*/ 404 → 200"]


async def test_figures_are_documented(shadow: Shadow) -> None:
    """``docs/operations.md`` tells of every figure that is shown while traffic is."""
    documented = set(re.findall(r"`cheeseshop_(shadow_[a-z_]+)[`{]", OPERATIONS.read_text()))
    shown = {f"{one.name}_total" if one.kind == "counter" else one.name for one in shadow.figures()}
    assert documented == shown
