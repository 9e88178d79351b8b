"""Draining a site: answers under way are finished, connections end, uploads are told to come again."""

from __future__ import annotations

from contextlib import suppress

from twisted.internet.defer import Deferred

from pypi.http.bodies import BodyIncomplete
from pypi.http.request import Request
from tests.http.memory import Service, Wire, reply, serve

GET = b"GET / HTTP/1.1\r\nHost: index.example\r\n\r\n"
UPLOAD = b"POST / HTTP/1.1\r\nHost: index.example\r\nContent-Length: 100000\r\n\r\n"


async def answer_at_once(request: Request) -> None:
    """A handler that reads nothing."""
    reply(request)


async def answer_after_body(request: Request) -> None:
    """A handler that reads the whole body."""
    with suppress(BodyIncomplete):
        reply(request, b"%d" % len(await request.body.read(1 << 30)))


def later(made: Service, wire: Wire, seconds: float) -> None:
    """Let time pass for the server and for the wire."""
    made.clock.advance(seconds)
    wire.pump()


def test_idle_connections_close() -> None:
    """A connection that rests between two requests is closed without a word."""
    made = serve(answer_at_once)
    wire = made.connect()
    wire.send(GET)
    made.site.drain()
    later(made, wire, 0.1)
    assert wire.statuses == [200]
    assert wire.lost
    assert made.site.crowd.open == 0
    assert made.clock.getDelayedCalls() == []


def test_idle_connections_may_bring_one_more_request() -> None:
    """Where others take over, the next request on an idle connection is answered, as its last."""
    made = serve(answer_at_once)
    wire, silent = made.connect(), made.connect()
    wire.send(GET)
    silent.send(GET)
    made.site.drain(5)
    later(made, wire, 3)
    wire.send(GET)
    assert wire.statuses == [200, 200]
    assert [answer.headers.get(b"connection") for answer in wire.answers()] == [None, b"close"]
    assert wire.lost
    assert not silent.lost
    later(made, silent, 3)
    assert silent.lost


def test_new_connections_have_a_moment() -> None:
    """A connection that was just accepted has a request on its way, which is answered."""
    made = serve(answer_at_once)
    wire, silent = made.connect(), made.connect()
    made.site.drain()
    later(made, wire, 0.5)
    wire.send(GET)
    assert wire.statuses == [200]
    assert wire.lost
    later(made, silent, 1)
    assert silent.lost
    assert silent.output == b""


def test_heads_under_way_are_read() -> None:
    """A request whose head has begun to arrive is answered, in the time every head has."""
    made = serve(answer_at_once)
    wire = made.connect()
    wire.send(GET[:20])
    made.site.drain()
    later(made, wire, 5)
    wire.send(GET[20:])
    assert wire.statuses == [200]
    assert wire.lost


def test_answers_under_way_close_their_connection() -> None:
    """An answer that is computed while the site is drained says that it is the last."""
    waiting: Deferred[None] = Deferred()

    async def slow(request: Request) -> None:
        await waiting
        reply(request)

    made = serve(slow)
    wire = made.connect()
    wire.send(GET)
    made.site.drain()
    later(made, wire, 1)
    assert not wire.lost
    waiting.callback(None)
    wire.pump()
    assert [answer.headers[b"connection"] for answer in wire.answers()] == [b"close"]
    assert wire.lost


def test_requests_that_were_sent_already_are_answered() -> None:
    """Of requests sent ahead, all that have arrived are answered; the last answer closes."""
    waiting: Deferred[None] = Deferred()

    async def slow(request: Request) -> None:
        await waiting
        reply(request)

    made = serve(slow)
    wire = made.connect()
    wire.send(GET + GET + GET)
    made.site.drain()
    waiting.callback(None)
    wire.pump()
    assert [answer.headers.get(b"connection") for answer in wire.answers()] == [None, None, b"close"]


def test_uploads_may_finish() -> None:
    """A body that still arrives is read to its end."""
    made = serve(answer_after_body)
    wire = made.connect()
    wire.send(UPLOAD, b"x" * 50000)
    made.site.drain()
    later(made, wire, 5)
    wire.send(b"x" * 50000)
    assert [answer.body for answer in wire.answers()] == [b"100000"]
    assert wire.lost


def test_uploads_that_take_too_long_are_told_to_come_again() -> None:
    """When there is no more time, an upload gets 503 with Retry-After, and its reader learns of it."""
    made = serve(answer_after_body)
    wire = made.connect()
    wire.send(UPLOAD, b"x" * 50000)
    made.site.drain()
    made.site.cut()
    assert wire.statuses == [503]
    assert wire.answers()[0].headers[b"retry-after"] == b"5"
    later(made, wire, 3)
    assert wire.lost
