"""Servers that answer as a test has it, byte for byte."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from attrs import define, field
from twisted.internet import reactor as _reactor
from twisted.internet.protocol import Factory, Protocol

reactor: Any = _reactor

Answer = Callable[[bytes], bytes | None]
"""A request → its answer; ``None``: close the connection."""


@define(eq=False)
class Scripted(Factory):
    """A server.

    Attributes:
        answer: to each request.
        close: whether to close the connection behind every answer.
        requests: all that came.
        connections: made so far.
    """

    answer: Answer
    close: bool = False
    port: int = 0
    requests: list[bytes] = field(factory=list)
    connections: int = 0

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def buildProtocol(self, address: Any) -> Any:
        self.connections += 1
        return _Scripted(self)


class _Scripted(Protocol):
    def __init__(self, server: Scripted) -> None:
        self._server = server
        self._received = b""

    def dataReceived(self, data: bytes) -> None:
        transport: Any = self.transport
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head, self._received = self._received[: end + 4], self._received[end + 4 :]
            length = head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]
            head, self._received = (
                head + self._received[: int(length or 0)],
                self._received[int(length or 0) :],
            )
            self._server.requests.append(head)
            answer = self._server.answer(head)
            if answer:
                transport.write(answer)
            if answer is None or self._server.close:
                transport.loseConnection()


@asynccontextmanager
async def scripted(answer: Answer, *, close: bool = False) -> AsyncIterator[Scripted]:
    """A server on a free port of loopback."""
    server = Scripted(answer, close)
    port = reactor.listenTCP(0, server, interface="127.0.0.1")
    server.port = port.getHost().port
    try:
        yield server
    finally:
        await port.stopListening()


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A whole answer."""
    lines = [
        f"HTTP/1.1 {status} X",
        *(f"{name.replace('_', '-')}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


def target(request: bytes) -> str:
    """What a request asks for."""
    return request.split(b" ")[1].decode()
