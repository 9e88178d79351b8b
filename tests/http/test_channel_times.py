"""Every wait of a connection has an end: slow heads, slow bodies, silence, clients that do not read."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from pypi.http.bodies import BodyIncomplete
from pypi.http.limits import Limits
from pypi.http.request import Request
from tests.http.memory import Service, Wire, errors_logged, reply, serve
from tests.http.probes import NEXT, POST, H


async def answer_at_once(request: Request) -> None:
    """A handler that reads nothing."""
    reply(request)


async def answer_after_body(request: Request) -> None:
    """A handler that reads the whole body."""
    reply(request, b"%d" % len(await request.body.read(1 << 30)))


def drip(made: Service, wire: Wire, piece: bytes, *, every: float, times: int) -> None:
    """Send ``piece`` again and again, with pauses."""
    for _ in range(times):
        if wire.transport.closed:
            return
        wire.send(piece)
        made.clock.advance(every)
        wire.pump()


def choked(made: Service, sent: bytes = NEXT) -> Wire:
    """A client that asks, and whose side takes no answer until it is told to."""
    wire = made.connect()
    wire.transport.choke()
    wire.transport.take()
    wire.send(sent)
    return wire


async def large(request: Request) -> None:
    """A handler whose answer takes a while to read."""
    reply(request, b"x" * 1000000)


def test_five_hundred_dripping_heads() -> None:
    """Connections that drip one header byte per second are all closed at the header deadline, with 408."""
    made = serve(answer_at_once, limits=Limits(connections_per_address=500))
    wires = [made.connect() for _ in range(500)]
    for wire in wires:
        wire.send(b"GET / HTTP/1.1\r\nX: ")
    for _ in range(10):
        for wire in wires:
            wire.send(b"a")
        made.clock.advance(1)
    for wire in wires:
        wire.pump()
    assert all(wire.lost for wire in wires)
    assert all(wire.statuses == [408] for wire in wires)
    assert made.site.crowd.open == 0
    assert made.clock.getDelayedCalls() == []


def test_silent_first_connection() -> None:
    """Who connects and says nothing is closed at the header deadline without a word."""
    made = serve(answer_at_once)
    wire = made.connect()
    made.clock.advance(9.9)
    wire.pump()
    assert not wire.lost
    made.clock.advance(0.2)
    wire.pump()
    assert wire.lost
    assert wire.output == b""


def test_header_deadline_counts_from_connecting() -> None:
    """The first request gets no fresh deadline by beginning late."""
    made = serve(answer_at_once)
    wire = made.connect()
    made.clock.advance(9)
    wire.send(b"GET / HT")
    made.clock.advance(1.1)
    wire.pump()
    assert wire.statuses == [408]


def test_idle_connection() -> None:
    """Between requests a connection may rest 75 seconds; then it is closed without a word."""
    made = serve(answer_at_once)
    wire = made.connect()
    wire.send(NEXT)
    made.clock.advance(74)
    wire.send(NEXT)
    made.clock.advance(74)
    wire.pump()
    assert wire.statuses == [200, 200]
    assert not wire.lost
    made.clock.advance(2)
    wire.pump()
    assert wire.lost
    assert wire.statuses == [200, 200]


def test_header_deadline_of_a_later_request() -> None:
    """A later request has ten seconds from its first byte, whenever that comes."""
    made = serve(answer_at_once)
    wire = made.connect()
    wire.send(NEXT)
    made.clock.advance(60)
    wire.send(b"G")
    drip(made, wire, b"E", every=1, times=9)
    assert not wire.lost
    made.clock.advance(1.5)
    wire.pump()
    assert wire.statuses == [200, 408]
    assert wire.lost


def test_slow_body() -> None:
    """A body that drips below its minimum rate is answered 408 by thirty seconds, and its reader fails."""
    failures: list[Exception] = []

    async def read(request: Request) -> None:
        try:
            await request.body.read(1000)
        except BodyIncomplete as failure:
            failures.append(failure)
            raise

    made = serve(read)
    wire = made.connect()
    wire.send(POST + b"Content-Length: 1000\r\n\r\n")
    with errors_logged() as errors:
        drip(made, wire, b"x", every=1, times=30)
    assert made.clock.seconds() <= 30
    assert wire.statuses == [408]
    assert wire.transport.closed
    assert [request.code for request in made.logged] == [408]
    assert errors == []


def test_fast_body_that_stalls() -> None:
    """However much came before, a body that rests for thirty seconds is given up."""
    made = serve(answer_after_body)
    wire = made.connect()
    wire.send(POST + b"Content-Length: 100000000\r\n\r\n", *[b"x" * 65536] * 100)
    made.clock.advance(29)
    wire.pump()
    assert wire.statuses == []
    made.clock.advance(2)
    wire.pump()
    assert wire.statuses == [408]


def test_body_at_just_the_minimum_rate() -> None:
    """A slow but steady upload goes through, however long it takes."""
    made = serve(answer_after_body)
    wire = made.connect()
    wire.send(POST + b"Content-Length: 1024000\r\n\r\n")
    drip(made, wire, b"x" * 1024, every=1, times=1000)
    assert wire.statuses == [200]


def test_slow_reader_of_the_body_is_no_fault_of_the_client() -> None:
    """While we do not read, the client is not held to its rate."""
    gate: Deferred[None] = Deferred()

    async def wait_then_read(request: Request) -> None:
        await gate
        await answer_after_body(request)

    made = serve(wait_then_read)
    wire = made.connect()
    wire.send(POST + b"Content-Length: 1000000\r\n\r\n", *[b"x" * 10000] * 100)
    assert wire.transport.producerState == "paused"
    assert wire.under_way
    made.clock.advance(500)
    gate.callback(None)
    wire.pump()
    assert wire.statuses == [200]


def test_no_clock_while_the_client_waits_for_continue() -> None:
    """A client told to wait is not held to its rate until it is told to go on."""
    gate: Deferred[None] = Deferred()

    async def wait_then_read(request: Request) -> None:
        await gate
        await answer_after_body(request)

    made = serve(wait_then_read)
    wire = made.connect()
    wire.send(POST + b"Expect: 100-continue\r\nContent-Length: 5\r\n\r\n")
    made.clock.advance(300)
    wire.pump()
    assert wire.output == b""
    gate.callback(None)
    assert wire.statuses == [100]
    made.clock.advance(10)
    wire.pump()
    assert wire.statuses == [100, 408]


def test_lingering_ends() -> None:
    """Who is refused and keeps the connection open is cut off after thirty seconds."""
    made = serve(answer_at_once)
    wire = made.connect()
    wire.send(POST + b"Content-Length: 100000000\r\n\r\n")
    assert wire.statuses == [200]
    assert wire.transport.half_closed
    drip(made, wire, b"x", every=1, times=29)
    made.clock.advance(29)
    wire.pump()
    assert not wire.lost
    made.clock.advance(1)
    wire.pump()
    assert wire.lost


def test_lingering_swallows_a_bounded_amount() -> None:
    """Who is refused and sends on for ever is cut off after the allowance, and nothing of it is kept."""
    made = serve(answer_at_once, limits=Limits(linger_bytes=1 << 20))
    wire = made.connect()
    wire.send(POST + b"Content-Length: 100000000\r\n\r\n", *[b"x" * 65536] * 16)
    assert not wire.lost
    assert wire.channel._pending == b""
    wire.send(b"x")
    assert wire.lost


def test_rejected_connections_linger_shortly() -> None:
    """After a request nobody understood the connection is held for two seconds at most."""
    made = serve(answer_at_once)
    wire = made.connect()
    wire.send(b"BAD\r\n")
    assert wire.statuses == [400]
    assert wire.transport.half_closed
    made.clock.advance(2)
    wire.pump()
    assert wire.lost
    assert made.clock.getDelayedCalls() == []


def test_client_that_does_not_read() -> None:
    """An answer that nobody takes for a minute is cut off, so that it cannot be taken for a whole one."""
    written: list[int] = []

    class Endless:
        """Writes whenever it may."""

        def __init__(self, request: Request) -> None:
            self.request = request
            self.stopped = False

        def resumeProducing(self) -> None:
            written.append(1)
            self.request.write(b"x" * 65536)

        def pauseProducing(self) -> None:
            pass

        def stopProducing(self) -> None:
            self.stopped = True

    producers: list[Endless] = []

    async def stream(request: Request) -> None:
        producers.append(Endless(request))
        request.registerProducer(producers[0], True)
        producers[0].resumeProducing()

    made = serve(stream)
    wire = choked(made)
    made.clock.advance(30)
    wire.transport.take()
    made.clock.advance(59)
    wire.pump()
    assert not wire.lost
    made.clock.advance(2)
    wire.pump()
    assert wire.transport.aborted
    assert len(written) == 2
    assert made.logged[0].aborted


def test_client_that_reads_a_little() -> None:
    """An answer that is taken at less than the minimum rate is cut off as well."""
    made = serve(large)
    wire = choked(made)
    for _ in range(59):
        wire.transport._tempDataLen -= 100
        made.clock.advance(1)
    wire.pump()
    assert not wire.lost
    made.clock.advance(1)
    wire.pump()
    assert wire.transport.aborted


def test_writing_does_not_put_off_the_deadline() -> None:
    """However often a handler writes, a client that takes nothing for a minute is cut off."""
    requests: list[Request] = []

    async def keep(request: Request) -> None:
        requests.append(request)

    made = serve(keep)
    wire = choked(made)
    for _ in range(6):
        requests[0].write(b"x")
        made.clock.advance(10)
    wire.pump()
    assert wire.transport.aborted


def test_client_that_reads_slowly_but_steadily() -> None:
    """An answer that is taken at the minimum rate goes through."""
    made = serve(large)
    wire = choked(made)
    for _ in range(900):
        wire.transport._tempDataLen -= 1100
        made.clock.advance(1)
        wire.pump()
    assert not wire.lost


def test_client_that_does_not_take_the_end() -> None:
    """A connection that is closing, but whose client never takes the last bytes, is cut off too."""
    made = serve(answer_at_once)
    wire = choked(made, b"GET / HTTP/1.0\r\n\r\n")
    assert wire.transport.disconnecting
    made.clock.advance(60)
    assert wire.transport.aborted or wire.lost


def test_reads_pause_while_answers_pile_up() -> None:
    """No further request is taken while the client does not read the answers to the last."""
    made = serve(answer_at_once)
    wire = made.connect()
    wire.transport.choke()
    wire.send(NEXT)
    assert wire.under_way
    assert wire.statuses == []
    wire.transport.take()
    wire.pump()
    assert wire.statuses == [200]


def test_nothing_is_left_in_the_reactor() -> None:
    """A connection that ends leaves no call behind."""
    made = serve(answer_after_body)
    wire = made.connect()
    wire.send(NEXT, POST + b"Content-Length: 5\r\n\r\nhel")
    assert made.clock.getDelayedCalls()
    wire.lose()
    assert made.clock.getDelayedCalls() == []


def test_connections_of_one_address_are_bounded() -> None:
    """Beyond its hundred connections an address gets 503; other addresses and trusted ones are served."""
    made = serve(answer_at_once, limits=Limits(connections_per_address=100))
    held = [made.connect() for _ in range(100)]
    refused = made.connect()
    assert refused.statuses == [503]
    assert b"\r\nRetry-After: 5\r\n" in refused.output
    refused.send(NEXT)
    assert refused.statuses == [503]
    other = made.connect("203.0.113.8")
    other.send(NEXT)
    assert other.statuses == [200]
    loopback = [made.connect("127.0.0.1") for _ in range(150)]
    loopback[-1].send(NEXT)
    assert loopback[-1].statuses == [200]
    held[0].lose()
    refused.lose()
    again = made.connect()
    again.send(NEXT)
    assert again.statuses == [200]


def test_flood_of_connections_is_closed_without_a_word() -> None:
    """Far beyond the limit nobody is even told; counts come back to zero when all is over."""
    made = serve(answer_at_once, limits=Limits(connections=10))
    wires = [made.connect(f"203.0.113.{n % 200}") for n in range(200)]
    assert [wire.statuses for wire in wires[:10]] == [[]] * 10
    assert [wire.statuses for wire in wires[10:110]] == [[503]] * 100
    assert [wire.transport.aborted for wire in wires[110:]] == [True] * 90
    for wire in wires:
        wire.lose()
    assert made.site.crowd.open == 0


def test_head_of_a_later_request_sent_with_the_one_before() -> None:
    """A request begun behind another has its deadline from the answer to that one."""
    made = serve(answer_at_once)
    wire = made.connect()
    wire.send(NEXT + b"GET /slow HTTP/1.1\r\n" + H)
    made.clock.advance(10)
    wire.pump()
    assert wire.statuses == [200, 408]


def test_no_answers_are_made_for_who_takes_none() -> None:
    """Requests that arrived with others wait while the client takes no answers, and go on when it does."""
    seen: list[bytes] = []

    async def answer(request: Request) -> None:
        seen.append(request.uri)
        reply(request)
        if len(seen) == 2:
            wire.transport.choke()

    made = serve(answer)
    wire = made.connect()
    wire.send(NEXT * 5)
    assert (wire.statuses, wire.transport.producerState) == ([200] * 2, "paused")
    wire.transport.take()
    wire.pump()
    assert (wire.statuses, wire.transport.producerState) == ([200] * 5, "producing")
