"""Members of an archive: what their names may be, and which names may stand side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from enum import Enum
from unicodedata import normalize as unicode_normalize

from attrs import frozen

from pypi.domain.errors import InvalidDistribution
from pypi.publishing.archives.limits import Limits

SHOWN_CHARACTERS = 80

Keep = Callable[[str], int]
"""Given a member's path: the most bytes to keep of its content, 0 to keep nothing."""


class Kind(Enum):
    """What a member is."""

    FILE = "file"
    FOLDER = "folder"
    SYMLINK = "symbolic link"
    HARDLINK = "hard link"


@frozen
class Member:
    """One member of an archive.

    Attributes:
        path: its name, without the slash that ends a folder's.
        kind: what it is.
        size: bytes of content.
        target: of a link: where it points, as stored.
    """

    path: str
    kind: Kind
    size: int = 0
    target: str = ""


@frozen
class Tree:
    """All members of an archive, each read to its end and found whole.

    Attributes:
        members: in the order of the archive.
        kept: path → content of the files that were asked for.
    """

    members: tuple[Member, ...]
    kept: Mapping[str, bytes]

    @property
    def expanded_bytes(self) -> int:
        """All members together, uncompressed."""
        return sum(member.size for member in self.members)


class NotAccepted(Exception):
    """The archive's format is broken or ambiguous; the text says how."""


@contextmanager
def refused_as(archive: str) -> Iterator[None]:
    """Turn ``NotAccepted`` into the refusal of a kind of archive (``ZIP archive``)."""
    try:
        yield
    except NotAccepted as error:
        raise InvalidDistribution(f"{archive} not accepted: {error}") from None


def shown(name: str) -> str:
    """A member's name for a sentence: quoted, and shortened when long."""
    return repr(name if len(name) <= SHOWN_CHARACTERS else name[: SHOWN_CHARACTERS - 3] + "...")


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_NO_SEGMENTS = {"", ".", ".."}


def checked_path(name: str, limits: Limits) -> str:
    """The path a member's name stands for: relative, staying inside, the same on every system.

    Args:
        name: as stored, decoded; a folder's may end with one slash.
        limits: of lengths and depth.

    Raises:
        NotAccepted: the name could be read as another place or another name.
    """
    if _CONTROL.search(name):
        raise NotAccepted("Invalid character in filename")
    if "\\" in name:
        raise NotAccepted(f"Backslash in filename {shown(name)}")
    if name.startswith("/") or _DRIVE.match(name):
        raise NotAccepted(f"Filename {shown(name)} is absolute")
    path = name.removesuffix("/")
    segments = path.split("/")
    if not _NO_SEGMENTS.isdisjoint(segments):
        raise NotAccepted(f"Filename {shown(name)} has an empty, '.' or '..' segment")
    _check_lengths(path, segments, limits)
    return path


def _check_lengths(path: str, segments: list[str], limits: Limits) -> None:
    if len(segments) > limits.depth:
        raise NotAccepted(f"Filename {shown(path)} is nested more than {limits.depth} deep")
    if len(path.encode()) > limits.path_bytes:
        raise NotAccepted(f"Filename {shown(path)} is longer than {limits.path_bytes} bytes")
    if max(len(segment.encode()) for segment in segments) > limits.segment_bytes:
        raise NotAccepted(f"Filename {shown(path)} has a segment longer than {limits.segment_bytes} bytes")


def check_side_by_side(members: Iterable[Member]) -> None:
    """See that unpacking the members gives the same tree everywhere, and nothing outside of it.

    Names equal in Unicode's NFC are one name on some file systems and have no honest use. Names that
    differ in case alone are ordinary where most archives are made, so they are let through.

    Raises:
        NotAccepted: two members claim one name, or one is the folder of another without being a folder.
    """
    leaves: set[str] = set()
    links: set[str] = set()
    folders: set[str] = set()
    for member in members:
        key = _composed(member.path)
        if member.kind is Kind.FOLDER:
            folders.add(key)
        elif key in leaves:
            raise NotAccepted(f"Duplicate filename {shown(member.path)}")
        else:
            leaves.add(key)
        if member.kind is Kind.SYMLINK:
            links.add(key.casefold())
        _add_parents(key, folders)
    for path in leaves & folders:
        raise NotAccepted(f"{shown(path)} is both a file and a folder")
    # Where case does not count, ``A`` the link would lead what is unpacked into ``a/``.
    if links and not links.isdisjoint(path.casefold() for path in folders):
        raise NotAccepted("A symbolic link takes the place of a folder")


def _composed(path: str) -> str:
    return path if path.isascii() else unicode_normalize("NFC", path)


def _add_parents(path: str, folders: set[str]) -> None:
    parent = path.rpartition("/")[0]
    while parent and parent not in folders:
        folders.add(parent)
        parent = parent.rpartition("/")[0]


def case_warnings(paths: Iterable[str]) -> tuple[str, ...]:
    """At most one sentence, about paths that differ in case alone."""
    seen: dict[str, str] = {}
    pairs = [(other, path) for path in paths if (other := seen.setdefault(path.casefold(), path)) != path]
    if not pairs:
        return ()
    one, other = map(shown, pairs[0])
    more = f", and there are {len(pairs) - 1} more such pairs" if len(pairs) > 1 else ""
    return (f"{one} and {other} are one file where case does not count{more}.",)
