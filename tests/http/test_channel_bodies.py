"""Bodies reach the handler that asks for them, as they arrive; what nobody asks for is never kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost

from pypi.http.bodies import BodyIncomplete, BodyTooLarge
from pypi.http.limits import Limits
from pypi.http.request import Request
from tests.http.memory import Wire, errors_logged, reply, serve
from tests.http.probes import CHUNKED, HELLO, NEXT, POST, H

EXPECT = b"Expect: 100-continue\r\n"
MIB = 1 << 20


class Script:
    """A handler whose steps the test takes: each request waits until it is let go on."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.gates: list[Deferred[None]] = []

    async def __call__(self, request: Request) -> None:
        self.requests.append(request)
        self.gates.append(Deferred())
        await self.gates[-1]
        reply(request, request.path)


async def answer_at_once(request: Request) -> None:
    """Reads nothing."""
    reply(request)


async def read_all(request: Request) -> None:
    """Reads everything."""
    reply(request, await request.body.read(10 * MIB))


def post(length: int, *lines: bytes) -> bytes:
    """Headers announcing a body."""
    return POST + b"".join(lines) + b"Content-Length: %d\r\n\r\n" % length


def test_handler_is_called_at_the_headers() -> None:
    """The handler runs before any byte of the body has arrived."""
    script = Script()
    wire = serve(script).connect()
    wire.send(post(1000))
    assert [request.path for request in script.requests] == [b"/x"]
    assert script.requests[0].body.length == 1000
    assert script.requests[0].body.received == 0


def test_chunks_arrive_as_they_are_sent() -> None:
    """A reader gets each piece when it comes, not at the end."""
    seen: list[bytes] = []

    async def collect(request: Request) -> None:
        async for data in request.body.chunks():
            seen.append(data)
        reply(request)

    wire = serve(collect).connect()
    wire.send(post(9), b"abc")
    assert seen == [b"abc"]
    wire.send(b"def")
    assert seen == [b"abc", b"def"]
    assert wire.statuses == []
    wire.send(b"ghi" + NEXT)
    assert seen == [b"abc", b"def", b"ghi"]
    assert wire.statuses == [200, 200]


def test_declared_length_is_known_and_chunked_is_not() -> None:
    """``length`` is what the client declared, None when it declared nothing, 0 without a body."""
    script = Script()
    made = serve(script)
    for sent in (post(5), POST + CHUNKED + b"\r\n", NEXT):
        made.connect().send(sent)
    assert [request.body.length for request in script.requests] == [5, None, 0]


@pytest.mark.parametrize("asked", [False, True])
def test_reading_stops_while_nobody_takes_the_body(asked: bool) -> None:
    """Unread bytes are bounded: a quarter of the allowance before the first read, the whole after it."""
    bodies: list[Request] = []

    async def take_one(request: Request) -> None:
        bodies.append(request)
        if asked:
            await request.body.__anext__()
        await Deferred()

    wire = serve(take_one, limits=Limits(ahead=1 << 18)).connect()
    wire.send(post(100 * MIB), *[b"x" * 65536] * 100)
    assert wire.transport.producerState == "paused"
    unread = bodies[0].body._unread
    assert unread == (1 << 18 if asked else 1 << 16)
    assert wire.channel._pending == b""


def test_large_body_never_piles_up() -> None:
    """A gigabyte goes through with no more than the allowance in memory, in whatever rhythm it is read."""
    most = 0
    total = 0

    async def count(request: Request) -> None:
        nonlocal most, total
        async for data in request.body:
            total += len(data)
            most = max(most, len(data) + request.body._unread)
        reply(request, b"%d" % total)

    wire = serve(count).connect()
    wire.send(post(1 << 30), *[b"x" * 65536] * (1 << 14))
    assert wire.answers()[0].body == b"%d" % (1 << 30)
    assert most <= (1 << 18) + 65536


