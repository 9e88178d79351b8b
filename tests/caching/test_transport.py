"""Connections that send at once: first everything Twisted's own do, over both; then what only they do."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableProtocol, IPullProducer, IPushProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.protocols.policies import ProtocolWrapper, WrappingFactory
from twisted.python.failure import Failure
from zope.interface import implementer

from caching import sendfile
from caching.lane import Lane
from caching.sendfile import FileCut, ReadAhead
from caching.transport import EagerPort, EagerServer, bare
from tests.caching.turns import eventually, turns
from tests.http.memory import errors_logged

reactor: Any = global_reactor
MIB = 1 << 20
LONG = bytes(range(256)) * (20 * MIB // 256)


class Talker(Protocol):
    """The server's end: keeps what it gets, and how it ended."""

    transport: Any

    def __init__(self) -> None:
        self.got = b""
        self.lost: type[BaseException] | None = None
        self.on_data: Callable[[bytes], None] = lambda data: None

    def dataReceived(self, data: bytes) -> None:
        self.got += data
        self.on_data(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost = reason.type


@implementer(IHalfCloseableProtocol)
class HalfTalker(Talker):
    """One that is told of half-closed connections."""

    halves: tuple[str, ...] = ()

    def readConnectionLost(self) -> None:
        self.halves += ("read",)

    def writeConnectionLost(self) -> None:
        self.halves += ("write",)


class Client:
    """The client's end: a socket that reads only when told to."""

    def __init__(self, port: int, family: int = socket.AF_INET) -> None:
        self.socket = socket.socket(family)
        self.socket.connect(("::1" if family == socket.AF_INET6 else "127.0.0.1", port))
        self.socket.setblocking(False)
        self.got = bytearray()
        self.chunks: list[int] = []
        self.end: str | None = None

    def read(self, most: int = 1 << 22) -> bool:
        """Take what is there; whether the connection has ended."""
        try:
            while most > 0 and self.end is None:
                data = self.socket.recv(min(most, 1 << 20))
                most -= len(data)
                self.got += data
                self.chunks.append(len(data))
                self.end = None if data else "closed"
        except BlockingIOError:
            pass
        except ConnectionResetError:
            self.end = "reset"
        return self.end is not None

    async def has(self, data: bytes) -> None:
        """Read until exactly this has come."""
        await eventually(lambda: self.read() or len(self.got) >= len(data))
        assert self.got == data, (len(self.got), len(data), self.end)

    async def ends(self) -> str | None:
        """Read to the end; how it ended."""
        await eventually(self.read)
        return self.end

    def reset(self) -> None:
        """Close so that the other end learns it the hard way."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()


@define(eq=False)
class Line:
    """A listening port and its connections."""

    adopt: Callable[..., Any]
    kind: type[Talker] = Talker
    talkers: list[Talker] = field(factory=list)
    clients: list[Client] = field(factory=list)
    port: Any = None

    def listen(self, factory: Factory | None = None, family: int = socket.AF_INET) -> None:
        listening = socket.create_server(("", 0), family=family, backlog=500)
        listening.setblocking(False)
        factory = factory or Factory.forProtocol(lambda: self._new())  # type: ignore[arg-type]
        factory.noisy = False
        self.port = self.adopt(listening.fileno(), family, factory)
        listening.close()

    def _new(self) -> Talker:
        self.talkers.append(self.kind())
        return self.talkers[-1]

    async def connect(self, kind: type[Talker] = Talker, family: int = socket.AF_INET) -> tuple[Any, Client]:
        """A connection: the server's end, the client's end."""
        self.kind = kind
        if self.port is None:
            self.listen(family=family)
        count = len(self.talkers)
        self.clients.append(Client(self.port.getHost().port, family))
        await eventually(lambda: len(self.talkers) > count and self.talkers[-1].transport)
        return self.talkers[-1], self.clients[-1]

    async def stop(self) -> None:
        for client in self.clients:
            client.socket.close()
        for talker in self.talkers:
            if talker.transport is not None and talker.lost is None:
                talker.transport.abortConnection()
        await eventually(lambda: all(one.lost or one.transport is None for one in self.talkers))
        if self.port is not None:
            await self.port.stopListening()
            assert self.port.reactor not in reactor.getReaders()


ADOPT: dict[str, Callable[..., Any]] = {
    "stock": lambda *args: reactor.adoptStreamPort(*args),
    "eager": lambda *args: EagerPort.adopt(reactor, *args),
}


@pytest_twisted.async_yield_fixture(params=list(ADOPT))
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    """Connections of either kind."""
    made = Line(ADOPT[request.param])
    yield made
    await made.stop()


@pytest_twisted.async_yield_fixture
async def eager() -> AsyncIterator[Line]:
    """Connections that send at once."""
    made = Line(ADOPT["eager"])
    yield made
    await made.stop()


# The same over both


async def test_talking(line: Line) -> None:
    """What either end writes, the other gets."""
    talker, client = await line.connect()
    client.socket.send(b"question")
    await eventually(lambda: talker.got == b"question")
    talker.transport.write(b"an")
    talker.transport.writeSequence([b"sw", b"er"])
    await client.has(b"answer")


async def test_long_answers(line: Line) -> None:
    """A long answer arrives whole and in order, at whatever pace it is read."""
    talker, client = await line.connect()
    for start in range(0, len(LONG), 3_000_000):
        talker.transport.write(LONG[start : start + 3_000_000])
    await client.has(LONG)


async def test_addresses_and_options(line: Line) -> None:
    """Both ends are told; the options of the socket can be set."""
    talker, client = await line.connect()
    assert talker.transport.getPeer().port == client.socket.getsockname()[1]
    assert talker.transport.getHost().port == line.port.getHost().port
    for option in ("TcpNoDelay", "TcpKeepAlive"):
        getattr(talker.transport, f"set{option}")(True)
        assert getattr(talker.transport, f"get{option}")()
    assert repr(talker.transport).startswith("<Talker #0 on ")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="there is no IPv6 on this machine")
async def test_ipv6(line: Line) -> None:
    """Over IPv6 it is the same."""
    talker, client = await line.connect(family=socket.AF_INET6)
    assert talker.transport.getPeer().host == "::1"
    talker.transport.write(b"hello")
    await client.has(b"hello")


@implementer(IPushProducer, IPullProducer)
@define
class Source:
    """A producer that notes what it is told."""

    on_resume: Callable[[], object] = lambda: None
    told: list[str] = field(factory=list)

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")
        self.on_resume()

    def stopProducing(self) -> None:
        self.told.append("stop")


async def test_back_pressure(line: Line) -> None:
    """A producer is paused while the client does not read, and resumed when all is taken."""
    talker, client = await line.connect()
    source = Source()
    talker.transport.registerProducer(source, True)
    talker.transport.write(b"x" * 1000)
    assert source.told == []
    talker.transport.write(LONG)
    assert source.told == ["pause"]
    await turns()
    assert source.told == ["pause"]
    await client.has(b"x" * 1000 + LONG)
    await eventually(lambda: source.told == ["pause", "resume"])
    talker.transport.unregisterProducer()


async def test_pull_producer(line: Line) -> None:
    """A producer that is asked for each piece is asked when the last is taken."""
    talker, client = await line.connect()
    pieces = [b"one ", b"two ", b"three"]
    source = Source(on_resume=lambda: pieces and talker.transport.write(pieces.pop(0)))
    talker.transport.registerProducer(source, False)
    await client.has(b"one two three")
    talker.transport.unregisterProducer()


async def test_producer_is_stopped(line: Line) -> None:
    """A producer learns that the client has gone."""
    talker, client = await line.connect()
    source = Source()
    talker.transport.registerProducer(source, True)
    client.socket.close()
    await eventually(lambda: talker.lost)
    assert source.told == ["stop"]


async def test_reading_pauses(line: Line) -> None:
    """A transport that is paused leaves what arrives to the kernel."""
    talker, client = await line.connect()
    talker.transport.pauseProducing()
    client.socket.send(b"early")
    await turns(5)
    assert talker.got == b""
    talker.transport.resumeProducing()
    await eventually(lambda: talker.got == b"early")


async def test_closing_behind_what_is_written(line: Line) -> None:
    """The connection closes when all is written."""
    talker, client = await line.connect()
    talker.transport.write(LONG)
    talker.transport.loseConnection()
    await turns()
    assert talker.lost is None
    assert await client.ends() == "closed"
    assert (talker.lost, client.got == LONG) == (ConnectionDone, True)


async def test_closing_waits_for_a_producer(line: Line) -> None:
    """A connection told to close while a producer is paused goes on until that has no more."""
    talker, client = await line.connect()
    source = Source()
    talker.transport.registerProducer(source, True)
    talker.transport.write(LONG)
    talker.transport.loseConnection()
    await client.has(LONG)
    await eventually(lambda: source.told == ["pause", "resume"])
    talker.transport.write(b"!")
    talker.transport.unregisterProducer()
    assert await client.ends() == "closed"
    assert client.got == LONG + b"!"


async def test_aborting(line: Line) -> None:
    """An aborted connection ends at once, by a reset, and forgets what is not sent."""
    talker, client = await line.connect()
    talker.transport.write(LONG)
    talker.transport.abortConnection()
    talker.transport.abortConnection()
    talker.transport.write(b"nothing")
    assert await client.ends() == "reset"
    assert talker.lost is ConnectionAborted


async def test_half_closing(line: Line) -> None:
    """One end may close its half, behind what it has written, and still read."""
    talker, client = await line.connect(HalfTalker)
    talker.transport.write(LONG)
    talker.transport.loseWriteConnection()
    assert await client.ends() == "closed"
    assert client.got == LONG
    client.socket.send(b"still here")
    await eventually(lambda: talker.got == b"still here")
    assert talker.halves == ("write",)
    talker.transport.write(b"nothing")
    talker.transport.loseConnection()
    await eventually(lambda: talker.lost)
    assert talker.lost is ConnectionDone


async def test_client_half_closes(line: Line) -> None:
    """A client that will send no more still gets its answer, from a protocol that can bear it."""
    talker, client = await line.connect(HalfTalker)
    client.socket.shutdown(socket.SHUT_WR)
    await eventually(lambda: talker.halves == ("read",))
    talker.transport.write(b"answer")
    await client.has(b"answer")
    talker.transport.loseConnection()
    assert await client.ends() == "closed"


@pytest.mark.parametrize(("how", "why"), [("close", ConnectionDone), ("reset", ConnectionLost)])
async def test_client_goes(line: Line, how: str, why: type[Exception]) -> None:
    """The protocol learns how the client went."""
    talker, client = await line.connect()
    (client.reset if how == "reset" else client.socket.close)()
    await eventually(lambda: talker.lost)
    assert talker.lost is why


async def test_failing_protocol(line: Line) -> None:
    """A protocol that raises loses its connection; the error is logged; others do not notice."""
    bad, client = await line.connect()
    good, other = await line.connect()
    bad.on_data = lambda data: 1 / 0  # type: ignore[assignment, return-value]
    with errors_logged() as errors:
        client.socket.send(b"x")
        other.socket.send(b"y")
        await eventually(lambda: bad.lost and good.got)
    assert bad.lost is ZeroDivisionError
    assert len(errors) == 1
    good.transport.write(b"well")
    await other.has(b"well")


async def test_port_closes_before_its_connections(line: Line) -> None:
    """Connections go on when the port listens no more, also one that is paused at that moment."""
    talker, client = await line.connect()
    talker.transport.pauseProducing()
    await line.port.stopListening()
    await turns()
    talker.transport.resumeProducing()
    client.socket.send(b"question")
    await eventually(lambda: talker.got == b"question")
    talker.transport.write(b"answer")
    await client.has(b"answer")
    line.listen()


async def test_many_connections(line: Line) -> None:
    """Many clients at once are all served."""
    line.listen()
    line.clients += [Client(line.port.getHost().port) for _ in range(200)]
    await eventually(lambda: len(line.talkers) == 200)
    for client in line.clients:
        client.socket.send(b"x")
    await eventually(lambda: all(talker.got for talker in line.talkers))
    for talker in line.talkers:
        talker.transport.write(b"y")
    for client in line.clients:
        await client.has(b"y")


# Sending at once


async def test_send_now(eager: Line) -> None:
    """Bytes are with the client in the same turn, in one piece or several."""
    talker, client = await eager.connect()
    assert talker.transport.send_now(b"one ")
    assert talker.transport.send_now(b"two ", b"", b"three ")
    assert talker.transport.send_now(*[b"x"] * 2000)
    assert talker.transport.unsent == 0
    client.read()
    assert client.got == b"one two three " + b"x" * 2000
    assert talker.transport not in eager.port.reactor.getWriters()


@pytest.mark.parametrize("cuts", [(), (1, 2), (1000, 15_000_000), tuple(range(0, len(LONG), 200_000))])
async def test_send_now_more_than_fits(eager: Line, cuts: tuple[int, ...]) -> None:
    """What the kernel does not take at once follows, and whatever is written next comes after it."""
    talker, client = await eager.connect()
    edges = [0, *cuts, len(LONG)]
    pieces = [LONG[start:end] for start, end in pairwise(edges)]
    assert not talker.transport.send_now(*pieces)
    assert 0 < talker.transport.unsent < len(LONG)
    left = talker.transport.unsent
    assert not talker.transport.send_now(b"second ")
    talker.transport.write(b"third ")
    assert not talker.transport.send_now(b"fou", b"rth")
    assert talker.transport.unsent == left + 19
    await client.has(LONG + b"second third fourth")
    assert talker.transport.unsent == 0
    assert talker.transport.send_now(b"!")


@pytest.mark.parametrize("way", ["send_now", "write"])
async def test_large_answers_are_not_copied(eager: Line, way: str) -> None:
    """However many clients are slow to take one large answer, it is in memory once."""
    talkers = [await eager.connect() for _ in range(3)]
    for talker, _ in talkers:
        if way == "write":
            talker.transport.write(b"head ")
            talker.transport.write(LONG)
        else:
            talker.transport.send_now(b"head ", LONG)
        assert talker.transport.dataBuffer is LONG
        talker.transport.write(b" foot")
    for talker, client in talkers:
        await client.has(b"head " + LONG + b" foot")
        assert talker.transport.unsent == 0


async def test_what_the_client_has_taken(eager: Line) -> None:
    """What the kernel has taken from us, but not yet got rid of, can be seen as well."""
    talker, client = await eager.connect()
    assert talker.transport.untaken == 0
    talker.transport.send_now(LONG)
    assert talker.transport.unsent < talker.transport.untaken <= len(LONG)
    await client.has(LONG)
    await eventually(lambda: talker.transport.untaken == 0)
    client.reset()
    await eventually(lambda: talker.lost)
    assert talker.transport.untaken == 0


async def test_send_now_behind_write(eager: Line) -> None:
    """Nothing overtakes what is already written."""
    talker, client = await eager.connect()
    talker.transport.write(b"first ")
    assert not talker.transport.send_now(b"second")
    assert talker.transport.unsent == 12
    await client.has(b"first second")


async def test_send_now_and_back_pressure(eager: Line) -> None:
    """A producer is paused by what does not fit, and resumed, as by writing."""
    talker, client = await eager.connect()
    source = Source()
    talker.transport.registerProducer(source, True)
    assert talker.transport.send_now(b"x")
    assert source.told == []
    talker.transport.send_now(LONG)
    assert source.told == ["pause"]
    await client.has(b"x" + LONG)
    await eventually(lambda: source.told == ["pause", "resume"])
    talker.transport.unregisterProducer()


async def test_send_now_to_a_client_that_is_gone(eager: Line) -> None:
    """Nothing is raised; the protocol learns it from the reactor, as always."""
    talker, client = await eager.connect()
    talker.transport.pauseProducing()
    client.reset()
    await turns()
    assert not talker.transport.send_now(b"hello?")
    assert not talker.transport.send_now(b"any", b"body?")
    assert talker.lost is None
    await eventually(lambda: talker.lost)
    assert talker.lost is ConnectionLost
    assert not talker.transport.send_now(b"hello?")
    assert talker.transport.unsent == 0


@pytest.mark.parametrize("ending", ["abortConnection", "loseWriteConnection", "loseConnection"])
async def test_send_now_to_a_connection_that_ends(eager: Line, ending: str) -> None:
    """It means what writing means then."""
    talker, client = await eager.connect()
    getattr(talker.transport, ending)()
    talker.transport.send_now(b"last ", b"words")
    assert await client.ends() == ("reset" if ending == "abortConnection" else "closed")
    assert client.got == (b"" if ending == "abortConnection" else b"last words")


# Sending files


@define
class OpenFile:
    """A file being sent."""

    number: int
    data: bytes

    async def sent(self, talker: Any, offset: int, count: int) -> str:
        """Send a part; ``"sent"``, or the name of what was raised."""
        try:
            await talker.transport.send_file(self.number, offset, count)
        except (Exception, CancelledError) as error:
            return type(error).__name__
        return "sent"

    def send(self, talker: Any, offset: int = 0, count: int | None = None) -> Deferred[str]:
        return Deferred.fromCoroutine(self.sent(talker, offset, len(self.data) if count is None else count))


@pytest_twisted.async_yield_fixture
async def file(tmp_path: Path) -> AsyncIterator[OpenFile]:
    """A file of twenty megabytes."""
    path = tmp_path / "file"
    path.write_bytes(LONG)
    number = os.open(path, os.O_RDWR)
    yield OpenFile(number, LONG)
    os.close(number)


@pytest.mark.parametrize(
    ("offset", "count"), [(0, 100), (0, len(LONG)), (1, MIB), (5_000_001, 9_999_999), (len(LONG) - 1, 1)]
)
async def test_parts_of_a_file(eager: Line, file: OpenFile, offset: int, count: int) -> None:
    """Exactly the part asked for arrives, between what is written before it and behind it."""
    talker, client = await eager.connect()
    talker.transport.write(b"before ")
    done = file.send(talker, offset, count)
    talker.transport.write(b" behind")
    talker.transport.send_now(b"!")
    await client.has(b"before " + LONG[offset : offset + count] + b" behind!")
    assert await done == "sent"
    assert (talker.transport.sent_of_file, talker.transport.unsent) == (count, 0)


@pytest.mark.parametrize("count", [100, MIB, len(LONG)])
async def test_head_and_file(eager: Line, file: OpenFile, count: int) -> None:
    """A head and a file arrive whole, be it at once or bit by bit; what the kernel took is counted in all."""
    talker, client = await eager.connect()
    sending = talker.transport.send_page(b"head", file.number, count)
    assert (count == len(LONG)) <= (sending is not None)
    await client.has(b"head" + LONG[:count])
    if sending is not None:
        await sending
        assert talker.transport.sent_of_file == count
    assert talker.transport.unsent == 0


async def test_nothing_of_a_file(eager: Line, file: OpenFile) -> None:
    """No bytes are sent at once."""
    talker, _ = await eager.connect()
    assert await file.send(talker, 10, 0) == "sent"


async def test_head_and_file_in_one_packet(eager: Line, file: OpenFile) -> None:
    """A small file goes out with the head before it, in the same turn."""
    talker, client = await eager.connect()
    talker.transport.setTcpNoDelay(True)
    talker.transport.write(b"head")
    done = file.send(talker, 0, 1000)
    assert done.called
    client.read()
    assert client.chunks == [1004]


async def test_file_behind_much_that_is_written(eager: Line, file: OpenFile) -> None:
    """A file waits for what was written before it, and its producer is resumed behind both."""
    talker, client = await eager.connect()
    source = Source()
    talker.transport.registerProducer(source, True)
    talker.transport.write(LONG)
    done = file.send(talker)
    assert talker.transport.unsent > len(LONG)
    await turns()
    assert source.told == ["pause"]
    await client.has(LONG + LONG)
    assert await done == "sent"
    await eventually(lambda: source.told == ["pause", "resume"])
    talker.transport.unregisterProducer()


async def test_one_file_after_another(eager: Line, file: OpenFile) -> None:
    """When one is sent the next may go, also from the first one's end; not before."""
    talker, client = await eager.connect()
    later: list[Deferred[str]] = []
    first = file.send(talker)
    assert await file.send(talker) == "RuntimeError"
    first.addCallback(lambda _: later.append(file.send(talker, 7, 7_000_000)))  # type: ignore[arg-type, return-value]
    await client.has(LONG + LONG[7:7_000_007])
    assert await later[0] == "sent"


async def test_slow_client(eager: Line, file: OpenFile) -> None:
    """A client that reads now and then gets everything; what is left can be seen to shrink."""
    talker, client = await eager.connect()
    done = file.send(talker)
    left = [talker.transport.unsent]
    while not done.called:
        client.read(most=MIB)
        await turns(1)
        left.append(talker.transport.unsent)
    assert left == sorted(left, reverse=True)
    assert len(set(left)) > 5
    await client.has(LONG)


async def test_other_connections_have_their_turn(eager: Line, file: OpenFile) -> None:
    """While files are sent others are answered."""
    talker, client = await eager.connect()
    quick, other = await eager.connect()
    quick.on_data = lambda data: quick.transport.send_now(data)
    done = file.send(talker)
    for _ in range(5):
        client.read(most=MIB)
        other.socket.send(b"x")
        await turns(2)
        other.read()
    assert other.got == b"xxxxx"
    assert not done.called
    await client.has(LONG)


async def test_file_that_shrinks(eager: Line, file: OpenFile) -> None:
    """A file that ends too soon ends the connection: its client cannot take it for whole."""
    talker, client = await eager.connect()
    done = file.send(talker)
    os.ftruncate(file.number, 5 * MIB)
    assert await client.ends() in ("reset", "closed")
    assert await done == "FileCut"
    assert len(client.got) < len(LONG)
    assert await file.send((await eager.connect())[0], 10 * MIB, 5) == "FileCut"


async def test_descriptor_that_is_none(eager: Line) -> None:
    """What the system says of a file that cannot be read is raised, and the connection ends."""
    talker, client = await eager.connect()
    assert await OpenFile(os.open(".", os.O_PATH), b"x").send(talker) == "OSError"
    assert await client.ends() == "reset"


@pytest.mark.parametrize("how", ["close", "reset"])
async def test_client_leaves_a_file(eager: Line, file: OpenFile, how: str) -> None:
    """Whoever waits for a file to be sent learns that the client has gone."""
    talker, client = await eager.connect()
    done = file.send(talker)
    (client.reset if how == "reset" else client.socket.close)()
    assert await done in ("ConnectionLost", "ConnectionDone")
    assert talker.lost


async def test_client_leaves_before_the_file(eager: Line, file: OpenFile) -> None:
    """To a connection that is lost, or lost its writing half, no file is sent."""
    talker, _ = await eager.connect()
    talker.transport.abortConnection()
    assert await file.send(talker) == "ConnectionAborted"
    assert talker.lost
    assert await file.send(talker) == "ConnectionDone"
    talker, _ = await eager.connect(HalfTalker)
    talker.transport.loseWriteConnection()
    assert await file.send(talker) == "ConnectionDone"


async def test_aborting_a_file(eager: Line, file: OpenFile) -> None:
    """An aborted connection sends no more of a file."""
    talker, client = await eager.connect()
    done = file.send(talker)
    talker.transport.abortConnection()
    assert await done == "ConnectionAborted"
    assert await client.ends() == "reset"


async def test_cancelling_a_file(eager: Line, file: OpenFile) -> None:
    """Whoever waits no more ends the connection, for the rest of the file is missing."""
    talker, client = await eager.connect()
    done = talker.transport.send_file(file.number, 0, len(LONG))
    done.addErrback(lambda failure: failure.trap(CancelledError))
    done.cancel()
    assert await client.ends() == "reset"
    assert talker.lost is ConnectionAborted


@pytest.mark.parametrize("ending", ["loseConnection", "loseWriteConnection"])
async def test_closing_behind_a_file(eager: Line, file: OpenFile, ending: str) -> None:
    """A connection told to close sends the file, and what is written behind it, first."""
    talker, client = await eager.connect(HalfTalker)
    done = file.send(talker)
    talker.transport.write(b"end")
    getattr(talker.transport, ending)()
    assert await client.ends() == "closed"
    assert client.got == LONG + b"end"
    assert await done == "sent"


# Files that are not in memory


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Offset and count of every part that a thread reads."""
    made: list[tuple[int, int]] = []
    fetch = ReadAhead.fetch

    def noting(self: ReadAhead, file: int, offset: int, count: int, then: Callable[[], object]) -> None:
        made.append((offset, count))
        fetch(self, file, offset, count, then)

    monkeypatch.setattr(ReadAhead, "fetch", noting)
    return made


async def test_file_in_memory(eager: Line, file: OpenFile, reads: list[tuple[int, int]]) -> None:
    """No thread reads what the page cache holds, where the system can tell."""
    try:
        os.preadv(file.number, [bytearray(1)], 0, os.RWF_NOWAIT)
    except OSError:
        pytest.skip("this file system does not tell what is in memory")
    talker, client = await eager.connect()
    done = file.send(talker)
    await client.has(LONG)
    assert (await done, reads) == ("sent", [])


async def test_file_on_disk(eager: Line, file: OpenFile, reads: list[tuple[int, int]]) -> None:
    """What is not in memory is read by a thread first, and then sent all the same."""
    os.fsync(file.number)
    os.posix_fadvise(file.number, 0, 0, os.POSIX_FADV_DONTNEED)
    try:
        os.preadv(file.number, [bytearray(1)], 0, os.RWF_NOWAIT)
        pytest.skip("this file system does not let go of memory")
    except OSError:
        pass
    talker, client = await eager.connect()
    talker.transport.write(b"head")
    done = file.send(talker)
    await client.has(b"head" + LONG)
    assert await done == "sent"
    assert reads[0] == (0, MIB)


@pytest.mark.parametrize("ending", ["none", "loseConnection", "loseWriteConnection"])
async def test_system_that_cannot_tell(
    eager: Line,
    file: OpenFile,
    reads: list[tuple[int, int]],
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
) -> None:
    """Where nobody knows what is in memory a thread reads every piece, once."""
    monkeypatch.setattr(sendfile, "_resident", lambda file, offset: False)
    talker, client = await eager.connect(HalfTalker)
    done = file.send(talker)
    talker.transport.write(b"end")
    getattr(talker.transport, ending, lambda: None)()
    await client.has(LONG + b"end")
    assert await done == "sent"
    assert reads == [(start, min(MIB, len(LONG) - start)) for start in range(0, len(LONG), MIB)]


async def test_client_leaves_while_a_thread_reads(
    eager: Line, file: OpenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread has a descriptor of its own, and whoever waits need not wait for it."""
    waiting: list[Callable[[], object]] = []
    monkeypatch.setattr(sendfile, "_resident", lambda file, offset: False)
    monkeypatch.setattr(ReadAhead, "fetch", lambda self, file, offset, count, then: waiting.append(then))
    talker, client = await eager.connect()
    done = file.send(talker)
    await turns()
    assert not done.called
    assert talker.transport not in eager.port.reactor.getWriters()
    client.reset()
    assert await done == "ConnectionLost"
    waiting[0]()


async def test_threads_end(tmp_path: Path) -> None:
    """Threads that read end when nobody needs them, after what they still read."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    number = os.open(path, os.O_RDONLY)
    ahead = ReadAhead(reactor)
    ahead.close()
    done: Deferred[None] = Deferred()
    ahead.fetch(number, 0, 1000, lambda: done.callback(None))
    os.close(number)
    pool = ahead._pool
    assert pool is not None
    ahead.close()
    await done
    await eventually(lambda: not any(thread.is_alive() for thread in pool.threads))
    with pytest.raises(OSError, match="Bad file"):
        ahead.fetch(number, 0, 1000, turns)


# Who may send files


async def test_who_may_send_files(eager: Line) -> None:
    """A transport within a wrapper, which may encrypt, is never asked to."""
    talker, _ = await eager.connect()
    assert isinstance(talker.transport, EagerServer)
    assert bare(talker.transport) is talker.transport
    wrapper = ProtocolWrapper(WrappingFactory(Factory()), talker)
    wrapper.transport = talker.transport
    assert wrapper.send_file
    assert bare(wrapper) is None
    talker.transport.TLS = True
    assert bare(talker.transport) is None
    talker.transport.TLS = False
    stock = Line(ADOPT["stock"])
    assert bare((await stock.connect())[0].transport) is None
    await stock.stop()


async def test_the_lane_goes_past_no_wrapper(eager: Line) -> None:
    """The fast lane sends at once over a bare transport only; what a wrapper may encrypt goes through it."""
    talker, _ = await eager.connect()
    wrapper = ProtocolWrapper(WrappingFactory(Factory()), talker)
    wrapper.transport = talker.transport
    fast: Any = Mock(log=None)
    lanes = [Lane(fast, Mock()) for _ in range(2)]
    for lane, transport in zip(lanes, (talker.transport, wrapper), strict=True):
        lane.makeConnection(transport)
    assert lanes[0]._send == talker.transport.send_now
    assert lanes[1]._send == lanes[1]._write


async def test_unix_sockets_stay_the_reactors(tmp_path: Path) -> None:
    """A listening socket that is not TCP is left to the reactor."""
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(tmp_path / "socket"))
    listening.listen()
    listening.setblocking(False)
    port = EagerPort.adopt(reactor, listening.fileno(), socket.AF_UNIX, Factory.forProtocol(Talker))  # type: ignore[arg-type]
    listening.close()
    assert not isinstance(port, EagerPort)
    await port.stopListening()


def test_a_cut_file_says_so() -> None:
    """The error says how much is missing."""
    assert str(FileCut("the file ends 5 bytes too soon")).endswith("5 bytes too soon")
