"""A client that hides nothing: bytes out, status line, headers and body back, one connection each time."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

TIMEOUT = 180.0

Headers = Mapping[str, str | None] | Iterable[tuple[str, str]]
"""Names and values to send; of a mapping, ``None`` means not to send it."""

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) ([\t\x20-\x7e\x80-\xff]*)")
_FIELD_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([\t\x20-\x7e\x80-\xff]*)")
_STANDING = {"server", "date", "connection"}


@frozen(kw_only=True)
class Reply:
    """An answer, exactly as it came; ``reply["ETag"]`` is a header's value, ``""`` where it is absent."""

    status: int
    reason: str
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return self.headers.get(name.lower(), "")

    def __contains__(self, name: str) -> bool:
        return name.lower() in self.headers

    @property
    def headers(self) -> dict[str, str]:
        """The headers by their names in lower case, without those every answer has."""
        return {name: value for name, value in self.fields if name not in _STANDING}

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON; the order of keys is that of the text."""
        return json.loads(self.body)


class Exchange(Protocol):
    """One connection: whatever is written, and all that comes back until the other end closes.

    Attributes:
        ended: fires with everything received.
    """

    def __init__(self) -> None:
        self.ended: Deferred[bytes] = Deferred()
        self.received = b""

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.ended.callback(self.received)

    def send(self, data: bytes) -> None:
        """Write some bytes."""
        assert self.transport is not None
        self.transport.write(data)

    def vanish(self) -> None:
        """End the connection at once, as a client does that is killed."""
        self.transport.abortConnection()  # type: ignore[union-attr]


async def connect(port: int) -> Exchange:
    """Open a connection to loopback."""
    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", port, timeout=60)
    return await connectProtocol(endpoint, Exchange())


async def ask(port: int, method: str, target: str, headers: Headers = (), body: bytes = b"") -> Reply:
    """Send one request and read the answer to its end; ``Host`` and framing are added."""
    exchange = await connect(port)
    exchange.send(request(port, method, target, headers, body))
    exchange.ended.addTimeout(TIMEOUT, reactor)  # type: ignore[arg-type]
    return parse(await exchange.ended, has_body=method != "HEAD")


def request(port: int, method: str, target: str, headers: Headers = (), body: bytes = b"") -> bytes:
    """A request as bytes, after which the connection is closed."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    given = [(name, value) for name, value in pairs if value is not None]
    names = {name.lower() for name, _ in given}
    standing = [("Host", f"127.0.0.1:{port}"), ("Connection", "close")]
    if (body or method == "POST") and "transfer-encoding" not in names:
        standing.append(("Content-Length", str(len(body))))
    given += [(name, value) for name, value in standing if name.lower() not in names]
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in given), "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def parse(data: bytes, *, has_body: bool = True) -> Reply:
    """The only answer in ``data``; fails on anything that is not exactly one well-formed answer."""
    head, blank, body = data.partition(b"\r\n\r\n")
    assert blank, f"no complete answer: {data[:200]!r}"
    first, *lines = head.split(b"\r\n")
    status_line = _STATUS_LINE.fullmatch(first)
    assert status_line is not None, first
    fields = [_FIELD_LINE.fullmatch(line) for line in lines]
    assert None not in fields, lines
    pairs = tuple((one[1].decode().lower(), one[2].decode("latin-1")) for one in fields if one)
    once = [name for name, _ in pairs if name != "set-cookie"]
    assert len(set(once)) == len(once), f"a header twice: {lines}"
    status, length = int(status_line[1]), dict(pairs).get("content-length")
    if has_body and status not in (204, 304):
        assert length == str(len(body)), f"{length} bytes announced, {len(body)} sent"
    else:
        assert not body, body[:200]
    return Reply(status=status, reason=status_line[2].decode("latin-1"), fields=pairs, body=body)
