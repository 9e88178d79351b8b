"""ZIP files read in the one way every reader agrees on.

The records are read from front to back without a gap, and what they hold is compared with the central
directory that others start from: a file that could be read in two ways is refused. So members cannot
overlap, hide, or unpack to more than the headers say.
"""

from __future__ import annotations

import stat
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from attrs import evolve, frozen

from pypi.domain.errors import InvalidDistribution
from pypi.publishing.archives import zip_endings as endings
from pypi.publishing.archives import zip_records as records
from pypi.publishing.archives.limits import Limits
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
from pypi.publishing.archives.zip_records import Entry

STORED = 0
DEFLATED = 8
CHUNK_BYTES = 256 << 10


@frozen
class ZipArchive:
    """A ZIP file whose framing is sound; its data is checked as it is read.

    Attributes:
        file: open for reading bytes.
        entries: path → entry, for files and folders.
    """

    file: BinaryIO
    entries: dict[str, Entry]

    def files(self) -> list[str]:
        """Paths of the members that are not folders."""
        return [path for path, entry in self.entries.items() if not entry.name.endswith("/")]

    def content(self, path: str) -> Iterator[bytes]:
        """A member's content in pieces.

        Raises:
            InvalidDistribution: after the last good piece: its data is not what its header says.
        """
        with refused_as("ZIP archive"):
            yield from _content(self.file, self.entries[path])

    def read(self, path: str, limit: int) -> bytes:
        """A member's whole content.

        Raises:
            InvalidDistribution: it is larger than ``limit`` bytes, or damaged.
        """
        if self.entries[path].size > limit:
            raise InvalidDistribution(f"{shown(path)} is larger than {limit} bytes")
        return b"".join(self.content(path))

    def tree(self, keep: Keep) -> Tree:
        """Every member, each read to its end."""
        kept = {}
        members = []
        for path, entry in self.entries.items():
            folder = entry.name.endswith("/")
            members.append(Member(path, Kind.FOLDER if folder else Kind.FILE, entry.size))
            if limit := keep(path):
                kept[path] = self.read(path, limit)
            else:
                for _ in self.content(path):
                    pass
        return Tree(tuple(members), kept)


def open_zip(file: BinaryIO, size: int, limits: Limits) -> ZipArchive:
    """Read the framing of a ZIP file.

    Args:
        file: open for reading bytes, at its beginning.
        size: bytes of the file.
        limits: of entries, names and expansion.

    Raises:
        InvalidDistribution: it is not a ZIP file, or not one that reads the same for everybody.
    """
    with refused_as("ZIP archive"):
        entries = _framed(records.Reader(file, size), limits)
        paths = {checked_path(entry.name, limits): entry for entry in entries}
        check_side_by_side(
            Member(path, Kind.FOLDER if entry.name.endswith("/") else Kind.FILE)
            for path, entry in paths.items()
        )
        for entry in entries:
            _check_kind(entry)
    _check_expansion(entries, size, limits)
    return ZipArchive(file, paths)


def _framed(reader: records.Reader, limits: Limits) -> list[Entry]:
    signature = reader.take(4)
    found: dict[str, Entry] = {}
    while signature == records.LOCAL:
        entry = records.read_local(reader)
        if entry.name in found:
            raise NotAccepted("Duplicate filename in local headers")
        if len(found) == limits.entries:
            raise NotAccepted(f"More than {limits.entries} members")
        found[entry.name] = entry
        reader.skip(entry.compressed)
        signature = reader.take(4)
    start = reader.position - 4
    listed: dict[str, Entry] = {}
    while signature == records.CENTRAL:
        entry = records.read_central(reader)
        if entry.name in listed:
            raise NotAccepted("Duplicate filename in central directory")
        listed[entry.name] = _reconciled(entry, found)
        signature = reader.take(4)
    directory = endings.Directory(len(listed), reader.position - 4 - start, start)
    endings.read_ending(reader, signature, directory)
    if len(listed) != len(found):
        raise NotAccepted("Filename not in central directory")
    return list(listed.values())


def _reconciled(listed: Entry, found: dict[str, Entry]) -> Entry:
    """The member of both records: the local header's data, the directory's mode."""
    local = found.get(listed.name)
    if local is None:
        raise NotAccepted("Missing filename in local headers")
    if local.compressed != listed.compressed:
        raise NotAccepted("Mis-matched data size")
    if local.size != listed.size:
        raise NotAccepted("Mis-matched file size")
    whole = evolve(local, mode=listed.mode)
    if whole != evolve(listed, data_at=local.data_at):
        raise NotAccepted("Mis-matched local headers and central directory")
    return whole


def _check_kind(entry: Entry) -> None:
    folder = entry.name.endswith("/")
    kind = stat.S_IFMT(entry.mode)
    if kind == stat.S_IFLNK:
        raise NotAccepted(f"{shown(entry.name)} is a symbolic link")
    if kind not in (0, stat.S_IFDIR if folder else stat.S_IFREG):
        raise NotAccepted(f"{shown(entry.name)} is neither a file nor a folder")
    if folder and entry.size:
        raise NotAccepted(f"Folder {shown(entry.name)} has data")


def _check_expansion(entries: list[Entry], file_bytes: int, limits: Limits) -> None:
    # What the headers declare holds for the data as well: reading it stops where it does not.
    expanded = sum(entry.size for entry in entries)
    if expanded > limits.expansion(file_bytes):
        raise InvalidDistribution(f"File exceeds compression ratio of {limits.ratio}")
    if expanded > limits.expanded_bytes:
        raise InvalidDistribution(f"File expands to more than {limits.expanded_bytes} bytes")
    if any(entry.method not in (STORED, DEFLATED) for entry in entries):
        raise InvalidDistribution("File does not use a supported compression type")


def _content(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    file.seek(entry.data_at)
    size = crc = 0
    try:
        for piece in _stored(file, entry) if entry.method == STORED else _inflated(file, entry):
            size += len(piece)
            if size > entry.size:
                break
            crc = zlib.crc32(piece, crc)
            yield piece
    except zlib.error:
        raise NotAccepted(f"Data of {shown(entry.name)} is damaged") from None
    if size != entry.size:
        raise NotAccepted("Mis-matched file size")
    if crc != entry.crc:
        raise NotAccepted(f"Checksum of {shown(entry.name)} does not match its data")


def _stored(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    left = entry.compressed
    while left and (piece := file.read(min(left, CHUNK_BYTES))):
        left -= len(piece)
        yield piece


def _inflated(file: BinaryIO, entry: Entry) -> Iterator[bytes]:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    left = entry.compressed
    data = b""
    while not inflater.eof:
        piece = inflater.decompress(data, CHUNK_BYTES)
        data = inflater.unconsumed_tail
        if piece:
            yield piece
        elif not data and not inflater.eof:
            data = file.read(min(left, CHUNK_BYTES))
            left -= len(data)
            if not data:
                raise NotAccepted(f"Data of {shown(entry.name)} ends early")
    if left or data or inflater.unused_data:
        raise NotAccepted("Mis-matched data size")
