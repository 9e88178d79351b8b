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
from functools import lru_cache
from typing import Protocol

from attrs import frozen

from pypi.http.hushed import hushed

LONGEST_TARGET = 2048
LONGEST_FIELD = 650
LONGEST_OWN = 150
"""Bytes of a URL, of a referer or agent, and of what we say ourselves, as they stand in a line."""

REMEMBERED = 1024
"""Values whose escaped form is remembered: agents repeat, and pip's is full of quotes."""

_END_OF_REQUEST = b' HTTP/1.1"'
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_CLEAN = re.compile(rb"[ !#-\[\]-~]*")
_HEX = {n: f"\\x{n:02X}" for n in range(256) if not _CLEAN.fullmatch(bytes((n,)))}
_HALF_HEX = re.compile(rb"\\x?[0-9A-F]?\Z")
_JSON_CHARACTERS = re.compile(rb"(?:[^\\]|\\u[0-9a-f]{4}|\\[^u])*")


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

    def parts(self, line: bytes) -> tuple[bytes, bytes]:
        """The target and the suffix of a line that the fast lane wrote."""


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
        return b'"%s" "%s"\n' % (_hex(hushed(text(referer))) or b"-", _hex(text(agent)) or b"-")

    def parts(self, line: bytes) -> tuple[bytes, bytes]:
        """Target and suffix; behind the request stand two numbers."""
        head, _, answer = line.partition(_END_OF_REQUEST)
        return head.rpartition(b" ")[2], answer.split(b" ", 3)[-1]


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
            _or_null(cache, LONGEST_OWN),
            _or_null(route.encode(), LONGEST_OWN),
        )

    def suffix(self, referer: bytes | None, agent: bytes | None) -> bytes:
        """Of a client."""
        worker = _json(self.worker.encode(), LONGEST_OWN)
        return b'"referer":%s,"agent":%s,"worker":"%s"}\n' % (
            _or_null(hushed(text(referer))),
            _or_null(text(agent)),
            worker,
        )

    def parts(self, line: bytes) -> tuple[bytes, bytes]:
        """Target and suffix, which begins with the referer."""
        head, _, answer = line.partition(_END_OF_REQUEST)
        _, begins, suffix = answer.partition(b'"referer":')
        return head.rpartition(b" ")[2], begins + suffix


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
    value = value[:longest]
    if _CLEAN.fullmatch(value):
        return value
    escaped = _in_hex(value)
    return escaped if len(escaped) <= longest else _HALF_HEX.sub(b"", escaped[:longest])


@lru_cache(REMEMBERED)
def _in_hex(value: bytes) -> bytes:
    return value.decode("latin-1").translate(_HEX).encode()


def _json(value: bytes, longest: int = LONGEST_FIELD) -> bytes:
    """The inside of a JSON string, in ASCII."""
    value = value[:longest]
    if _CLEAN.fullmatch(value):
        return value
    escaped = _in_json(value)
    if len(escaped) <= longest:
        return escaped
    whole = _JSON_CHARACTERS.match(escaped, 0, longest)
    return whole[0] if whole else b""


@lru_cache(REMEMBERED)
def _in_json(value: bytes) -> bytes:
    return json.dumps(value.decode("utf-8", "replace")).encode("ascii")[1:-1].replace(b"\x7f", b"\\u007f")


def _or_null(value: bytes, longest: int = LONGEST_FIELD) -> bytes:
    return b'"%s"' % _json(value, longest) if value else b"null"
