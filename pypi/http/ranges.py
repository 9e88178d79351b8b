"""Parts of a file: what a ``Range`` asks for, and what is sent for it (RFC 9110 §14, RFC 2046 §5.1).

Pure: a ``DownloadPlan`` says status, headers and pieces; a route maps it onto its answer and hands
``body`` the file's own way of reading::

    plan = plan_download("GET", Conditions.of(lines), range_header, content, boundary=token_hex(16))
    Answer(code=plan.status, content_type=plan.content_type, headers=plan.headers,
           body=Stream(length=plan.length, pieces=lambda: body(plan, file.read)))
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from enum import Enum
from itertools import pairwise

from attrs import evolve, frozen

from caching.conditional import Conditions, Text, Verdict, evaluate, http_date, range_still_holds

MAX_RANGES = 16
"""More parts than any client needs; asking for more gets the whole file."""

TEXT = "text/plain; charset=utf-8"

_UNIT = re.compile(r"bytes=(.*)", re.ASCII | re.IGNORECASE)
_SPEC = re.compile(r"(\d*)-(\d*)", re.ASCII)
_BEYOND = 10**18
"""Stands for any position of more digits than a file can have bytes."""


@frozen(order=True)
class ByteRange:
    """``length`` bytes from ``start`` (from 0)."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """Position after the last byte."""
        return self.start + self.length

    def of(self, size: int) -> str:
        """``Content-Range`` of this part of ``size`` bytes."""
        return f"bytes {self.start}-{self.end - 1}/{size}"


class NoParts(Enum):
    """Why a ``Range`` selects no parts."""

    WHOLE = "absent, of another unit, malformed, overlapping or too many: send everything"
    UNSATISFIABLE = "every part lies beyond the end"


@frozen(kw_only=True)
class Content:
    """What could be sent whole.

    Attributes:
        size: bytes.
        etag: strong, quoted.
        modified: POSIX seconds.
    """

    size: int
    etag: str
    modified: float
    content_type: str = "application/octet-stream"


@frozen(kw_only=True)
class DownloadPlan:
    """What is sent for one request.

    Attributes:
        length: bytes of the body a GET gets (``Content-Length``, also of a HEAD).
        headers: those beside ``Content-Type`` and ``Content-Length``.
        pieces: the body: bytes to send as they are, and ranges to read; empty for a HEAD.
    """

    status: int
    content_type: str
    length: int
    headers: tuple[tuple[str, str], ...]
    pieces: tuple[bytes | ByteRange, ...]


def parse_range(header: Text | None, size: int) -> tuple[ByteRange, ...] | NoParts:
    """The parts of ``size`` bytes that a ``Range`` asks for, in its order.

    Parts that touch become one. Overlapping ones, or more than ``MAX_RANGES``, would let a small request
    cost much: they get the whole, as does what cannot be understood, and any range of an empty file.
    """
    text = header.decode("latin-1") if isinstance(header, bytes) else header or ""
    unit = _UNIT.fullmatch(text.strip(" \t"))
    if unit is None or size == 0 or unit[1].count(",") >= MAX_RANGES:
        return NoParts.WHOLE
    parts: list[ByteRange] = []
    specs = [one.strip(" \t") for one in unit[1].split(",") if one.strip(" \t")]
    for spec in specs:
        bounds = _bounds(spec, size)
        if bounds is None:
            return NoParts.WHOLE
        start, end = bounds
        if start >= end:
            continue
        if parts and parts[-1].end == start:
            start = parts.pop().start
        parts.append(ByteRange(start, end - start))
    if not parts:
        return NoParts.UNSATISFIABLE if specs else NoParts.WHOLE
    return NoParts.WHOLE if _overlap(parts) else tuple(parts)


def plan_download(
    method: str, given: Conditions, range_header: Text | None, content: Content, *, boundary: str
) -> DownloadPlan:
    """Decide status, headers and pieces.

    Preconditions come first, then ``If-Range``, then ``Range``, which only a GET has (RFC 9110 §13.2.2,
    §14.2).

    Args:
        method: ``GET`` or ``HEAD``.
        boundary: between the parts of a multipart body; up to 70 letters and digits that no file holds.
    """
    plan = _chosen(method, given, range_header, content, boundary)
    return evolve(plan, pieces=()) if method == "HEAD" else plan


async def body(
    plan: DownloadPlan, read: Callable[[int, int], AsyncGenerator[bytes, None]]
) -> AsyncGenerator[bytes, None]:
    """The plan's body.

    Args:
        read: (start, length) → that part of the content, piece by piece; closed when this is.
    """
    for piece in plan.pieces:
        if isinstance(piece, bytes):
            yield piece
            continue
        async with aclosing(read(piece.start, piece.length)) as reading:
            async for data in reading:
                yield data


def multipart(
    parts: tuple[ByteRange, ...], size: int, content_type: str, boundary: str
) -> tuple[bytes | ByteRange, ...]:
    """The framing of ``multipart/byteranges`` around parts of ``size`` bytes."""
    pieces: list[bytes | ByteRange] = []
    lead = "--"
    for part in parts:
        head = f"{lead}{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {part.of(size)}\r\n\r\n"
        pieces += [head.encode("ascii"), part]
        lead = "\r\n--"
    return (*pieces, f"\r\n--{boundary}--\r\n".encode("ascii"))


def _chosen(
    method: str, given: Conditions, range_header: Text | None, content: Content, boundary: str
) -> DownloadPlan:
    verdict = evaluate(method, given, etag=content.etag, modified=content.modified)
    if verdict is Verdict.NOT_MODIFIED:
        return _plan(304, content.content_type, (), *_validators(content))
    if verdict is Verdict.FAILED:
        return _plan(412, TEXT, (b"The file is not the one your request is conditional on.\n",))
    parts: tuple[ByteRange, ...] | NoParts = NoParts.WHOLE
    if method == "GET" and range_still_holds(given.if_range, etag=content.etag, modified=content.modified):
        parts = parse_range(range_header, content.size)
    if parts is NoParts.UNSATISFIABLE:
        sentence = f"The file has {content.size} bytes; the range asked for lies beyond them.\n"
        return _plan(416, TEXT, (sentence.encode("ascii"),), ("Content-Range", f"bytes */{content.size}"))
    if parts is NoParts.WHOLE:
        whole = (ByteRange(0, content.size),) if content.size else ()
        return _plan(200, content.content_type, whole, *_validators(content))
    return _partial(parts, content, boundary)


def _partial(parts: tuple[ByteRange, ...], content: Content, boundary: str) -> DownloadPlan:
    if len(parts) == 1:
        where = "Content-Range", parts[0].of(content.size)
        return _plan(206, content.content_type, parts, *_validators(content), where)
    pieces = multipart(parts, content.size, content.content_type, boundary)
    content_type = f"multipart/byteranges; boundary={boundary}"
    return _plan(206, content_type, pieces, *_validators(content))


def _plan(
    status: int, content_type: str, pieces: tuple[bytes | ByteRange, ...], *headers: tuple[str, str]
) -> DownloadPlan:
    return DownloadPlan(
        status=status,
        content_type=content_type,
        length=sum(len(one) if isinstance(one, bytes) else one.length for one in pieces),
        headers=(("Accept-Ranges", "bytes"), *headers),
        pieces=pieces,
    )


def _validators(content: Content) -> tuple[tuple[str, str], ...]:
    return ("ETag", content.etag), ("Last-Modified", http_date(content.modified))


def _bounds(spec: str, size: int) -> tuple[int, int] | None:
    """``first-last``, ``first-`` or ``-suffix`` as (start, end); start ≥ end where it selects nothing."""
    found = _SPEC.fullmatch(spec)
    if found is None or not (found[1] or found[2]):
        return None
    if not found[1]:
        return max(0, size - _position(found[2])), size
    first, last = _position(found[1]), _position(found[2]) if found[2] else _BEYOND
    return None if last < first else (first, min(last + 1, size))


def _position(digits: str) -> int:
    significant = digits.lstrip("0")
    return _BEYOND if len(significant) > 18 else int(significant or "0")


def _overlap(parts: list[ByteRange]) -> bool:
    ordered = sorted(parts)
    return any(one.end > following.start for one, following in pairwise(ordered))
