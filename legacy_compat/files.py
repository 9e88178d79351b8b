"""Predictable addresses of files, ``/packages/<python>/<letter>/<project>/<filename>``, in any spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

from legacy_compat.spelling import name_of
from pypi.domain import versions
from pypi.domain.names import NormalizedName

MAX_LENGTH = 300
"""Characters of a filename that is looked for; those of today are shorter."""

ASC = ".asc"

_ARCHIVES = (".tar.gz", ".tar.bz2", ".tar.xz", ".tar.z", ".tar", ".tgz", ".tbz", ".zip")
_PLATFORM = re.compile(r"(.+?)[.-]((?:win32|win-|linux|macosx|cygwin|freebsd|solaris|sunos|noarch).*)")
_RPM = re.compile(r"(.+)-[0-9]+\.((?:noarch|src|x86_64|i[3-6]86)\.rpm)")

Key = tuple[str, str]
"""(canonical version, ending): what all spellings of one filename of a project have in common."""

Found = TypeVar("Found")


def is_bucket(letter: str, name: str) -> bool:
    """Whether a folder is the one where a project of this name lies: that of its first character."""
    return len(letter) == 1 and letter.lower() == name[:1].lower()


def key(project: NormalizedName, filename: str) -> Key | None:
    """What a filename says beside the name of its project; ``None`` where it is not one of that project."""
    rest = _behind_name(project, filename)
    if not rest:
        return None
    version, ending = _divided(rest.lower())
    return versions.canonical(version), ending


def same(project: NormalizedName, sought: Key, files: Iterable[tuple[str, Found]]) -> Found | None:
    """What belongs to the file that is sought, of (filename, anything) pairs."""
    return next((found for filename, found in files if key(project, filename) == sought), None)


def _behind_name(project: NormalizedName, filename: str) -> str:
    if len(filename) > MAX_LENGTH or not filename.isascii():
        return ""
    for dash in re.finditer("-", filename):
        if name_of(filename[: dash.start()]) == project:
            return filename[dash.end() :]
    return ""


def _divided(rest: str) -> tuple[str, str]:
    """(version, ending) of what follows the name: ``1.0.tar.gz``, ``1.0-py2.7.egg``, ``1.0.win32.exe``."""
    if rest.endswith((".whl", ".egg")):
        version, _, ending = rest.partition("-")
        if ending:
            return version.replace("_", "-") if rest.endswith(".egg") else version, ending
        return rest[:-4], rest[-4:]
    for pattern in (_RPM, _PLATFORM):
        if found := pattern.fullmatch(rest):
            return found[1], found[2]
    for ending in _ARCHIVES:
        if rest.endswith(ending):
            return rest.removesuffix(ending), ending
    version, dot, ending = rest.rpartition(".")
    return version, dot + ending