def test_continue_is_sent_at_the_first_read() -> None:
    """``100 Continue`` waits until the handler wants the body, and is sent once."""
    script = Script()

    async def wait_then_read(request: Request) -> None:
        script.requests.append(request)
        script.gates.append(Deferred())
        await script.gates[-1]
        await read_all(request)

    wire = serve(wait_then_read).connect()
    wire.send(post(10, EXPECT))
    assert wire.output == b""
    script.gates[0].callback(None)
    assert wire.output == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.send(b"01234")
    wire.send(b"56789")
    assert wire.statuses == [100, 200]
    assert wire.answers()[1].body == b"0123456789"
    wire.send(NEXT)
    script.gates[1].callback(None)
    assert wire.statuses == [100, 200, 200]


def test_no_continue_for_who_does_not_wait() -> None:
    """A client that sends its body without waiting is not told to continue."""
    wire = serve(read_all).connect()
    wire.send(post(5, EXPECT) + b"hello")
    assert wire.statuses == [200]


def test_no_continue_in_http_1_0() -> None:
    """HTTP/1.0 knows no interim answers, whatever it expects."""
    wire = serve(read_all).connect()
    wire.send(post(5, EXPECT).replace(b"1.1", b"1.0"))
    assert wire.output == b""
    wire.send(b"hello")
    assert wire.statuses == [200]


def test_refusal_of_an_expected_body() -> None:
    """Who answers without reading sends no ``100``, closes its half, and keeps nothing of the body."""

    async def forbid(request: Request) -> None:
        reply(request, b"no", 403)

    wire = serve(forbid).connect()
    wire.send(post(100 * MIB, EXPECT))
    assert wire.statuses == [403]
    assert wire.answers()[0].headers[b"connection"] == b"close"
    assert wire.transport.half_closed
    wire.send(*[b"x" * 65536] * 100)
    assert wire.under_way == 0
    assert wire.channel._pending == b""
    assert wire.statuses == [403]


@pytest.mark.parametrize(
    ("head", "goes_on"),
    [
        (post(5), True),
        (post(65536), True),
        (post(65537), False),
        (post(5, EXPECT), False),
        (POST + CHUNKED + b"\r\n", False),
        (post(5, b"Connection: close\r\n"), False),
    ],
)
def test_what_becomes_of_an_unread_body(head: bytes, goes_on: bool) -> None:
    """A short rest is read away and the connection goes on; any other rest closes it."""
    wire = serve(answer_at_once).connect()
    wire.send(head)
    assert wire.statuses == [200]
    assert wire.transport.closed is not goes_on
    assert (b"\r\nConnection: close\r\n" in wire.output) is not goes_on


def test_short_rest_is_read_away_before_the_next_request() -> None:
    """The unread body of one request is never taken for the next request."""
    wire = serve(answer_at_once).connect()
    smuggled = b"GET /smuggled HTTP/1.1\r\n" + H + b"\r\n"
    wire.send(post(len(smuggled)), smuggled[:10])
    assert wire.statuses == [200]
    wire.send(smuggled[10:])
    assert wire.statuses == [200]
    wire.send(NEXT)
    assert wire.statuses == [200, 200]


def test_body_that_is_here_already_keeps_the_connection() -> None:
    """A chunked body that is complete when its request is answered unread does not close the connection."""
    script = Script()
    wire = serve(script).connect()
    wire.send(POST + CHUNKED + b"\r\n" + HELLO)
    script.gates[0].callback(None)
    wire.send(NEXT)
    script.gates[1].callback(None)
    assert wire.statuses == [200, 200]


def test_read_refuses_a_declared_length_before_reading() -> None:
    """``read(limit)`` refuses a longer declared length at once, without ``100 Continue``."""

    async def read_little(request: Request) -> None:
        try:
            await request.body.read(100)
        except BodyTooLarge as refusal:
            reply(request, str(refusal).encode(), 413)

    wire = serve(read_little).connect()
    wire.send(post(101, EXPECT))
    assert wire.statuses == [413]
    assert b"100 bytes" in wire.answers()[0].body


def test_read_refuses_chunks_beyond_the_limit() -> None:
    """``read(limit)`` refuses a chunked body as soon as it exceeds the limit."""

    async def read_little(request: Request) -> None:
        try:
            await request.body.read(4)
        except BodyTooLarge:
            reply(request, b"too large", 413)

    wire = serve(read_little).connect()
    wire.send(POST + CHUNKED + b"\r\n5\r\nhello\r\n")
    assert wire.statuses == [413]
    assert wire.transport.half_closed


