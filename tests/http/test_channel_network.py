"""The channel on real sockets: clients that send everything first see their answer, and memory stays flat."""

from __future__ import annotations

import http.client
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_twisted
import requests
from attrs import define, field
from twisted.internet import reactor as global_reactor
from twisted.internet.threads import deferToThread

from pypi.http.caller import Networks
from pypi.http.forms import FormLimits, read_form
from pypi.http.hosts import Hosts
from pypi.http.limits import Limits
from pypi.http.multipart import Part
from pypi.http.request import Request
from pypi.http.site import Site
from tests.http.memory import Page, errors_logged, reply

reactor: Any = global_reactor
MIB = 1 << 20


@define
class Counter:
    """A sink that counts, and remembers how much was unread at worst."""

    request: Request
    size: int = 0
    most_kept: int = 0
    largest: int = 0

    async def write(self, data: bytes) -> None:
        self.size += len(data)
        self.largest = max(self.largest, len(data))
        channel = self.request.channel
        self.most_kept = max(self.most_kept, self.request.body._unread + len(channel._pending))

    async def finish(self) -> None:
        pass

    async def abort(self) -> None:
        pass


@define
class Server:
    """A listening site and what its handlers noticed."""

    port: int = 0
    counters: list[Counter] = field(factory=list)

    async def handle(self, request: Request) -> None:
        """``/early`` refuses unread, ``/upload`` streams a form, anything else reads the body."""
        if request.text_path == "/early":
            reply(request, b"Not with this token.", 403)
        elif request.text_path == "/upload":
            form = await read_form(
                request.body,
                request.getHeader("Content-Type"),
                limits=FormLimits(total=1 << 30),
                file_fields={"content": self._opener(request)},
            )
            reply(request, b"%d" % form.files["content"].sink.size)  # type: ignore[attr-defined]
        else:
            reply(request, b"%d" % len(await request.body.read(MIB)))

    def _opener(self, request: Request) -> Callable[[Part], Any]:
        async def opened(part: Part) -> Counter:
            self.counters.append(Counter(request))
            return self.counters[-1]

        return opened


@pytest_twisted.async_yield_fixture
async def server() -> AsyncIterator[Server]:
    """A site on a free port of loopback."""
    made = Server()
    site = Site(
        Page(made.handle),
        reactor=reactor,
        hosts=Hosts.of([], loopback=True),
        limits=Limits(linger_seconds=5),
        uncounted=Networks.of(["127.0.0.0/8"]),
    )
    port = reactor.listenTCP(0, site, interface="127.0.0.1")
    made.port = port.getHost().port
    yield made
    await port.stopListening()


def post(port: int, path: str, body: Any, **headers: str) -> tuple[int, bytes, bool]:
    """POST as ``http.client`` does it: everything is sent before anything is read."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Connection") == "close"
    finally:
        connection.close()


async def test_early_refusal_reaches_who_sends_everything_first(server: Server) -> None:
    """A client that writes 60 MiB before it reads gets the refusal, not a reset."""
    with errors_logged() as errors:
        answer = await deferToThread(post, server.port, "/early", b"x" * (60 * MIB))
    assert answer == (403, b"Not with this token.", True)
    assert errors == []


async def test_early_refusal_of_chunks(server: Server) -> None:
    """The same holds for a body whose length nobody announced."""

    def chunks() -> Iterator[bytes]:
        for _ in range(500):
            yield b"x" * 65536

    assert await deferToThread(post, server.port, "/early", chunks()) == (403, b"Not with this token.", True)


async def test_early_refusal_of_a_form(server: Server) -> None:
    """The client that upload tools are built on shows the answer, with its reason."""

    def upload() -> tuple[int, str]:
        url = f"http://127.0.0.1:{server.port}/early"
        answer = requests.post(url, files={"content": ("a.whl", b"x" * (30 * MIB))}, timeout=60)
        return answer.status_code, answer.text

    assert await deferToThread(upload) == (403, "Not with this token.")


@pytest.mark.parametrize(
    ("path", "interim"), [("/early", b"HTTP/1.1 403 "), ("/read", b"HTTP/1.1 100 Continue\r\n\r\n")]
)
async def test_expect(server: Server, path: str, interim: bytes) -> None:
    """A client that asks first is refused without sending, or told to continue."""

    def ask() -> bytes:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
            client.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
            first = client.recv(65536)
            if first.endswith(b"Continue\r\n\r\n"):
                client.sendall(b"hello")
                assert client.recv(65536).endswith(b"\r\n\r\n5")
            else:
                assert client.recv(65536) == b""
            return first

    assert (await deferToThread(ask)).startswith(interim)


async def test_refused_head_is_read_by_its_client(server: Server) -> None:
    """A client that goes on sending behind a bad head reads the answer and a clean end."""

    def speak() -> bytes:
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n" + b"x" * 500000)
            received = b""
            while data := client.recv(65536):
                received += data
            return received

    received = await deferToThread(speak)
    assert received.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert received.endswith(b"\r\n\r\nA header line must be a name, a colon and a value.\n")


async def test_large_form_streams(server: Server) -> None:
    """64 MiB arrive in the sink in small pieces, with no more than the allowance kept at any time."""
    body = b'--b\r\nContent-Disposition: form-data; name="content"; filename="a"\r\n\r\n'
    size = 64 * MIB

    def pieces() -> Iterator[bytes]:
        yield body
        for _ in range(size >> 16):
            yield b"x" * 65536
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(len(body) + size + 9)}
    answer = await deferToThread(post, server.port, "/upload", pieces(), **headers)
    assert answer == (200, b"%d" % size, False)
    (counter,) = server.counters
    assert counter.most_kept <= (1 << 18) + 65536
    assert counter.largest <= (1 << 18) + 65536


async def test_connections_are_reused(server: Server) -> None:
    """Requests with and without bodies follow one another on one connection."""

    def talk() -> list[tuple[int, bytes]]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        answers = []
        for body in (b"hello", None, b"x" * 100000, b""):
            connection.request("POST", "/read", body=body)
            response = connection.getresponse()
            answers.append((response.status, response.read()))
            assert connection.sock is not None
        connection.close()
        return answers

    assert await deferToThread(talk) == [(200, b"5"), (200, b"0"), (200, b"100000"), (200, b"0")]
