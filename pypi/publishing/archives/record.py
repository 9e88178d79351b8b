"""RECORD: the wheel's own list of its files, with their hashes and sizes.

Source: PEP 376, PEP 427; specification "Recording installed projects", The RECORD file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from base64 import urlsafe_b64encode
from collections.abc import Collection, Iterator

from attrs import frozen

from pypi.publishing.archives.members import shown
from pypi.publishing.archives.zips import ZipArchive

STRONG = frozenset(("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"))
"""Hashes RECORD may use: sha256 or better."""

_COLUMNS = 3
_SIZE = re.compile(r"[0-9]{1,15}", re.ASCII)


class Disagreement(Exception):
    """RECORD cannot be read or is not true; the text is a clause that follows the wheel's filename."""


@frozen
class Line:
    """What RECORD says of one file.

    Attributes:
        algorithm: of the hash, as ``hashlib`` names it; empty where there is none.
        digest: URL-safe base64 without padding.
        size: in bytes; ``None`` where RECORD leaves it out.
    """

    algorithm: str
    digest: str
    size: int | None


def parse(text: str, most: int) -> dict[str, Line]:
    """Path → line, folders left out.

    Args:
        text: of RECORD.
        most: paths it may list.

    Raises:
        Disagreement: not the CSV it should be, too long, or with two different lines for one path.
    """
    lines: dict[str, Line] = {}
    for path, line in _lines(text):
        if lines.setdefault(path, line) != line:
            raise Disagreement(f"has a RECORD with different lines for {shown(path)}")
        if len(lines) > most:
            raise Disagreement(f"has a RECORD that lists more than {most} files")
    return lines


def _lines(text: str) -> Iterator[tuple[str, Line]]:
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            if not row:
                continue
            if len(row) != _COLUMNS:
                raise Disagreement(f"has a RECORD with a line of {len(row)} columns instead of {_COLUMNS}")
            path, digest, size = row
            if size and not _SIZE.fullmatch(size):
                raise Disagreement(f"has a RECORD with the size {shown(size)} for {shown(path)}")
            if not path.endswith("/"):
                algorithm, _, value = digest.partition("=")
                # Python 2.7 names its hashes in capitals.
                line = Line(algorithm.lower(), value.rstrip("="), int(size) if size else None)
                yield path.replace("\\", "/"), line
    except csv.Error as error:
        raise Disagreement(f"has a RECORD that is not CSV: {error}") from None


def verify(lines: dict[str, Line], archive: ZipArchive, exempt: Collection[str]) -> None:
    """Read every file of the wheel and compare it with its line.

    Args:
        lines: of RECORD.
        archive: the wheel.
        exempt: paths that need no line and no hash: RECORD and its signatures.

    Raises:
        Disagreement: a file is missing, not listed, or another than RECORD says.
        InvalidDistribution: a file's data is damaged.
    """
    files = archive.files()
    if absent := lines.keys() - set(files) - set(exempt):
        raise Disagreement(f"has a RECORD that lists {_some(absent)}, which it does not contain")
    if unlisted := set(files) - lines.keys() - set(exempt):
        raise Disagreement(f"contains {_some(unlisted)}, which its RECORD does not list")
    for path in files:
        _compare(path, None if path in exempt else lines[path], archive)


def _some(paths: Collection[str]) -> str:
    first = shown(min(paths))
    return first if len(paths) == 1 else f"{first} and {len(paths) - 1} more"


def _compare(path: str, line: Line | None, archive: ZipArchive) -> None:
    if line is None:
        for _ in archive.content(path):
            pass
        return
    if line.algorithm not in STRONG:
        how = f"with {shown(line.algorithm)}" if line.algorithm else "without a hash"
        raise Disagreement(f"has a RECORD that lists {shown(path)} {how}; use sha256 or better")
    if line.size not in (None, archive.entries[path].size):
        raise Disagreement(f"has a RECORD whose size of {shown(path)} is not that of the file")
    digest = hashlib.new(line.algorithm, usedforsecurity=False)
    for piece in archive.content(path):
        digest.update(piece)
    if urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() != line.digest:
        raise Disagreement(f"has a RECORD whose hash of {shown(path)} is not that of the file")
