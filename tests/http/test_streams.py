"""Bodies that are files: sent by the kernel over plain TCP, in pieces over everything else."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor as global_reactor
from twisted.internet.task import Clock
from twisted.protocols.policies import WrappingFactory

from caching.policy import FOR_EVER
from caching.transport import EagerPort
from pypi.http.answer import Answer, write
from pypi.http.caller import Networks
from pypi.http.hosts import Hosts
from pypi.http.request import Request
from pypi.http.site import Site
from pypi.http.streams import FilePart, Stream
from tests.caching.test_transport import Client
from tests.caching.turns import eventually, turns
from tests.http.memory import Page, errors_logged, parse_responses, serve

reactor: Any = global_reactor
DATA = os.urandom(1 << 20) * 12


@define(eq=False)
class Desk:
    """A site that hands out one file.

    Attributes:
        held: how often the file is open.
        opened: how often it was.
        in_pieces: how often it was read the ordinary way.
        sent: how often all that was to be sent of it was.
        requests: all that are over.
        clock: of every deadline.
    """

    path: Path
    wrapped: bool = False
    held: int = 0
    opened: int = 0
    in_pieces: int = 0
    sent: int = 0
    requests: list[Request] = field(factory=list)
    clients: list[Client] = field(factory=list)
    begun: list[Request] = field(factory=list)
    port: Any = None
    clock: Clock = field(factory=Clock)

    def listen(self) -> None:
        factory: Any = self.site()
        if self.wrapped:
            factory = WrappingFactory(factory)
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        self.port = EagerPort.adopt(reactor, listening.fileno(), listening.family, factory)
        listening.close()

    def site(self) -> Site:
        return Site(
            Page(self.answer),
            reactor=self.clock,
            hosts=Hosts.of([], loopback=True),
            uncounted=Networks.of(["127.0.0.0/8"]),
            access_log=self.requests.append,
        )

    async def answer(self, request: Request) -> None:
        """``/`` is the file; ``/<offset>/<count>`` a part of it, ``/missing`` one that cannot be opened."""
        self.begun.append(request)
        offset, count = 0, len(DATA)
        if request.text_path.count("/") == 2:
            offset, count = map(int, request.text_path[1:].split("/"))
        part = FilePart(held=self._open(request.text_path == "/missing"), offset=offset, count=count)
        pieces = partial(self._pieces, offset, count)
        stream = Stream(length=count, pieces=pieces, file=part, sent=self._count)
        await write(request, Answer(body=stream, etag='"file"', content_type="text/plain"), FOR_EVER)
        request.finish()

    def _count(self) -> None:
        self.sent += 1

    @asynccontextmanager
    async def _open(self, missing: bool) -> AsyncIterator[int]:
        if missing:
            raise LookupError("there is no such file")
        await turns(1)
        number = os.open(self.path, os.O_RDONLY)
        self.held += 1
        self.opened += 1
        try:
            yield number
        finally:
            self.held -= 1
            os.close(number)

    async def _pieces(self, offset: int, count: int) -> AsyncIterator[bytes]:
        self.in_pieces += 1
        for start in range(offset, offset + count, 1 << 18):
            yield DATA[start : min(start + (1 << 18), offset + count)]

    def ask(self, *requests: bytes) -> Client:
        """A client that has sent these requests (method, path and further header lines)."""
        self.clients.append(Client(self.port.getHost().port))
        for one in requests:
            first, *more = one.split(b"\n")
            lines = [first + b" HTTP/1.1", b"Host: localhost", *more]
            self.clients[-1].socket.send(b"\r\n".join(lines) + b"\r\n\r\n")
        return self.clients[-1]

    async def stop(self) -> None:
        for client in self.clients:
            client.socket.close()
        await eventually(lambda: not self.held and not self.port.reactor.getReaders()[1:])
        await self.port.stopListening()


@pytest_twisted.async_yield_fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk; it listens when the test says so."""
    path = tmp_path / "file"
    path.write_bytes(DATA)
    made = Desk(path)
    yield made
    await made.stop()


async def test_whole_and_parts(desk: Desk) -> None:
    """Bodies come whole, one after another on one connection, sent by the kernel, and are counted."""
    desk.listen()
    client = desk.ask(b"GET /", b"GET /5/10", b"GET /1000000/1", b"GET /7/0", b"GET /\nConnection: close")
    with errors_logged() as errors:
        assert await client.ends() == "closed"
    answers = parse_responses(bytes(client.got))
    assert [answer.body for answer in answers] == [DATA, DATA[5:15], DATA[1_000_000:1_000_001], b"", DATA]
    assert {answer.status for answer in answers} == {200}
    assert (desk.opened, desk.held, desk.in_pieces, desk.sent) == (5, 0, 0, 5)
    assert [request.sentLength for request in desk.requests] == [len(DATA), 10, 1, 0, len(DATA)]
    assert errors == []


async def test_answers_without_a_body(desk: Desk) -> None:
    """For HEAD, and for what the client has already, no file is opened."""
    desk.listen()
    client = desk.ask(b"HEAD /", b'GET /\nIf-None-Match: "file"\nConnection: close')
    assert await client.ends() == "closed"
    answers = parse_responses(bytes(client.got), head=True)
    assert [(answer.status, answer.body) for answer in answers] == [(200, b""), (304, b"")]
    assert answers[0].headers[b"content-length"] == b"%d" % len(DATA)
    assert (desk.opened, desk.sent) == (0, 0)


