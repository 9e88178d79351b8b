"""Headers of tar files: ustar, pax and GNU, read strictly.

A field that readers understand in different ways is refused rather than interpreted.

Source: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Extended Header"; GNU tar manual,
"Basic Tar Format".
"""

from __future__ import annotations

import re

from attrs import frozen

from pypi.publishing.archives.limits import Limits
from pypi.publishing.archives.members import NotAccepted

BLOCK_BYTES = 512
ZERO_BLOCK = bytes(BLOCK_BYTES)

FILE = (b"0", b"\0")
HARDLINK, SYMLINK, FOLDER = b"1", b"2", b"5"
PAX, PAX_GLOBAL, LONG_NAME, LONG_LINK = b"x", b"g", b"L", b"K"
EXTENDED = (PAX, PAX_GLOBAL, LONG_NAME, LONG_LINK)
SPARSE = b"S"

SPARSE_REFUSED = "Sparse members are not allowed"
MALFORMED = "Malformed tar header"

_MAGICS = (b"ustar\0", b"ustar ", bytes(6))
_POSIX = b"ustar\0"
_NUMBER = re.compile(rb" *([0-7]*)[ \0]*")
# Numbers of no interest here; a reader that finds one malformed takes the archive to end there.
_OTHER_NUMBERS = (slice(100, 108), slice(108, 116), slice(116, 124), slice(136, 148), slice(329, 337),
                  slice(337, 345))  # fmt: skip


@frozen
class Header:
    """One header block.

    Attributes:
        name: as stored, decoded.
        size: bytes of data that follow, before padding.
        type: its type flag.
        target: of a link: where it points.
    """

    name: str
    size: int
    type: bytes
    target: str


def is_header(block: bytes) -> bool:
    """Whether a block has the checksum of a tar header."""
    try:
        return len(block) == BLOCK_BYTES and any(block) and _checksum_fits(block)
    except NotAccepted:
        return False


def read_header(block: bytes) -> Header:
    """The header in a block.

    Raises:
        NotAccepted: it is not a tar header, or readers would disagree about it.
    """
    if not _checksum_fits(block):
        raise NotAccepted(MALFORMED)
    for place in _OTHER_NUMBERS:
        _number(block[place], negative=True)
    magic, prefix = block[257:263], _text(block[345:500])
    if magic not in _MAGICS or (prefix and magic != _POSIX):
        raise NotAccepted(MALFORMED)
    name = _text(block[:100])
    return Header(
        name=f"{prefix}/{name}" if prefix else name,
        size=_number(block[124:136]),
        type=block[156:157],
        target=_text(block[157:257]),
    )


def _checksum_fits(block: bytes) -> bool:
    blanked = block[:148] + b" " * 8 + block[156:]
    unsigned = sum(blanked)
    # Some writers of old summed signed characters.
    signed = unsigned - 256 * sum(byte > 0x7F for byte in blanked)
    return _number(block[148:156]) in (unsigned, signed)


def _number(field: bytes, *, negative: bool = False) -> int:
    if field[0] == 0x80 or (negative and field[0] == 0xFF):
        return int.from_bytes(field[1:], "big")
    match = _NUMBER.fullmatch(field)
    if match is None:
        raise NotAccepted(MALFORMED)
    return int(match[1] or b"0", 8)


def _text(field: bytes) -> str:
    return decoded(field.partition(b"\0")[0])


def decoded(raw: bytes) -> str:
    """A name of a tar member as text."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise NotAccepted("Filename not unicode") from None


def read_long(body: bytes) -> str:
    """The name in the body of a GNU long name or long link."""
    return _text(body)


_NAMING = ("path", "linkpath", "size")
_RECORD = re.compile(rb"([1-9][0-9]{0,8}) ([^=\n]+)=")


def read_pax(body: bytes, limits: Limits, *, is_global: bool) -> dict[str, str]:
    """The records of a pax header that say what a member is: ``path``, ``linkpath``, ``size``.

    Raises:
        NotAccepted: malformed, too many, ambiguous, or about sparse members.
    """
    naming: dict[str, str] = {}
    at = count = 0
    while at < len(body):
        count += 1
        if count > limits.pax_records:
            raise NotAccepted(f"More than {limits.pax_records} records in a pax header")
        match = _RECORD.match(body, at)
        end = at + int(match[1]) if match else 0
        if match is None or not match.end() < end <= len(body) or body[end - 1] != 0x0A:
            raise NotAccepted("Malformed pax header")
        key, value = match[2].decode("latin-1"), body[match.end() : end - 1]
        at = end
        if key.startswith("GNU.sparse."):
            raise NotAccepted(SPARSE_REFUSED)
        if key == "hdrcharset" and value != b"ISO-IR 10646 2000 UTF-8":
            raise NotAccepted("Filename not unicode")
        if key not in _NAMING:
            continue
        if is_global or key in naming:
            raise NotAccepted(f"Ambiguous {key!r} in a pax header")
        naming[key] = decoded(value)
    return naming
