"""The real site over memory: a connection whose both ends a test holds, and a clock it turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, frozen
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IHalfCloseableDescriptor
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import LogEvent, LogLevel, globalLogPublisher
from twisted.python.failure import Failure
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET
from zope.interface import implementer

from pypi.http.caller import Callers, Networks
from pypi.http.hosts import Hosts
from pypi.http.limits import Limits
from pypi.http.request import Request
from pypi.http.site import Site

HOST = "index.example"
Handler = Callable[[Request], Awaitable[None]]


@implementer(IHalfCloseableDescriptor)
class MemoryTransport(StringTransport):
    """Delivers only while nobody has paused it, and closes when the test lets it, as sockets do."""

    half_closed = False
    aborted = False
    choked = False
    dataBuffer = b""
    offset = 0
    _tempDataLen = 0

    def choke(self) -> None:
        """From now on the client takes nothing of what is written."""
        self.choked = True
        self.producer.pauseProducing()

    def take(self) -> None:
        """The client takes everything that has been written."""
        self._tempDataLen = 0
        self.producer.resumeProducing()

    def loseWriteConnection(self) -> None:
        self.half_closed = True

    def abortConnection(self) -> None:
        self.aborted = self.disconnecting = True

    def write(self, data: bytes) -> None:
        if not (self.half_closed or self.disconnecting):
            super().write(data)
            self._tempDataLen += len(data) if self.choked else 0

    def writeSequence(self, data: Iterable[bytes]) -> None:
        self.write(b"".join(data))

    @property
    def closed(self) -> bool:
        """Whether the other end sees the connection close."""
        return self.half_closed or self.disconnecting


class Wire:
    """One connection to a site, with the client's end in the test's hands."""

    def __init__(self, site: Site, peer: str = "203.0.113.7") -> None:
        self.transport = MemoryTransport(
            hostAddress=IPv4Address("TCP", "192.0.2.1", 8080), peerAddress=IPv4Address("TCP", peer, 50000)
        )
        self.channel: Any = site.buildProtocol(self.transport.peerAddr)
        self.lost = False
        self._inbox: deque[bytes] = deque()
        self.channel.makeConnection(self.transport)

    def send(self, *pieces: bytes) -> None:
        """Send, cut as given; what the server does not read yet stays under way."""
        self._inbox.extend(piece for piece in pieces if piece)
        self.pump()

    def pump(self) -> None:
        """Deliver what is under way, as far as the server reads; then close what wants to close."""
        while self._inbox and self.transport.producerState == "producing" and not self.lost:
            if self.transport.disconnecting:
                break
            self.channel.dataReceived(self._inbox.popleft())
        if self.transport.disconnecting and not self.lost:
            self.lose(ConnectionAborted() if self.transport.aborted else ConnectionDone())

    def lose(self, why: Exception | None = None) -> None:
        """The connection is gone."""
        self.lost = True
        self.channel.connectionLost(Failure(why or ConnectionDone()))

    @property
    def under_way(self) -> int:
        """Bytes sent that the server has not read."""
        return sum(map(len, self._inbox))

    @property
    def output(self) -> bytes:
        """Everything the server has written."""
        return self.transport.value()

    def answers(self) -> list[Response]:
        """What the server has written, as answers (also interim ones)."""
        return parse_responses(self.output)

    @property
    def statuses(self) -> list[int]:
        """The statuses of all answers so far."""
        return [answer.status for answer in self.answers()]


@frozen
class Response:
    """One answer as a client reads it."""

    status: int
    reason: bytes
    headers: dict[bytes, bytes]
    body: bytes


def parse_responses(data: bytes, *, head: bool = False) -> list[Response]:
    """Read every answer in ``data``; fails on anything that is not exactly a row of complete answers."""
    answers = []
    while data:
        block, found, data = data.partition(b"\r\n\r\n")
        assert found, f"incomplete head: {block!r}"
        start, *lines = block.split(b"\r\n")
        version, status, reason = start.split(b" ", 2)
        assert version in (b"HTTP/1.1", b"HTTP/1.0"), start
        pairs = [line.split(b": ", 1) for line in lines]
        headers = {name.lower(): value for name, value in pairs}
        assert len(headers) == len(pairs), f"repeated header in {block!r}"
        code = int(status)
        if code == 100 or code == 304 or code == 204 or head:
            body = b""
        elif b"content-length" in headers:
            length = int(headers[b"content-length"])
            body, data = data[:length], data[length:]
            assert len(body) == length, "incomplete body"
        else:
            body, data = _dechunk(data) if b"transfer-encoding" in headers else (data, b"")
        answers.append(Response(code, reason, headers, body))
    return answers


def _dechunk(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        body += data[:length]
        assert data[length : length + 2] == b"\r\n"
        data = data[length + 2 :]
        if not length:
            return body, data


@define
class Page(Resource):
    """A leaf that lets a coroutine answer, cancelled on disconnect as Klein does it."""

    handler: Handler
    isLeaf = True

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def render(self, request: Request) -> int:
        running = Deferred.fromCoroutine(_run(self.handler, request))
        running.addErrback(request.processingFailed)
        running.addErrback(lambda _: None)
        request.notifyFinish().addErrback(lambda _: running.cancel())
        return NOT_DONE_YET


async def _run(handler: Handler, request: Request) -> None:
    await handler(request)


def reply(request: Request, body: bytes = b"ok", status: int = 200) -> None:
    """Answer with a whole body."""
    request.setResponseCode(status)
    request.setHeader(b"Content-Length", b"%d" % len(body))
    request.write(body)
    request.finish()


@define
class Service:
    """A site with its clock, and what its handler saw."""

    site: Site
    clock: Clock
    logged: list[Request]

    def connect(self, peer: str = "203.0.113.7") -> Wire:
        """A new connection."""
        return Wire(self.site, peer)


def serve(handler: Handler, *, limits: Limits | None = None, trusted: tuple[str, ...] = ()) -> Service:
    """A site on a clock of its own, answering for ``HOST`` and loopback."""
    clock = Clock()
    logged: list[Request] = []
    site = Site(
        Page(handler),
        reactor=clock,
        hosts=Hosts.of([HOST], loopback=True),
        callers=Callers(Networks.of(trusted)),
        limits=limits or Limits(),
        uncounted=Networks.of(["127.0.0.0/8"]),
        access_log=logged.append,
    )
    return Service(site, clock, logged)


@contextmanager
def errors_logged() -> Iterator[list[LogEvent]]:
    """The errors and tracebacks that reach the log meanwhile."""
    errors: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        level = event.get("log_level", LogLevel.info)
        if level >= LogLevel.error or event.get("isError") or event.get("log_failure") is not None:
            errors.append(event)

    globalLogPublisher.addObserver(observe)
    try:
        yield errors
    finally:
        globalLogPublisher.removeObserver(observe)
