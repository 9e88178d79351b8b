"""Source distributions: one top folder named for the release, with PKG-INFO in it (PEP 625, PEP 643)."""

from __future__ import annotations

from collections.abc import Callable

from packaging.version import InvalidVersion, Version

from pypi.domain.errors import InvalidDistribution
from pypi.domain.filenames import DistributionFilename
from pypi.domain.names import normalize
from pypi.publishing.archives.contents import Contents
from pypi.publishing.archives.limits import Limits
from pypi.publishing.archives.members import Keep, Kind, Tree, case_warnings, shown
from pypi.publishing.archives.metadata import license_files

_PKG_INFO = "PKG-INFO"


def inspect_sdist(read: Callable[[Keep], Tree], filename: DistributionFilename, limits: Limits) -> Contents:
    """Check a source distribution.

    Args:
        read: reads the archive, keeping the files it is asked to keep.
        filename: what the archive is called.
        limits: of PKG-INFO.

    Raises:
        InvalidDistribution: it is not the sdist of that release.
        InvalidField: PKG-INFO cannot be read.
        LicenseFileMissing: PKG-INFO names a license file that is not there.
    """
    tree = read(lambda path: limits.metadata_bytes if _is_pkg_info(path) else 0)
    tops = {member.path.partition("/")[0] for member in tree.members}
    if len(tops) != 1:
        raise InvalidDistribution("Incorrect number of top-level directories in sdist")
    top = tops.pop()
    _check_top(top, filename)
    metadata = tree.kept.get(f"{top}/{_PKG_INFO}")
    if metadata is None:
        raise InvalidDistribution(f"PKG-INFO not found at {top}/{_PKG_INFO}")
    if sum(_is_pkg_info(member.path) for member in tree.members) != 1:
        raise InvalidDistribution(f"More than one PKG-INFO at {top}")
    paths = [member.path for member in tree.members if member.kind is not Kind.FOLDER]
    return Contents(
        metadata=metadata,
        license_files=license_files(metadata, filename, folder=top, paths=frozenset(paths)),
        entries=len(tree.members),
        expanded_bytes=tree.expanded_bytes,
        warnings=case_warnings(paths),
    )


def _is_pkg_info(path: str) -> bool:
    # Where case does not count, ``pkg-info`` would replace it.
    return path.count("/") == 1 and path.casefold().endswith("/pkg-info")


def _check_top(top: str, filename: DistributionFilename) -> None:
    """The folder is named as the file; tools older than PEP 625 spelled one of the two otherwise."""
    if top == filename.stem:
        return
    name, _, version = top.rpartition("-")
    try:
        if normalize(name) == filename.name and Version(version) == filename.version:
            return
    except InvalidVersion:
        pass
    raise InvalidDistribution(f"Its top folder is {shown(top)}, should be {filename.stem!r}")
