"""Compression of answers: gzip by ISA-L, which takes a tenth of zlib's time for about the same size."""

from __future__ import annotations

from isal import isal_zlib

LEVEL = 1
"""On pages of ours the higher levels take longer and gain nothing."""

GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
"""No name, no time, no system: equal bytes give equal bytes (RFC 1952 §2.3)."""

LAST_BLOCK = b"\x03\x00"
"""An empty deflate block that says it is the last (RFC 1951 §3.2.3)."""


def gzipped(body: bytes) -> bytes:
    """``body`` as gzip; equal bytes give equal bytes, on one machine."""
    packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, 16 + isal_zlib.MAX_WBITS)
    packed: bytes = packer.compress(body) + packer.flush()
    return packed


def deflated(raw: bytes) -> bytes:
    """``raw`` as deflate blocks that end on a whole byte, refer to nothing before them, and are not the last.

    Such pieces can be put one after another in any order, after ``GZIP_HEADER`` and before ``LAST_BLOCK``.
    """
    packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    packed: bytes = packer.compress(raw) + packer.flush(isal_zlib.Z_FULL_FLUSH)
    return packed


def inflated(blocks: bytes) -> bytes:
    """The bytes inside of what ``deflated`` made."""
    raw: bytes = isal_zlib.decompressobj(-isal_zlib.MAX_WBITS).decompress(blocks)
    return raw


def gzip_trailer(crc: int, length: int) -> bytes:
    """What stands behind the last block: checksum and length of all that is inside."""
    return crc.to_bytes(4, "little") + (length & 0xFFFFFFFF).to_bytes(4, "little")


# A CRC is the remainder of a polynomial over GF(2), its highest power in the lowest bit. To append n bytes is
# to multiply by x^8n and to add; so the CRC of a whole follows from those of its parts (as in zlib).

_POLYNOMIAL = 0xEDB88320


def crc_shift(length: int) -> int:
    """What a CRC is multiplied by when so many bytes follow: x^8n, modulo the polynomial of CRC-32."""
    result, power, rest = 1 << 31, 1 << 23, length  # x^0 and x^8
    while rest:
        if rest & 1:
            result = _product(power, result)
        power = _product(power, power)
        rest >>= 1
    return result


def crc_of_both(first: int, second: int, shift: int) -> int:
    """The CRC-32 of two pieces of data in a row.

    Args:
        shift: ``crc_shift`` of the length of the second.
    """
    return _product(shift, first) ^ second


def shifted(first: int, second: int) -> int:
    """``crc_shift`` of the sum of two lengths, from those of each."""
    return _product(first, second)


def _product(a: int, b: int) -> int:
    product, bit = 0, 1 << 31
    while a:
        if a & bit:
            product ^= b
            a ^= bit
        bit >>= 1
        b = (b >> 1) ^ _POLYNOMIAL if b & 1 else b >> 1
    return product
