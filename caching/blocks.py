"""Large bodies of blocks, each compressed apart, so that a change of one leaves the others as they are."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from attrs import field, frozen

from caching.compression import (
    GZIP_HEADER,
    LAST_BLOCK,
    crc_of_both,
    crc_shift,
    deflated,
    gzip_trailer,
    inflated,
    shifted,
)
from caching.conditional import strong_etag

PIECE = 64 * 1024
"""Bytes that go to a client at once, or a block where that is more."""

RUN = 32
"""Blocks that are added up at a time: in a body that changes little, most runs stay as they are."""


@frozen(eq=False)
class Block:
    """A part of a body; all that is kept of it is its compressed form.

    Attributes:
        packed: as ``deflated`` makes it.
        length: bytes inside.
        crc: CRC-32 of the bytes inside.
        shift: ``crc_shift`` of ``length``.
        digest: of the bytes inside.
        packed_digest: of ``packed``.
    """

    packed: bytes = field(repr=False)
    length: int
    crc: int
    shift: int
    digest: bytes = field(repr=False)
    packed_digest: bytes = field(repr=False)

    @classmethod
    def of(cls, raw: bytes) -> Block:
        """The block of these bytes."""
        packed = deflated(raw)
        return cls(
            packed=packed,
            length=len(raw),
            crc=zlib.crc32(raw),
            shift=crc_shift(len(raw)),
            digest=_digest(raw),
            packed_digest=_digest(packed),
        )


@frozen(eq=False)
class Run:
    """Some blocks in a row, added up.

    Attributes:
        crc: CRC-32 of the bytes inside.
        shift: ``crc_shift`` of ``length``.
        length: bytes inside.
        packed_length: bytes of their compressed forms.
    """

    blocks: Sequence[Block] = field(repr=False)
    crc: int
    shift: int
    length: int
    packed_length: int

    @classmethod
    def of(cls, blocks: Sequence[Block]) -> Run:
        """Add up; takes some microseconds for each."""
        crc, shift = 0, crc_shift(0)
        for block in blocks:
            crc, shift = crc_of_both(crc, block.crc, block.shift), shifted(shift, block.shift)
        length, packed = sum(one.length for one in blocks), sum(len(one.packed) for one in blocks)
        return cls(blocks, crc, shift, length, packed)


@frozen(eq=False, kw_only=True)
class Whole:
    """A body of blocks, ready to be sent in either coding.

    Attributes:
        blocks: in order.
        length: bytes of the body as it is.
        packed_length: bytes of the body as one gzip member.
        etag: strong validator of the body as it is; quoted. Bodies cut in the same places have it alike
            when they are alike.
        packed_etag: strong validator of the gzip member.
    """

    blocks: Sequence[Block] = field(repr=False)
    length: int
    packed_length: int
    etag: str
    packed_etag: str
    _runs: Sequence[Run] = field(repr=False)
    _trailer: bytes = field(repr=False)

    @classmethod
    def of(cls, blocks: Sequence[Block], before: Whole | None = None) -> Whole:
        """Put blocks together.

        Args:
            before: a body with many of the same blocks, which need not be added up again.
        """
        runs = _runs(blocks, () if before is None else before._runs)
        crc = length = 0
        for run in runs:
            crc = crc_of_both(crc, run.crc, run.shift)
            length += run.length
        trailer = LAST_BLOCK + gzip_trailer(crc, length)
        packed_etag = strong_etag(b"".join(block.packed_digest for block in blocks))
        return cls(
            blocks=blocks,
            length=length,
            packed_length=len(GZIP_HEADER) + sum(run.packed_length for run in runs) + len(trailer),
            etag=strong_etag(b"".join(block.digest for block in blocks)),
            packed_etag=f'{packed_etag[:-1]}-gz"',
            runs=runs,
            trailer=trailer,
        )

    def plain(self) -> Iterator[bytes]:
        """The body as it is, piece by piece; each is unpacked when it is asked for."""
        return _gathered(inflated(block.packed) for block in self.blocks)

    def packed(self) -> Iterator[bytes]:
        """The body as one gzip member, piece by piece."""
        return _gathered((GZIP_HEADER, *(block.packed for block in self.blocks), self._trailer))


def _runs(blocks: Sequence[Block], before: Sequence[Run]) -> list[Run]:
    """All blocks in runs, those of before where they are the same."""
    runs = []
    for number, start in enumerate(range(0, len(blocks), RUN)):
        part = tuple(blocks[start : start + RUN])
        known = before[number] if number < len(before) else None
        runs.append(known if known is not None and known.blocks == part else Run.of(part))
    return runs


def _gathered(pieces: Iterator[bytes] | Sequence[bytes]) -> Iterator[bytes]:
    """The same bytes in fewer pieces."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        if size + len(piece) > PIECE and waiting:
            yield b"".join(waiting)
            waiting, size = [], 0
        waiting.append(piece)
        size += len(piece)
    yield b"".join(waiting)


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=15).digest()
