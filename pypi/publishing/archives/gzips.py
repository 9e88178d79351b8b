"""gzip files inflated within bounds (RFC 1952)."""

from __future__ import annotations

import zlib
from collections.abc import Generator, Iterator
from typing import BinaryIO

from pypi.domain.errors import InvalidDistribution
from pypi.publishing.archives.limits import Limits
from pypi.publishing.archives.members import NotAccepted

MAGIC = b"\x1f\x8b"
CHUNK_BYTES = 256 << 10
_GZIP_ONLY = zlib.MAX_WBITS | 16


def inflated(file: BinaryIO, size: int, limits: Limits) -> Iterator[bytes]:
    """The content of a gzip file in pieces, checksums verified.

    Args:
        file: open for reading bytes, at its beginning.
        size: bytes of the file.
        limits: of expansion and of gzip members.

    Raises:
        NotAccepted: damaged, cut short, or followed by something else.
        InvalidDistribution: it expands too far.
    """
    expanded = 0
    for piece in _members(file, limits):
        expanded += len(piece)
        if expanded > limits.expansion(size):
            raise InvalidDistribution(f"File exceeds compression ratio of {limits.ratio}")
        if expanded > limits.expanded_bytes:
            raise InvalidDistribution(f"File expands to more than {limits.expanded_bytes} bytes")
        yield piece


def _members(file: BinaryIO, limits: Limits) -> Iterator[bytes]:
    data = file.read(CHUNK_BYTES)
    count = 0
    while data:
        if count and data[:2] != MAGIC[: len(data)]:
            raise NotAccepted("Trailing data")
        count += 1
        if count > limits.gzip_members:
            raise NotAccepted(f"More than {limits.gzip_members} gzip members")
        data = (yield from _member(file, data)) or file.read(CHUNK_BYTES)


def _member(file: BinaryIO, data: bytes) -> Generator[bytes, None, bytes]:
    """Yields a member's content; returns what was read beyond its end."""
    inflater = zlib.decompressobj(_GZIP_ONLY)
    while not inflater.eof:
        try:
            piece = inflater.decompress(data, CHUNK_BYTES)
        except zlib.error:
            raise NotAccepted("Malformed gzip data") from None
        data = inflater.unconsumed_tail
        if piece:
            yield piece
        elif not data and not inflater.eof:
            data = file.read(CHUNK_BYTES)
            if not data:
                raise NotAccepted("Unexpected end of data")
    return inflater.unused_data
