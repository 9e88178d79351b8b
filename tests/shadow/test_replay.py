"""Requests asked again, of servers that answer as a test has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from attrs import define, field
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from pypi.shadow import replay
from pypi.shadow.compare import change
from pypi.shadow.exchange import Caller, Server
from pypi.shadow.lines import Recorded
from pypi.shadow.replay import MOST_HOPS, MOST_UNANSWERED, Ending, Replay
from pypi.shadow.replies import LONGEST_HEAD, Reply
from tests.shadow.servers import Answer, answer, scripted, target

reactor: Any = _reactor


def get(number: int, path: str = "/", method: str = "GET", status: int = 200) -> Recorded:
    """A request that came in second ``number``."""
    return Recorded(number, float(number), method, path, status)


@define
class Found:
    """What a replay told."""

    endings: dict[int, Sequence[Ending]] = field(factory=dict)

    def told(self, recorded: Recorded, endings: Sequence[Ending]) -> None:
        """Remember it."""
        self.endings[recorded.number] = endings

    @property
    def statuses(self) -> dict[int, int]:
        """Of the first server."""
        return {number: endings[0].status for number, endings in self.endings.items()}


async def replayed(url: str, requests: Iterable[Recorded], **options: Any) -> tuple[Found, Replay]:
    """Ask a server."""
    found = Found()
    made = Replay([Server.at(url, reactor)], requests, reactor, found.told, **options)
    await made.run()
    return found, made


async def asked(respond: Answer, request: bytes = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", **more: Any) -> Reply:
    """What one request brings."""
    async with scripted(respond, **more) as server:
        caller = Caller(Server.at(server.url, reactor, hashing=True), reactor.seconds, 1000)
        done: Deferred[Reply] = Deferred()
        caller.ask(request, done.callback)
        reply = await done.addTimeout(5, reactor)
        caller.drop()
        return reply


async def test_connections_are_kept() -> None:
    """Every request is answered, over no more connections than allowed, each used again and again."""
    log = [get(n, f"/{n}") for n in range(1, 101)]
    async with scripted(lambda _: answer(200, b"hello")) as server:
        found, made = await replayed(server.url, log, connections=3)
        assert server.connections == 3
        assert sorted(map(target, server.requests)) == sorted(one.target for one in log)
    assert found.statuses == dict.fromkeys(range(1, 101), 200)
    assert made.exchanges == 100
    assert (made.first, made.last) == (1, 100)
    assert all(endings[0].last.size == 5 for endings in found.endings.values())


async def test_connections_that_end() -> None:
    """A server that closes behind each answer, saying so or not, is asked over further connections."""
    for headers in ({"Connection": "close"}, {}):
        async with scripted(lambda _, said=headers: answer(200, b"x", **said), close=True) as server:
            found, _ = await replayed(server.url, [get(n) for n in range(20)], connections=1)
            assert set(found.statuses.values()) == {200}
            assert len(server.requests) == server.connections == 20


async def test_nobody_answers() -> None:
    """Where nobody listens, the replay ends before long."""
    async with scripted(lambda _: None) as server:
        url = server.url
    found, made = await replayed(url, (get(n) for n in range(10_000)), connections=50)
    assert made.stopped == "Nobody answered any more."
    assert MOST_UNANSWERED <= len(found.endings) < MOST_UNANSWERED + 50
    assert found.endings[0][0].last.error == "no connection: ConnectionRefusedError"


@pytest.mark.parametrize(
    ("bytes_", "error"),
    [
        (b"", "no answer within 0.5 s"),
        (b"HTTP/1.1 200 OK\r\n", "no answer within 0.5 s"),
        (answer(200, b"hello")[:-1], "no answer within 0.5 s"),
        (b"SSH-2.0\r\n\r\n", "no HTTP: no status line"),
        (answer(200, b"hello") + b"!", "no HTTP: bytes behind an answer"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * (LONGEST_HEAD + 10), "no HTTP: a head without an end"),
        (b"HTTP/1.1 101 X\r\n\r\n", "no HTTP: another protocol"),
        (None, "the connection ended before the answer"),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_answers_that_are_none(
    bytes_: bytes | None, error: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no whole answer in time is told, and the next request is asked over another connection."""
    monkeypatch.setattr(replay, "LOOK", 0.05)
    async with scripted(lambda request: bytes_ if target(request) == "/bad" else answer(200)) as server:
        found, _ = await replayed(server.url, [get(1, "/bad"), get(2)], connections=1, timeout=0.5)
    assert found.endings[1][0].last.error == error
    assert found.statuses == {1: 0, 2: 200}


@pytest.mark.parametrize(
    ("bytes_", "size"),
    [
        (answer(200, b"hello"), 5),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 5),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nA: b\r\n\r\n" + answer(200, b"hello"), 5),
        (answer(304), 0),
    ],
)
async def test_answers_of_all_kinds(bytes_: bytes, size: int) -> None:
    """Bodies with a length, in chunks, behind other heads, or none at all."""
    reply = await asked(lambda _: bytes_)
    assert (reply.size, reply.error) == (size, "")
    assert len(reply.digest) == 16


