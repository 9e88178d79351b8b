"""Answers to what is asked again: their heads read strictly and cheaply, their bodies counted, not kept."""

from __future__ import annotations

import re

from attrs import define, field

LONGEST_HEAD = 64 * 1024
BEGINS = 200
"""Bytes of a body that are kept."""

LONGEST_CHUNK_LINE = 1024

CHUNKED, TO_THE_END = -1, -2
"""In place of a length: how the end of a body is found otherwise."""


class Malformed(ValueError):
    """Bytes that are no answer by RFC 9112."""


@define(eq=False)
class Reply:
    """What came back.

    Attributes:
        status: 0 where nothing did.
        head: status line and headers, each with its line end.
        size: bytes of the body as sent.
        begins: the first of them.
        digest: of the body; empty where nobody asked for it.
        seconds: from the request to the last byte; with connecting, where that was needed.
        error: why there is no answer, or no whole one.
    """

    status: int = 0
    head: bytes = field(default=b"", repr=False)
    size: int = 0
    begins: bytes = field(default=b"", repr=False)
    digest: bytes = field(default=b"", repr=False)
    seconds: float = 0.0
    error: str = ""

    def header(self, name: str) -> str:
        """The value of a header, the last one of several; empty without one."""
        found = re.findall(rb"\r\n%s:[ \t]*([^\r\n]*)" % re.escape(name.encode()), self.head, re.IGNORECASE)
        return found[-1].rstrip().decode("latin-1") if found else ""


def read_head(head: bytes, *, bodiless: bool) -> tuple[int, int, bool]:
    """Understand a head.

    Args:
        head: status line and headers, each with its line end, without the empty line.
        bodiless: whether HEAD was asked.

    Returns:
        status; length of the body, ``CHUNKED`` or ``TO_THE_END``; whether the connection ends with it.

    Raises:
        Malformed: it is none, or says two things of its length.
    """
    status = head[9:12]
    if head[:7] != b"HTTP/1." or head[8:9] != b" " or head[12:13] not in b" \r" or not status.isdigit():
        raise Malformed("no status line")
    low = head.lower()
    code, closes = int(status), head[7:8] != b"1"
    at = low.find(b"\r\nconnection:")
    if at >= 0:
        said = low[at + 13 : low.index(b"\r\n", at + 2)]
        closes = b"close" in said or (closes and b"keep-alive" not in said)
    length = _length(low)
    if bodiless or code in (204, 304) or code < 200:
        return code, 0, closes
    return code, length, closes or length == TO_THE_END


def _length(low: bytes) -> int:
    at = low.find(b"\r\ncontent-length:")
    if low.find(b"\r\ntransfer-encoding:") >= 0:
        if at >= 0 or not re.search(rb"\r\ntransfer-encoding:[ \t]*chunked[ \t]*\r\n", low):
            raise Malformed("a body of unknown framing")
        return CHUNKED
    if at < 0:
        return TO_THE_END
    value = low[at + 17 : low.index(b"\r\n", at + 2)].strip()
    if not value.isdigit() or len(value) > 18 or low.find(b"\r\ncontent-length:", at + 2) >= 0:
        raise Malformed("a length that is none")
    return int(value)


@define(eq=False)
class Chunks:
    """Takes a chunked body apart.

    Attributes:
        is_over: whether its end has come.
        rest: what came behind it.
    """

    is_over: bool = False
    rest: bytes = b""
    _left: int = 0
    _waiting: bytes = b""
    _trailer: bool = False

    def feed(self, data: bytes) -> bytes:
        """Of further bytes those that belong to the body.

        Raises:
            Malformed: they are no chunks.
        """
        data, self._waiting = self._waiting + data, b""
        found = []
        while data and not self.is_over:
            if self._left > 2:
                found.append(data[: self._left - 2])
            if self._left:
                taken = min(self._left, len(data))
                # Two of them are the line end behind a chunk.
                if taken > self._left - 2 and data[max(0, self._left - 2) : taken] not in b"\r\n":
                    raise Malformed("a chunk without its end")
                self._left, data = self._left - taken, data[taken:]
            else:
                data = self._line(data)
        if self.is_over:
            self.rest = data
        return b"".join(found)

    def _line(self, data: bytes) -> bytes:
        line, end, rest = data.partition(b"\r\n")
        if not end:
            if len(data) > LONGEST_CHUNK_LINE:
                raise Malformed("a chunk without a length")
            self._waiting = data
            return b""
        if self._trailer:
            self.is_over = not line
            return rest
        size = line.partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", size):
            raise Malformed("a chunk without a length")
        self._left = int(size, 16) + 2 if int(size, 16) else 0
        self._trailer = not self._left
        return rest
