"""The lines of an access log: combined, as every analyser reads them, or one JSON object each.

A line is five pieces of bytes, one after another, so that whoever answers at great speed can keep the pieces
and join them: ``prefix + stamp + request + answer + suffix``. In both formats

- ``prefix`` is the caller's, the same for a connection;
- ``stamp`` is the second's;
- ``request`` is the request line without its line end, such as ``GET /simple/ HTTP/1.1``;
- ``answer`` is the answer's: status, bytes of the body, and in JSON also what follows from the route;
- ``suffix`` is the client's: referer and agent, the same for a block of header lines; it ends the line.

Everything a client can choose is escaped, so that it can neither end a field nor a line; what is very long is
cut. A line is at most 4 KiB, which a pipe takes in one piece.
"""

from __future__ import annotations

import json
import re
import time
from typing import Protocol

from attrs import frozen

LONGEST_TARGET = 2000
LONGEST_FIELD = 500
"""Bytes of a URL, and of a referer or agent, as they stand in a line."""

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_CLEAN = re.compile(rb"[ !#-\[\]-~]*")
_UNCLEAN = re.compile(rb"[^ !#-\[\]-~]")


class Lines(Protocol):
    """A format of lines. Each call makes one piece."""

    def prefix(self, address: str) -> bytes:
        """Of a caller: its IP address, or ``local``."""

    def stamp(self, seconds: float) -> bytes:
        """Of a moment, in POSIX seconds."""

    def request(self, method: bytes, target: bytes, version: bytes) -> bytes:
        """Of a request line. Where all three are printable ASCII without ``"`` and ``\\``, and the target is
        at most ``LONGEST_TARGET`` bytes long, this is just the three with a space between them."""

    def answer(
        self, code: int, size: int, *, seconds: float = 0.0, cache: bytes = b"", route: str = ""
    ) -> bytes:
        """Of an answer.

        Args:
            code: status.
            size: bytes of the body that were sent.
            seconds: from the head of the request to the end of the answer; 0 for the fast lane's.
            cache: value of ``Cache-Status``.
            route: pattern of the route.
        """

    def suffix(self, referer: bytes | None, agent: bytes | None) -> bytes:
        """Of the values of ``Referer`` and ``User-Agent`` (the last, where there are several)."""


@frozen
class Combined:
    """``address - user [time] "request" status bytes "referer" "agent"``; nobody is a user yet: ``-``."""

    def prefix(self, address: str) -> bytes:
        """Of a caller."""
        return b"%s - - " % address.encode("ascii", "replace")

    def stamp(self, seconds: float) -> bytes:
        """Of a moment, in UTC."""
        at = time.gmtime(seconds)
        told = f"{at.tm_mday:02}/{_MONTHS[at.tm_mon - 1]}/{at.tm_year}:{at.tm_hour:02}:{at.tm_min:02}"
        return f'[{told}:{at.tm_sec:02} +0000] "'.encode()

    def request(self, method: bytes, target: bytes, version: bytes) -> bytes:
        """Of a request line."""
        return b"%s %s %s" % (_hex(method), _hex(target, LONGEST_TARGET), version)

    def answer(
        self, code: int, size: int, *, seconds: float = 0.0, cache: bytes = b"", route: str = ""
    ) -> bytes:
        """Of an answer: status and bytes."""
        return b'" %d %d ' % (code, size)

    def suffix(self, referer: bytes | None, agent: bytes | None) -> bytes:
        """Of a client."""
        return b'"%s" "%s"\n' % (_hex(text(referer)) or b"-", _hex(text(agent)) or b"-")


@frozen
class Json:
    """One object a line, always with the same members in the same order.

    Attributes:
        worker: which of the workers writes.
    """

    worker: str = "0"

    def prefix(self, address: str) -> bytes:
        """Of a caller."""
        return b'{"address":"%s","user":null,' % address.encode("ascii", "replace")

    def stamp(self, seconds: float) -> bytes:
        """Of a moment, in UTC."""
        return time.strftime('"time":"%Y-%m-%dT%H:%M:%SZ","request":"', time.gmtime(seconds)).encode()

    def request(self, method: bytes, target: bytes, version: bytes) -> bytes:
        """Of a request line."""
        return b"%s %s %s" % (_json(method), _json(target, LONGEST_TARGET), version)

    def answer(
        self, code: int, size: int, *, seconds: float = 0.0, cache: bytes = b"", route: str = ""
    ) -> bytes:
        """Of an answer; ``seconds`` to a tenth of a millisecond."""
        return b'","status":%d,"bytes":%d,"seconds":%.4f,"cache":%s,"route":%s,' % (
            code,
            size,
            seconds,
            _or_null(cache),
            _or_null(route.encode()),
        )

    def suffix(self, referer: bytes | None, agent: bytes | None) -> bytes:
        """Of a client."""
        worker = _json(self.worker.encode())
        return b'"referer":%s,"agent":%s,"worker":"%s"}\n' % (
            _or_null(text(referer)),
            _or_null(text(agent)),
            worker,
        )


def text(value: bytes | None) -> bytes:
    """A header's value as UTF-8, as routes see it: Latin-1 where it is not."""
    if value is None or value.isascii():
        return value or b""
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1").encode()
    return value


def _hex(value: bytes, longest: int = LONGEST_FIELD) -> bytes:
    """Quotes, backslashes and what is not printable ASCII as ``\\xHH``, like nginx and Apache."""
    if len(value) <= longest and _CLEAN.fullmatch(value):
        return value
    value = value[:longest]
    escaped = _UNCLEAN.sub(lambda found: b"\\x%02X" % found[0][0], value)
    if len(escaped) <= longest:
        return escaped
    return _UNCLEAN.sub(lambda found: b"\\x%02X" % found[0][0], value[: longest // 4])


def _json(value: bytes, longest: int = LONGEST_FIELD) -> bytes:
    """The inside of a JSON string, in ASCII."""
    if len(value) <= longest and _CLEAN.fullmatch(value):
        return value
    escaped = _in_json(value[:longest])
    return escaped if len(escaped) <= longest else _in_json(value[: longest // 6])


def _in_json(value: bytes) -> bytes:
    return json.dumps(value.decode("utf-8", "replace")).encode("ascii")[1:-1].replace(b"\x7f", b"\\u007f")


def _or_null(value: bytes) -> bytes:
    return b'"%s"' % _json(value) if value else b"null"