def test_disconnect_fails_a_waiting_read() -> None:
    """A reader that waits for bytes learns that the client is gone."""
    failures: list[Exception] = []

    async def read(request: Request) -> None:
        try:
            await request.body.read(MIB)
        except (BodyIncomplete, CancelledError) as failure:
            failures.append(failure)
            raise

    made = serve(read)
    wire = made.connect()
    with errors_logged() as errors:
        wire.send(post(10), b"01234")
        wire.lose(ConnectionLost())
    assert len(failures) == 1
    assert errors == []
    assert [request.aborted for request in made.logged] == [True]


def test_disconnect_fails_later_reads() -> None:
    """A handler that was busy elsewhere learns it at its next read."""
    outcome: list[Exception] = []

    async def busy(request: Request) -> None:
        with suppress(CancelledError):
            await Deferred()
        try:
            await request.body.read(MIB)
        except BodyIncomplete as failure:
            outcome.append(failure)

    wire = serve(busy).connect()
    wire.send(post(10), b"01234")
    wire.lose()
    assert [type(failure) for failure in outcome] == [BodyIncomplete]


def test_disconnect_cancels_the_handler() -> None:
    """A handler that waits for something else is cancelled; nothing is logged as an error."""
    cancelled: list[bool] = []

    async def wait(request: Request) -> None:
        try:
            await Deferred()
        except CancelledError:
            cancelled.append(True)
            raise

    made = serve(wait)
    wire = made.connect()
    with errors_logged() as errors:
        wire.send(NEXT)
        wire.lose()
    assert cancelled == [True]
    assert errors == []
    assert len(made.logged) == 1


def test_broken_chunks_cancel_the_handler_and_answer_400() -> None:
    """When the framing of a body breaks, its handler is cancelled and the client told why, once."""
    for handler in (read_all, Script()):
        made = serve(handler)
        wire = made.connect()
        with errors_logged() as errors:
            wire.send(POST + CHUNKED + b"\r\n5\r\nhello\r\n", b"nonsense\r\n" + NEXT)
        assert wire.statuses == [400]
        assert wire.transport.half_closed
        assert errors == []
        assert [request.code for request in made.logged] == [400]


def test_broken_chunks_behind_the_beginning_of_an_answer() -> None:
    """An answer that has begun cannot be taken back: the connection is aborted."""

    async def begin(request: Request) -> None:
        request.write(b"begun")
        await request.body.read(MIB)

    wire = serve(begin).connect()
    wire.send(POST + CHUNKED + b"\r\n")
    wire.send(b"nonsense\r\n")
    assert wire.transport.aborted
    assert b"400" not in wire.output


def test_broken_chunks_stop_the_producer_of_the_answer() -> None:
    """Who was about to produce the answer is told that nobody waits for it."""
    stopped: list[bool] = []

    class Producer:
        def stopProducing(self) -> None:
            stopped.append(True)

    async def produce(request: Request) -> None:
        request.registerProducer(Producer(), True)
        await Deferred()

    wire = serve(produce).connect()
    wire.send(POST + CHUNKED + b"\r\n")
    wire.send(b"nonsense\r\n")
    assert stopped == [True]
    assert wire.statuses == [400]


def test_answers_keep_the_order_of_the_requests() -> None:
    """A request behind another is not begun before that one is answered."""
    script = Script()
    wire = serve(script).connect()
    wire.send(b"".join(b"GET /%d HTTP/1.1\r\n" % n + H + b"\r\n" for n in range(3)))
    for n in range(3):
        assert len(script.requests) == n + 1
        script.gates[n].callback(None)
    wire.pump()
    assert [answer.body for answer in wire.answers()] == [b"/0", b"/1", b"/2"]