async def test_answers_in_small_pieces() -> None:
    """An answer may come byte by byte."""
    whole = answer(200, b"hello", ETag='"x"')

    async with scripted(lambda _: b"") as server:
        caller = Caller(Server.at(server.url, reactor), reactor.seconds)
        done: Deferred[Reply] = Deferred()
        caller.ask(b"GET / HTTP/1.1\r\n\r\n", done.callback)
        while not server.requests:
            await deferLater(reactor, 0.01)
        connection = caller._connection
        assert connection is not None
        for byte in whole:
            connection.dataReceived(bytes([byte]))
        reply = await done
        caller.drop()
    assert (reply.status, reply.size, reply.header("ETag")) == (200, 5, '"x"')


async def test_a_body_to_the_end_of_the_connection() -> None:
    """A body without a length ends with its connection."""
    reply = await asked(lambda _: b"HTTP/1.0 200 OK\r\n\r\nhello", close=True)
    assert (reply.status, reply.size, reply.error) == (200, 5, "")


async def test_the_answer_to_head() -> None:
    """HEAD is answered without a body, whatever length is told."""
    reply = await asked(
        lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n", b"HEAD / HTTP/1.1\r\n\r\n"
    )
    assert (reply.status, reply.size) == (200, 0)


async def test_bodies_that_are_too_long() -> None:
    """Of a body no more is read than is wanted, and the answer counts nevertheless."""
    reply = await asked(lambda _: answer(200, b"x" * 10_000_000))
    assert reply.status == 200
    assert 1000 < reply.size < 200_000


def redirecting(request: bytes) -> bytes:
    """``/n`` leads to ``/n-1``, down to ``/0``, which is there."""
    path = target(request)
    if path == "/away":
        return answer(301, Location="https://elsewhere.example/")
    if path == "/known":
        return answer(301, Location="https://index.example/0")
    number = int(path[1:])
    return answer(302, b"moved", Location=f"/{number - 1}#x") if number else answer(200, b"there")


async def test_redirects_are_followed() -> None:
    """Told so, redirects are followed as far as they stay at the server, and counted."""
    log = [get(n, f"/{n}") for n in range(3)] + [get(9, "/9"), get(10, "/away"), get(11, "/known")]
    async with scripted(redirecting) as server:
        url = server.url
        found = Found()
        one = Server.at(url, reactor, aliases=("https://index.example",))
        made = Replay([one], log, reactor, found.told, follow=True)
        await made.run()
        followed = [target(request) for request in server.requests]
        plain, _ = await replayed(url, log)
    ended = {
        number: (endings[0].status, endings[0].hops, endings[0].leaves)
        for number, endings in found.endings.items()
    }
    assert ended == {
        0: (200, 0, False),
        1: (200, 1, False),
        2: (200, 2, False),
        9: (302, MOST_HOPS, False),
        10: (301, 0, True),
        11: (200, 1, False),
    }
    assert made.exchanges == len(followed) == 1 + 2 + 3 + 1 + MOST_HOPS + 1 + 2
    assert plain.statuses == {0: 200, 1: 302, 2: 302, 9: 302, 10: 301, 11: 301}
    assert change(log[2], found.endings[2][0]) == "hops"


async def test_a_pace() -> None:
    """At a pace, requests go out when they are due, however fast they are answered."""
    log = [get(0), get(10), get(30)]
    came: list[float] = []

    def respond(_: bytes) -> bytes:
        came.append(reactor.seconds())
        return answer(200)

    async with scripted(respond) as server:
        began = reactor.seconds()
        _, made = await replayed(server.url, log, speed=100.0)
    # The first of them may be late, too.
    assert came[1] - began > 0.09
    assert came[2] - began > 0.29
    assert made.seconds > 0.29


async def test_requests_out_of_order() -> None:
    """A request that came before the one above it in the log is asked after it, and is not late for that."""
    async with scripted(lambda _: answer(200)) as server:
        found, made = await replayed(server.url, [get(100), get(1), get(105)], speed=50.0)
    assert list(found.endings) == [100, 1, 105]
    assert made.late < 30
    assert (made.first, made.last) == (100, 105)


async def test_a_pace_that_cannot_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all connections are busy, requests come late, and how late is told."""
    monkeypatch.setattr(replay, "LOOK", 0.05)
    async with scripted(lambda _: b"") as server:
        found = Found()
        made = Replay(
            [Server.at(server.url, reactor)],
            [get(n) for n in range(3)],
            reactor,
            found.told,
            connections=1,
            speed=100.0,
            timeout=0.05,
        )
        await made.run()
    assert len(found.endings) == 3
    assert made.late > 0.05


async def test_nothing_to_ask() -> None:
    """Of an empty log nothing is asked."""
    found, made = await replayed("http://127.0.0.1:1", [])
    assert found.endings == {}
    assert made.exchanges == 0
