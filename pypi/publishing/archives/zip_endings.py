"""The records a ZIP file ends with, and whether a reader that starts there finds the same file.

Source: APPNOTE.TXT 6.3.10 §4.3.14 to §4.3.16.
"""

from __future__ import annotations

from struct import Struct

from attrs import frozen

from pypi.publishing.archives.members import NotAccepted
from pypi.publishing.archives.zip_records import FULL32, MALFORMED, Reader

END = b"PK\x05\x06"
END64 = b"PK\x06\x06"
LOCATOR64 = b"PK\x06\x07"

_END = Struct("<4H2LH")
_END64 = Struct("<Q2H2L4Q")
_LOCATOR64 = Struct("<LQL")

_FULL16 = 0xFFFF
_END64_BYTES = 44


@frozen
class Directory:
    """A central directory as counted while reading it."""

    records: int
    size: int
    start: int

    def check(self, records: int, size: int, start: int) -> None:
        """Compare with what an end record says.

        Raises:
            NotAccepted: it says something else.
        """
        for what, counted, said in (
            ("records", self.records, records),
            ("size", self.size, size),
            ("offset", self.start, start),
        ):
            if counted != said:
                raise NotAccepted(f"Mismatched central directory {what}")


def read_ending(reader: Reader, signature: bytes, directory: Directory) -> None:
    """The end records, and that nothing follows them.

    Args:
        reader: after ``signature``, the first after the central directory.
        signature: of the next record.
        directory: what the records have to say.
    """
    has_end64 = signature == END64
    if has_end64:
        _read_end64(reader, directory)
        signature = reader.take(4)
    if signature != END:
        raise NotAccepted(MALFORMED if has_end64 else "Unknown record signature")
    end_at = reader.position - 4
    disk, directory_disk, here, records, size, start, comment_bytes = reader.unpack(_END)
    if disk or directory_disk or here != records:
        raise NotAccepted(MALFORMED)
    if has_end64:
        records = directory.records if records == _FULL16 else records
        size = directory.size if size == FULL32 else size
        start = directory.start if start == FULL32 else start
    directory.check(records, size, start)
    comment = reader.take(comment_bytes)
    if reader.position != reader.size:
        raise NotAccepted("Trailing data")
    _check_found_from_behind(reader, end_at, comment, has_end64)


def _read_end64(reader: Reader, directory: Directory) -> None:
    end64_at = reader.position - 4
    length, _, _, disk, directory_disk, here, records, size, start = reader.unpack(_END64)
    if length != _END64_BYTES:
        raise NotAccepted("ZIP64 extensible data not allowed")
    if disk or directory_disk or here != records:
        raise NotAccepted(MALFORMED)
    directory.check(records, size, start)
    if reader.take(4) != LOCATOR64:
        raise NotAccepted(MALFORMED)
    disk, located_at, disks = reader.unpack(_LOCATOR64)
    if disk or disks > 1 or located_at != end64_at:
        raise NotAccepted(MALFORMED)


def _check_found_from_behind(reader: Reader, end_at: int, comment: bytes, has_end64: bool) -> None:
    # Readers that start from the end look for the last signature of an end record, and for a ZIP64
    # locator just before it; neither may be found where this reader saw something else.
    if END in comment:
        raise NotAccepted("End record within the archive's comment")
    locator_at = end_at - 4 - _LOCATOR64.size
    if has_end64 or locator_at < 0:
        return
    reader.file.seek(locator_at)
    if reader.file.read(4) == LOCATOR64:
        raise NotAccepted("ZIP64 locator within the central directory")