def test_ten_thousand_requests_in_a_row() -> None:
    """Slow and fast handlers mixed: order is kept, and what waits stays under 64 KB and a read."""
    script = Script()
    most = 0

    async def mixed(request: Request) -> None:
        if request.path.endswith(b"7"):
            await script(request)
        else:
            reply(request, request.path)

    wire = serve(mixed).connect()
    sent = b"".join(b"GET /%d HTTP/1.1\r\n" % n + H + b"\r\n" for n in range(10000))
    wire.send(*[sent[at : at + 65536] for at in range(0, len(sent), 65536)])
    for n in range(1000):
        most = max(most, len(wire.channel._pending))
        script.gates[n].callback(None)
        wire.pump()
    assert [answer.body for answer in wire.answers()] == [b"/%d" % n for n in range(10000)]
    assert most <= 65536


def test_requests_behind_a_body_wait() -> None:
    """What follows a body stays where it is until the request is answered."""
    script = Script()

    async def read_then_wait(request: Request) -> None:
        await request.body.read(MIB)
        await script(request)

    wire = serve(read_then_wait).connect()
    wire.send(post(5) + b"hello" + NEXT)
    assert len(script.requests) == 1
    script.gates[0].callback(None)
    assert len(script.requests) == 2
    script.gates[1].callback(None)
    assert [answer.body for answer in wire.answers()] == [b"/x", b"/"]


def fails(error: Exception) -> Callable[[Request], Awaitable[None]]:
    """A handler that raises."""

    async def handler(request: Request) -> None:
        raise error

    return handler


def test_failing_handler() -> None:
    """A handler that raises is answered 500 without details, logged once, and the connection goes on."""
    wire = serve(fails(RuntimeError("secret"))).connect()
    with errors_logged() as errors:
        wire.send(NEXT)
    assert wire.statuses == [500]
    assert b"secret" not in wire.output
    assert b"Traceback" not in wire.output
    assert len(errors) == 1
    assert not wire.transport.closed


def test_failing_resource() -> None:
    """The same holds for one that fails before there is a coroutine."""
    made = serve(answer_at_once)

    def broken(request: Request) -> object:
        raise RuntimeError("secret")

    made.site.getResourceFor = broken  # type: ignore[method-assign]
    wire = made.connect()
    with errors_logged() as errors:
        wire.send(NEXT)
    assert wire.statuses == [500]
    assert len(errors) == 1


def test_handler_that_fails_in_the_middle_of_an_answer() -> None:
    """Half an answer is not completed: the connection is aborted and the failure logged once."""

    async def half(request: Request) -> None:
        request.write(b"half")
        raise RuntimeError("secret")

    wire = serve(half).connect()
    with errors_logged() as errors:
        wire.send(NEXT)
    assert wire.transport.aborted
    assert not wire.output.endswith(b"0\r\n\r\n")
    assert len(errors) == 1


@pytest.mark.parametrize("written", [b"short", b"much too long"])
def test_answer_of_another_length_than_announced(written: bytes) -> None:
    """An answer that breaks its Content-Length never lets the next one be misread."""

    async def wrong(request: Request) -> None:
        request.setHeader(b"Content-Length", b"8")
        request.write(written)
        request.finish()

    wire = serve(wrong).connect()
    with errors_logged() as errors:
        wire.send(NEXT + NEXT)
    assert wire.transport.aborted
    assert wire.output.count(b"HTTP/1.1") == 1
    assert len(errors) == 1


def test_handler_may_close() -> None:
    """A handler that says ``Connection: close`` is obeyed."""

    async def close(request: Request) -> None:
        request.setHeader(b"Connection", b"close")
        reply(request)

    wire = serve(close).connect()
    wire.send(NEXT)
    assert wire.transport.disconnecting


def test_reason_phrase_cannot_split_the_answer() -> None:
    """Control characters in a reason phrase become blanks."""

    async def split(request: Request) -> None:
        request.setResponseCode(400, b"no\r\nX-Evil: 1\x00")
        request.setHeader(b"Content-Length", b"0")
        request.finish()

    wire = serve(split).connect()
    wire.send(NEXT)
    assert wire.answers()[0].reason == b"no  X-Evil: 1 "
    assert b"x-evil" not in wire.answers()[0].headers


def test_bytes_behind_a_lost_connection_are_ignored() -> None:
    """A transport that still hands over bytes after the end does no harm."""
    made = serve(answer_at_once)
    wire: Wire = made.connect()
    wire.lose()
    wire.channel.dataReceived(NEXT)
    assert wire.output == b""
