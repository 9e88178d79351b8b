"""Links in an archive: where they lead when somebody unpacks it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from pypi.publishing.archives.limits import Limits
from pypi.publishing.archives.members import Kind, Member, NotAccepted, checked_path, shown


def check_links(members: Iterable[Member], limits: Limits) -> None:
    """See that every link leads to something in its own top folder.

    Args:
        members: in the order of the archive; none lies behind a symbolic link.
        limits: of what links point to.

    Raises:
        NotAccepted: a link does not.
    """
    files: set[str] = set()
    for member in members:
        if member.kind is Kind.FILE:
            files.add(member.path)
        elif member.kind is Kind.HARDLINK and member.target not in files:
            raise NotAccepted(f"Hard link {shown(member.path)} is not to a file before it")
        elif member.kind is Kind.SYMLINK and not _stays_inside(member, limits):
            raise NotAccepted(f"Symbolic link {shown(member.path)} does not stay in its top folder")


def _stays_inside(link: Member, limits: Limits) -> bool:
    """Whether a link leads to somewhere below its top folder, whatever other links there are.

    ``..`` may come only first: there it climbs real folders, as no member lies behind a link; after
    another segment it could climb out of where that one, a link itself, leads.
    """
    segments = link.target.split("/")
    while segments and segments[0] in ("..", "."):
        segments = segments[1:]
    try:
        if segments:
            checked_path("/".join(segments), limits)
    except NotAccepted:
        return False
    place = posixpath.normpath(posixpath.join(posixpath.dirname(link.path), link.target))
    top = link.path.partition("/")[0]
    return place == top or place.startswith(f"{top}/")
