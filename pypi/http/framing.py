"""Where the body of a request ends, and taking it out of its frame; no I/O.

Source: RFC 9112 sections 6 and 7, RFC 9110 section 8.6.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pypi.http.fields import parse_field, strip_line_end
from pypi.http.limits import Limits
from pypi.http.rejected import Rejected

_CODINGS = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:[ \t]*,[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+)*")
_CHUNK_LINE = re.compile(
    rb"([0-9A-Fa-f]{1,16})"
    rb"(?:[ \t]*;[ \t]*[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb"(?:[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
    rb'|"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*'
)
_MAX_CHUNK_LINE = 1024
_CHUNK_COST = 32
_FREE_CHUNK_COST = 1 << 18
_NEVER_IN_TRAILERS = frozenset((b"content-length", b"transfer-encoding", b"host"))


def read_framing(fields: Mapping[bytes, list[bytes]], minor: int) -> int | None:
    """How long the body is that follows these headers.

    Args:
        fields: values by lower-case name.
        minor: of the HTTP version.

    Returns:
        Bytes; None when the body is chunked.

    Raises:
        Rejected: the length is not said in exactly one valid way.
    """
    lengths = fields.get(b"content-length", [])
    codings = fields.get(b"transfer-encoding", [])
    if codings:
        _check_codings(codings, minor)
        if lengths:
            raise Rejected(400, "A request may not have both Content-Length and Transfer-Encoding.")
        return None
    if not lengths:
        return 0
    if len(lengths) != 1 or not lengths[0].isdigit() or len(lengths[0]) > 15:
        raise Rejected(400, "Content-Length must be one number of at most 15 digits.")
    return int(lengths[0])


def _check_codings(values: list[bytes], minor: int) -> None:
    if minor == 0:
        raise Rejected(400, "HTTP/1.0 has no Transfer-Encoding.")
    if len(values) != 1 or not _CODINGS.fullmatch(values[0]):
        raise Rejected(400, "Transfer-Encoding must be given once.")
    codings = [coding.strip(b" \t") for coding in values[0].lower().split(b",")]
    if codings == [b"chunked"]:
        return
    if b"identity" in codings or b"chunked" in codings[:-1]:
        raise Rejected(400, "The only Transfer-Encoding of a request is chunked, once.")
    raise Rejected(501, "The only Transfer-Encoding implemented is chunked.")


class Fixed:
    """A body of known length.

    Attributes:
        remaining: bytes that are still to come.
    """

    def __init__(self, length: int) -> None:
        self.remaining = length

    @property
    def done(self) -> bool:
        """Whether the body is complete."""
        return self.remaining == 0

    def feed(self, data: bytes, at: int) -> tuple[int, bytes]:
        """Where reading of ``data[at:]`` stopped, and the bytes of the body found there."""
        piece = data[at : at + self.remaining]
        self.remaining -= len(piece)
        return at + len(piece), piece


class Chunked:
    """A body in chunks. Chunk extensions and trailers are checked and dropped.

    Frames that cost more than they carry are refused: nobody sends a byte per chunk but to keep us busy.

    Attributes:
        remaining: None, for nobody knows.
        done: whether the body is complete.
    """

    def __init__(self, limits: Limits) -> None:
        self.remaining = None
        self.done = False
        self._limits = limits
        self._line = bytearray()
        self._chunk = 0
        self._read_line = self._take_size
        self._longest = _MAX_CHUNK_LINE
        self._credit = _FREE_CHUNK_COST
        self._trailer_bytes = 0
        self._trailers = 0

    def feed(self, data: bytes, at: int) -> tuple[int, bytes]:
        """Where reading of ``data[at:]`` stopped, and the bytes of the body found there.

        Raises:
            Rejected: the frame is broken; feed no more.
        """
        pieces: list[bytes] = []
        while at < len(data) and not self.done:
            if self._chunk:
                piece = data[at : at + self._chunk]
                self._chunk -= len(piece)
                self._credit = min(self._credit + len(piece), _FREE_CHUNK_COST)
                at += len(piece)
                pieces.append(piece)
            else:
                at = self._feed_line(data, at)
        return at, b"".join(pieces)

    def _feed_line(self, data: bytes, at: int) -> int:
        found = data.find(b"\n", at)
        end = found + 1 if found >= 0 else len(data)
        self._line += data[at:end]
        if len(self._line) > self._longest:
            raise Rejected(400, "A line between the chunks of the body is too long.")
        if self._read_line == self._take_chunk_end and not b"\r\n".startswith(self._line):
            raise Rejected(400, "A chunk of the body does not end where it should.")
        if found >= 0:
            line = bytes(self._line)
            self._line.clear()
            self._read_line(strip_line_end(line))
        return end

    def _take_size(self, line: bytes) -> None:
        found = _CHUNK_LINE.fullmatch(line)
        if found is None:
            raise Rejected(400, "A chunk of the body has a malformed size line.")
        self._credit -= _CHUNK_COST + len(line)
        if self._credit < 0:
            raise Rejected(400, "The body is cut into chunks that are too small.")
        self._chunk = int(found.group(1), 16)
        if self._chunk:
            self._read_line = self._take_chunk_end
        else:
            self._read_line = self._take_trailer
            self._longest = self._limits.header_block

    def _take_chunk_end(self, line: bytes) -> None:
        self._read_line = self._take_size

    def _take_trailer(self, line: bytes) -> None:
        if not line:
            self.done = True
            return
        self._trailer_bytes += len(line) + 2
        self._trailers += 1
        if self._trailer_bytes > self._limits.header_block or self._trailers > self._limits.headers:
            raise Rejected(400, "The body has too many trailers.")
        name, _ = parse_field(line)
        if name.lower() in _NEVER_IN_TRAILERS:
            raise Rejected(400, "A trailer may not change how the request is read.")
