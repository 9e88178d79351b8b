"""What a file is by its first and last bytes: exactly one thing, and from its first byte on."""

from __future__ import annotations

from struct import Struct
from typing import BinaryIO

from pypi.domain.errors import InvalidDistribution
from pypi.publishing.archives import gzips, tar_records, zip_endings, zip_records

_ZIP_BEGINNINGS = (zip_records.LOCAL, zip_endings.END)
_END = Struct("<4s4H2LH")
_LONGEST_COMMENT = 0xFFFF
_PDF = b"%PDF-"
_PDF_WITHIN = 1024
"""Readers of PDF look for its mark in the first kilobyte."""


def check_is_zip(file: BinaryIO) -> None:
    """See that a file is a ZIP from its first byte, and nothing else.

    Raises:
        InvalidDistribution: it is not, or it is something else as well.
    """
    head = file.read(_PDF_WITHIN)
    if not head.startswith(_ZIP_BEGINNINGS):
        raise InvalidDistribution("File is not a zipfile")
    if tar_records.is_header(head[: tar_records.BLOCK_BYTES]):
        raise InvalidDistribution("File is both a zip and a tar file")
    _check_is_no_pdf(head)
    file.seek(0)


def check_is_tar_gz(file: BinaryIO, size: int) -> None:
    """See that a file is gzip from its first byte, and nothing else.

    Raises:
        InvalidDistribution: it is not, or it is something else as well.
    """
    head = file.read(_PDF_WITHIN)
    if not head.startswith(gzips.MAGIC):
        raise InvalidDistribution("File is not a tarfile")
    if _ends_like_zip(file, size):
        raise InvalidDistribution("File is both a zip and a tar file")
    _check_is_no_pdf(head)
    file.seek(0)


def _check_is_no_pdf(head: bytes) -> None:
    if _PDF in head:
        raise InvalidDistribution("File can be read as a PDF document")


def _ends_like_zip(file: BinaryIO, size: int) -> bool:
    """Whether a reader that starts from the end would find a central directory."""
    start = max(0, size - _END.size - _LONGEST_COMMENT)
    file.seek(start)
    tail = file.read()
    at = tail.find(zip_endings.END)
    while 0 <= at <= len(tail) - _END.size:
        _, disk, other_disk, here, records, length, offset, _ = _END.unpack_from(tail, at)
        # Four bytes alone turn up in compressed data; with plausible numbers after them they do not.
        if disk == other_disk == 0 and here == records and length + offset <= start + at:
            return True
        at = tail.find(zip_endings.END, at + 1)
    return False
