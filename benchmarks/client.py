"""A client as thin as can be, so that the time it measures is the server's."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from attrs import define, field, frozen

from benchmarks.figure import BenchmarkFailed

PATIENCE = 120.0
"""Seconds without a byte from a server after which it is given up."""

PIECE = 1 << 18

Consume = Callable[[memoryview], object]


def connect(url: str) -> socket.socket:
    """A connection to the server of a URL."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


@frozen
class Head:
    """The head of an answer.

    Attributes:
        fields: names in lower case.
        rest: what was read of the body.
    """

    status: int
    fields: Mapping[str, str]
    rest: bytes


def read_head(connection: socket.socket) -> Head:
    """The head of the answer that comes next.

    Raises:
        BenchmarkFailed: it does not come.
    """
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(PIECE)
        if not piece:
            raise BenchmarkFailed("the server closed the connection without an answer")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Head(int(status.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}, rest)


def read_body(connection: socket.socket, head: Head, consume: Consume) -> None:
    """The body after a head, up to its declared length or the end of the connection.

    Raises:
        BenchmarkFailed: the status is not 200, or the body ends early.
    """
    if head.status != 200:
        said = head.rest[:2000].decode(errors="replace")
        raise BenchmarkFailed(f"the server answered with status {head.status}: {said}")
    consume(memoryview(head.rest))
    declared = head.fields.get("content-length")
    left = int(declared) - len(head.rest) if declared is not None else 1 << 62
    buffer = memoryview(bytearray(min(left, PIECE)))
    while left > 0 and (count := connection.recv_into(buffer)):
        consume(buffer[:count])
        left -= count
    if left and declared is not None:
        raise BenchmarkFailed(f"the body of an answer ended {left} bytes early")


def ignore(_: memoryview) -> None:
    """Keep nothing of a body."""


@define
class Client:
    """One connection to a server, made again whenever the server has closed it.

    Attributes:
        origin: URL of the server.
    """

    origin: str
    _connection: socket.socket | None = field(default=None, init=False)

    @property
    def host(self) -> str:
        """The Host header."""
        return urlsplit(self.origin).netloc

    @property
    def port(self) -> int:
        """Our end of the connection; connects if need be."""
        self._connection = self._connection or connect(self.origin)
        port: int = self._connection.getsockname()[1]
        return port

    def time(self, request: bytes) -> float:
        """Seconds from the first byte of a request to the last of its answer; to connect is part of it.

        Raises:
            BenchmarkFailed: the answer is no 200, or none.
        """
        began = time.perf_counter()
        self._send(request, ignore)
        return time.perf_counter() - began

    def ask(self, request: bytes) -> bytes:
        """The body of the answer to a request, as it was sent.

        Raises:
            BenchmarkFailed: the answer is no 200, or none.
        """
        body = bytearray()
        self._send(request, body.extend)
        return bytes(body)

    def _send(self, request: bytes, consume: Consume) -> None:
        connection = self._connection = self._connection or connect(self.origin)
        connection.sendall(request)
        head = read_head(connection)
        read_body(connection, head, consume)
        if head.fields.get("connection", "").lower() == "close" or "content-length" not in head.fields:
            self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def send_file(url: str, before: bytes, file: Path, after: bytes) -> float:
    """Send a request in whose body a file stands; nobody but the kernel holds the file's bytes.

    Args:
        before: the head and the body up to the file.
        after: the rest of the body.

    Returns:
        seconds from the first byte sent to the last of the answer.

    Raises:
        BenchmarkFailed: the answer is no 200.
    """
    began = time.perf_counter()
    with closing(connect(url)) as connection, file.open("rb") as source:
        connection.sendall(before)
        connection.sendfile(source)
        connection.sendall(after)
        read_body(connection, read_head(connection), ignore)
    return time.perf_counter() - began


def fetch(url: str, consume: Consume, *, pause: float = 0.0) -> float:
    """Download a file, keeping nothing of it.

    Args:
        consume: is given each piece.
        pause: seconds between asking and reading.

    Returns:
        seconds from the end of the pause to the last byte.

    Raises:
        BenchmarkFailed: the answer is no 200, or ends early.
    """
    parts = urlsplit(url)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
    with closing(connect(url)) as connection:
        connection.sendall(request.encode())
        time.sleep(pause)
        began = time.perf_counter()
        read_body(connection, read_head(connection), consume)
        return time.perf_counter() - began
