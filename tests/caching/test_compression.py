"""Compression: gzip that is a function of its input, and pieces that can be put together."""

from __future__ import annotations

import gzip
import zlib

from hypothesis import given
from hypothesis import strategies as st

from caching.compression import (
    GZIP_HEADER,
    LAST_BLOCK,
    crc_of_both,
    crc_shift,
    deflated,
    gzip_trailer,
    gzipped,
    inflated,
)


@given(st.binary(max_size=5000))
def test_gzip_is_a_function(body: bytes) -> None:
    """Equal bytes give equal bytes, which any gzip unpacks to what they were."""
    assert gzipped(body) == gzipped(body)
    assert gzip.decompress(gzipped(body)) == body


def test_large_bodies() -> None:
    """A body larger than any buffer gets small, and comes back whole."""
    body = b"".join(b"a line like %d others\n" % number for number in range(200_000))
    packed = gzipped(body)
    assert len(packed) < len(body) // 3
    assert gzip.decompress(packed) == body


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_pieces_in_a_row(pieces: list[bytes]) -> None:
    """Pieces compressed apart are one gzip member when they stand in a row, with the CRC made of theirs."""
    crc = length = 0
    for piece in pieces:
        crc = crc_of_both(crc, zlib.crc32(piece), crc_shift(len(piece)))
        length += len(piece)
    packed = GZIP_HEADER + b"".join(map(deflated, pieces)) + LAST_BLOCK + gzip_trailer(crc, length)
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert reader.decompress(packed) == b"".join(pieces)
    assert reader.eof
    assert reader.unused_data == b""


@given(st.binary(max_size=5000))
def test_a_piece_by_itself(raw: bytes) -> None:
    """A piece comes back without its neighbours."""
    assert inflated(deflated(raw)) == raw


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_crc_of_two(first: bytes, second: bytes) -> None:
    """The CRC of two pieces follows from theirs and the length of the second."""
    together = crc_of_both(zlib.crc32(first), zlib.crc32(second), crc_shift(len(second)))
    assert together == zlib.crc32(first + second)


def test_crc_across_gigabytes() -> None:
    """A piece of any length is appended at the price of its length's digits."""
    million = zlib.crc32(bytes(1_000_000))
    crc, length = zlib.crc32(b"x"), 0
    for _ in range(3):
        crc, length = crc_of_both(crc, million, crc_shift(1_000_000)), length + 1_000_000
    assert crc == zlib.crc32(b"x" + bytes(length))
    assert crc_of_both(0, 7, crc_shift(1 << 40)) == 7
