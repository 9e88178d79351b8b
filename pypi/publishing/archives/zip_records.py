"""The records of a ZIP file's members, read one at a time from front to back.

Source: APPNOTE.TXT 6.3.10 §4.3.7, §4.3.12 (records), §4.5.3 (ZIP64 extra field), §4.6.9 (Unicode path).
"""

from __future__ import annotations

from struct import Struct
from typing import BinaryIO

from attrs import define, frozen

from pypi.publishing.archives.members import NotAccepted, shown

LOCAL = b"PK\x03\x04"
CENTRAL = b"PK\x01\x02"

_LOCAL = Struct("<5H3L2H")
_CENTRAL = Struct("<6H3L5H2L")
_EXTRA = Struct("<2H")

FULL32 = 0xFFFFFFFF
_NEWEST_VERSION = 63

_ENCRYPTED = 1 << 0
_DESCRIPTOR = 1 << 3
_UTF8 = 1 << 11
_KNOWN_FLAGS = _ENCRYPTED | 1 << 1 | 1 << 2 | _DESCRIPTOR | _UTF8

_ZIP64 = 0x0001
_UNICODE_PATH = 0x7075
_ZIP64_LENGTHS = {0, 8, 16, 24, 28}

MALFORMED = "Malformed zip file"


@define
class Reader:
    """A file read forwards; running out of it is an error.

    Attributes:
        file: opened for reading bytes, at its beginning.
        size: bytes of the whole file.
        position: bytes read or skipped so far.
    """

    file: BinaryIO
    size: int
    position: int = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        data = self.file.read(count)
        if len(data) != count:
            raise NotAccepted(MALFORMED)
        self.position += count
        return data

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes."""
        if count > self.size - self.position:
            raise NotAccepted(MALFORMED)
        self.position += count
        self.file.seek(self.position)

    def unpack(self, layout: Struct) -> tuple[int, ...]:
        """The next record of a fixed layout."""
        return layout.unpack(self.take(layout.size))


@frozen(kw_only=True)
class Entry:
    """A member as its local header or its record in the central directory describes it.

    Attributes:
        name: as stored, decoded; a folder's ends with a slash.
        flags: general purpose bits.
        method: 0 stored, 8 deflated.
        crc: CRC-32 of the content.
        compressed: bytes in the file.
        size: bytes of content.
        header_at: where the local header starts in the file.
        mode: Unix type and permission bits; 0 when unknown, as in a local header.
        data_at: where the data starts in the file; 0 in the central directory.
    """

    name: str
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    header_at: int
    mode: int = 0
    data_at: int = 0


def read_local(reader: Reader) -> Entry:
    """The local header whose signature was just read."""
    header_at = reader.position - 4
    version, flags, method, _, _, crc, compressed, size, name_bytes, extra_bytes = reader.unpack(_LOCAL)
    _check_flags(version, flags)
    name = _decoded(reader.take(name_bytes), flags)
    extras = _extras(reader.take(extra_bytes), name)
    size, compressed, _ = _wide(extras.get(_ZIP64), size, compressed, header_at)
    return Entry(
        name=name,
        flags=flags,
        method=method,
        crc=crc,
        compressed=compressed,
        size=size,
        header_at=header_at,
        data_at=reader.position,
    )


def read_central(reader: Reader) -> Entry:
    """The central directory record whose signature was just read."""
    (_, version, flags, method, _, _, crc, compressed, size, name_bytes, extra_bytes, comment_bytes,
     disk, _, attributes, header_at) = reader.unpack(_CENTRAL)  # fmt: skip
    _check_flags(version, flags)
    name = _decoded(reader.take(name_bytes), flags)
    extras = _extras(reader.take(extra_bytes), name)
    if comment_bytes:
        raise NotAccepted("Comment in central directory")
    if disk:
        raise NotAccepted(MALFORMED)
    size, compressed, header_at = _wide(extras.get(_ZIP64), size, compressed, header_at)
    return Entry(
        name=name,
        flags=flags,
        method=method,
        crc=crc,
        compressed=compressed,
        size=size,
        header_at=header_at,
        mode=attributes >> 16,
    )


def _check_flags(version: int, flags: int) -> None:
    if flags & _ENCRYPTED:
        raise NotAccepted("Encrypted members are not allowed")
    if flags & _DESCRIPTOR:
        raise NotAccepted("ZIP contains a data descriptor")
    if flags & ~_KNOWN_FLAGS or version & 0xFF > _NEWEST_VERSION:
        raise NotAccepted("ZIP uses features that are not supported")


def _decoded(raw: bytes, flags: int) -> str:
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise NotAccepted("Filename not unicode") from None
    if not flags & _UTF8 and not name.isascii():
        # Readers take such a name for code page 437, and see another one.
        raise NotAccepted(f"Filename {shown(name)} is not marked as UTF-8")
    return name


def _extras(raw: bytes, name: str) -> dict[int, bytes]:
    fields: dict[int, bytes] = {}
    at = 0
    while at < len(raw):
        if at + _EXTRA.size > len(raw):
            raise NotAccepted(MALFORMED)
        kind, length = _EXTRA.unpack_from(raw, at)
        at += _EXTRA.size
        if at + length > len(raw):
            raise NotAccepted(MALFORMED)
        if kind in fields and kind in (_ZIP64, _UNICODE_PATH):
            raise NotAccepted("Invalid duplicate extra in local file")
        fields[kind] = raw[at : at + length]
        at += length
    if _UNICODE_PATH in fields:
        _check_unicode_path(fields[_UNICODE_PATH], name)
    return fields


def _check_unicode_path(field: bytes, name: str) -> None:
    # One byte of version and four of CRC precede the name.
    try:
        unicode_name = field[5:].decode()
    except UnicodeDecodeError:
        raise NotAccepted("Filename not valid UTF-8") from None
    if unicode_name != name:
        raise NotAccepted(f"Filename {shown(name)} has another Unicode path")


def _wide(field: bytes | None, size: int, compressed: int, header_at: int) -> tuple[int, int, int]:
    """Size, compressed size and offset, those too large for 32 bits taken from the ZIP64 field.

    The field holds the values whose place in the header is filled with ones, in order. A field nobody
    needs is let through when it repeats the header.
    """
    narrow = (size, compressed, header_at)
    if field is None:
        return narrow
    if len(field) not in _ZIP64_LENGTHS:
        raise NotAccepted(MALFORMED)
    values = [int.from_bytes(field[at : at + 8], "little") for at in range(0, len(field), 8)]
    missing = narrow.count(FULL32)
    if not missing:
        if tuple(values) != (*narrow, 0)[: len(values)]:
            raise NotAccepted(MALFORMED)
        return narrow
    if len(field) != 8 * missing:
        raise NotAccepted(MALFORMED)
    wide = iter(values)
    size, compressed, header_at = (next(wide) if value == FULL32 else value for value in narrow)
    return size, compressed, header_at
