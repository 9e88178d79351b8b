"""tar.gz files read in one pass, within bounds, and in the one way every reader agrees on.

Nothing is unpacked: members are named, counted and passed over, and what links point to is checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from attrs import define, field

from pypi.domain.errors import InvalidDistribution
from pypi.publishing.archives import tar_records as records
from pypi.publishing.archives.gzips import inflated
from pypi.publishing.archives.limits import Limits
from pypi.publishing.archives.links import check_links
from pypi.publishing.archives.members import (
    Keep,
    Kind,
    Member,
    NotAccepted,
    Tree,
    check_side_by_side,
    checked_path,
    refused_as,
    shown,
)
from pypi.publishing.archives.tar_records import BLOCK_BYTES, Header

_KINDS = {
    b"0": Kind.FILE,
    b"\0": Kind.FILE,
    records.HARDLINK: Kind.HARDLINK,
    records.SYMLINK: Kind.SYMLINK,
    records.FOLDER: Kind.FOLDER,
}


def read_tar_gz(file: BinaryIO, size: int, limits: Limits, keep: Keep) -> Tree:
    """Read a tar.gz file to its end.

    Args:
        file: open for reading bytes, at its beginning.
        size: bytes of the file.
        limits: of members, names, headers and expansion.
        keep: which files' contents to return.

    Raises:
        InvalidDistribution: damaged, ambiguous, too large, or with members an sdist has no use for.
    """
    with refused_as("tar archive"):
        stream = Stream(inflated(file, size, limits))
        walk = _Walk(stream, limits, keep)
        members = tuple(walk.members())
        _check_ending(stream)
        check_side_by_side(members)
        check_links(members, limits)
        return Tree(members, walk.kept)


@define
class Stream:
    """Pieces of bytes read as one sequence."""

    pieces: Iterator[bytes]
    _buffer: bytes = b""
    _at: int = 0

    def take(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        taken = []
        while count:
            piece = self._some(count)
            count -= len(piece)
            taken.append(piece)
        return b"".join(taken)

    def skip(self, count: int) -> None:
        """Pass over ``count`` bytes without keeping them."""
        while count:
            count -= len(self._some(count))

    def rest(self) -> Iterator[bytes]:
        """All that is left."""
        yield self._buffer[self._at :]
        yield from self.pieces

    def _some(self, most: int) -> bytes:
        if self._at == len(self._buffer):
            self._buffer, self._at = next(self.pieces, b""), 0
            if not self._buffer:
                raise NotAccepted("Unexpected end of data")
        piece = self._buffer[self._at : self._at + most]
        self._at += len(piece)
        return piece


@define
class _Naming:
    """What extended headers say of the member that follows them."""

    pax: dict[str, str] | None = None
    long_name: str | None = None
    long_link: str | None = None
    for_all: bool = False

    def add_pax(self, values: dict[str, str]) -> None:
        if self.pax is not None:
            raise NotAccepted("Two pax headers for one member")
        self.pax = values

    def add_long(self, kind: bytes, value: str) -> None:
        attribute = "long_name" if kind == records.LONG_NAME else "long_link"
        if getattr(self, attribute) is not None:
            raise NotAccepted("Two long names for one member")
        setattr(self, attribute, value)

    def applied(self, header: Header) -> Header:
        """The header with the names that overrule it."""
        if self.pax is not None and (self.long_name, self.long_link) != (None, None):
            raise NotAccepted("Both a pax header and a long name for one member")
        pax = self.pax or {}
        # Readers disagree about which of two different sizes says where the next header is.
        if "size" in pax and pax["size"] != str(header.size):
            raise NotAccepted("Mis-matched file size")
        name = _given(pax.get("path"), self.long_name, header.name)
        # Before ustar the slash made the folder: some readers look for it in the name that is overruled.
        if header.type == b"\0" and name.endswith("/") != header.name.endswith("/"):
            raise NotAccepted(f"{shown(name)} is named both like a file and like a folder")
        return Header(
            name=name,
            size=header.size,
            type=header.type,
            target=_given(pax.get("linkpath"), self.long_link, header.target),
        )


def _given(*names: str | None) -> str:
    """The first that is given; it may be empty."""
    return next(name for name in names if name is not None)


@define
class _Walk:
    """One pass over the headers of a tar."""

    stream: Stream
    limits: Limits
    keep: Keep
    kept: dict[str, bytes] = field(factory=dict)
    count: int = 0

    def members(self) -> Iterator[Member]:
        naming = _Naming()
        block = self.stream.take(BLOCK_BYTES)
        if not records.is_header(block):
            raise InvalidDistribution("File is not a tarfile")
        while block != records.ZERO_BLOCK:
            header = records.read_header(block)
            if header.type in records.EXTENDED:
                self._extend(naming, header)
            else:
                member = self._member(naming.applied(header))
                self._pass_data(member)
                yield member
                naming = _Naming()
            block = self.stream.take(BLOCK_BYTES)
        if naming != _Naming():
            raise NotAccepted("Extended header without a member")

    def _counted(self) -> None:
        self.count += 1
        if self.count > self.limits.entries:
            raise NotAccepted(f"More than {self.limits.entries} members")

    def _extend(self, naming: _Naming, header: Header) -> None:
        if header.size > self.limits.pax_bytes:
            raise NotAccepted(f"Extended header larger than {self.limits.pax_bytes} bytes")
        body = self._data(header.size)
        if header.type in (records.LONG_NAME, records.LONG_LINK):
            naming.add_long(header.type, records.read_long(body))
            return
        is_global = header.type == records.PAX_GLOBAL
        values = records.read_pax(body, self.limits, is_global=is_global)
        if is_global:
            self._counted()
            naming.for_all = True
        else:
            naming.add_pax(values)

    def _member(self, header: Header) -> Member:
        self._counted()
        if header.type == records.SPARSE:
            raise NotAccepted(records.SPARSE_REFUSED)
        kind = _KINDS.get(header.type)
        if kind is None:
            raise NotAccepted(f"{shown(header.name)} is neither a file, a folder nor a link")
        if header.name.endswith("/"):
            # Before ustar a folder was an empty file with a slash.
            if header.type == b"\0":
                kind = Kind.FOLDER
            elif kind is not Kind.FOLDER:
                raise NotAccepted(f"{shown(header.name)} is named like a folder")
        if kind is not Kind.FILE and header.size:
            raise NotAccepted(f"{shown(header.name)} has data but is no file")
        path = checked_path(header.name, self.limits)
        target = header.target if kind in (Kind.SYMLINK, Kind.HARDLINK) else ""
        return Member(path, kind, header.size, target)

    def _pass_data(self, member: Member) -> None:
        limit = self.keep(member.path) if member.kind is Kind.FILE else 0
        if not limit:
            self.stream.skip(member.size + _padding(member.size))
        elif member.size > limit:
            raise InvalidDistribution(f"{shown(member.path)} is larger than {limit} bytes")
        else:
            self.kept[member.path] = self._data(member.size)

    def _data(self, size: int) -> bytes:
        return self.stream.take(size + _padding(size))[:size]


def _padding(size: int) -> int:
    return -size % BLOCK_BYTES


def _check_ending(stream: Stream) -> None:
    """Two blocks of zeros end the archive; after the first nothing but zeros may come."""
    zeros = 0
    for piece in stream.rest():
        if piece.count(0) != len(piece):
            raise NotAccepted("Trailing data")
        zeros += len(piece)
    if zeros < BLOCK_BYTES or zeros % BLOCK_BYTES:
        raise NotAccepted("Unexpected end of data")