async def test_files_among_others(desk: Desk) -> None:
    """What is asked for behind a file is answered behind it, also what comes while it is being sent."""
    desk.listen()
    client = desk.ask(b"GET /")
    await eventually(lambda: desk.held)
    client.socket.send(
        b"GET /0/3 HTTP/1.1\r\nHost: localhost\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: localhost\r\n"
    )
    client.socket.send(b"Connection: close\r\n\r\n")
    assert await client.ends() == "closed"
    answers = parse_responses(bytes(client.got))
    assert [len(answer.body) for answer in answers] == [len(DATA), 3, 0]


async def test_wrapped_transports(desk: Desk) -> None:
    """Behind a wrapper, which TLS is as well, nothing goes past it: the body is written in pieces."""
    desk.wrapped = True
    desk.listen()
    client = desk.ask(b"GET /\nConnection: close")
    assert await client.ends() == "closed"
    (answer,) = parse_responses(bytes(client.got))
    assert answer.body == DATA
    assert (desk.opened, desk.in_pieces, desk.sent) == (0, 1, 1)


async def test_client_that_leaves_what_comes_in_pieces(desk: Desk) -> None:
    """Of a client that goes in the middle nobody says that all was sent."""
    desk.wrapped = True
    desk.listen()
    client = desk.ask(b"GET /")
    await eventually(lambda: client.read(1000) or len(client.got) > 1000)
    client.reset()
    await eventually(lambda: desk.requests)
    assert (desk.in_pieces, desk.sent) == (1, 0)


async def test_other_transports(desk: Desk) -> None:
    """A transport that cannot send files gets the body in pieces."""
    desk.listen()
    wire = serve(desk.answer).connect()
    wire.send(b"GET /0/600000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert wire.answers()[0].body == DATA[:600_000]
    assert (desk.opened, desk.in_pieces) == (0, 1)


async def test_client_that_leaves(desk: Desk) -> None:
    """A client that goes in the middle costs nothing: the file is closed, and what went is counted."""
    desk.listen()
    with errors_logged() as errors:
        client = desk.ask(b"GET /")
        await eventually(lambda: client.read(1000) or len(client.got) > 1000)
        client.reset()
        await eventually(lambda: desk.requests and not desk.held)
    assert 0 < desk.requests[0].sentLength < len(DATA)
    assert desk.requests[0].aborted
    assert desk.sent == 0
    assert errors == []


async def test_client_that_leaves_early(desk: Desk) -> None:
    """Nor does one that goes while the file is being opened."""
    desk.listen()
    with errors_logged() as errors:
        for _ in range(5):
            client = desk.ask(b"GET /")
            await turns(2)
            client.reset()
        await eventually(lambda: len(desk.requests) == 5 and not desk.held)
    assert errors == []


@pytest.mark.parametrize("pace", [0, 1])
async def test_client_that_does_not_read(desk: Desk, pace: int) -> None:
    """A client that takes next to nothing is closed, and the file with it."""
    desk.listen()
    client = desk.ask(b"GET /")
    await eventually(lambda: desk.held)
    for _ in range(180):
        client.read(pace)
        await turns(1)
        desk.clock.advance(1)
    await eventually(lambda: desk.requests)
    assert desk.requests[0].aborted
    assert desk.held == 0
    assert desk.requests[0].sentLength < len(DATA)


async def test_client_that_reads_slowly_but_does(desk: Desk) -> None:
    """A client that keeps the pace asked for gets everything, however many deadlines pass."""
    desk.listen()
    client = desk.ask(b"GET /\nConnection: close")
    await eventually(lambda: desk.held)
    transport = desk.begun[0].channel.transport

    def takes(left: int) -> bool:
        return client.read(300_000) or transport.untaken < left - 62_000 or not left

    while client.end is None:
        await eventually(partial(takes, transport.untaken))
        desk.clock.advance(60)
    assert parse_responses(bytes(client.got))[0].body == DATA


async def test_file_that_shrinks(desk: Desk) -> None:
    """The connection breaks off; no client takes the part for the whole, and the operator hears of it."""
    desk.listen()
    with errors_logged() as errors:
        client = desk.ask(b"GET /")
        await eventually(lambda: desk.held)
        os.truncate(desk.path, 5_000_000)
        await client.ends()
        await eventually(lambda: desk.requests)
    assert len(client.got) < len(DATA)
    assert errors
    assert desk.held == 0


async def test_file_that_cannot_be_opened(desk: Desk) -> None:
    """Nothing is written before the file is open, so the client still gets an answer."""
    desk.listen()
    with errors_logged() as errors:
        client = desk.ask(b"GET /missing\nConnection: close")
        assert await client.ends() == "closed"
    assert parse_responses(bytes(client.got))[0].status == 500
    assert len(errors) == 1


async def test_port_stops_in_the_middle(desk: Desk) -> None:
    """A download that has begun is finished when the port listens no more."""
    desk.listen()
    client = desk.ask(b"GET /\nConnection: close")
    await eventually(lambda: desk.held)
    await desk.port.stopListening()
    assert await client.ends() == "closed"
    assert parse_responses(bytes(client.got))[0].body == DATA
    desk.listen()
