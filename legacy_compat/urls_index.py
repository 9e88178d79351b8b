"""Projects and people under short addresses, the simple index in all spellings, and predictable files."""

from __future__ import annotations

import re

from legacy_compat.files import ASC, is_bucket
from legacy_compat.paths import Path, Table
from legacy_compat.questions import File, Links, Missing, Page, Project, Question, Stored, Today, User
from legacy_compat.spelling import Parameters, name_of, pairs

FORMATS = frozenset(
    (
        "text/html",
        *("application/vnd.pypi.simple.v1+html", "application/vnd.pypi.simple.v1+json"),
        *("application/vnd.pypi.simple.latest+html", "application/vnd.pypi.simple.latest+json"),
    )
)
"""Representations of the simple index that may be asked for by name."""

SECTIONS = frozenset((word,) for word in "releases files dependencies dependents security".split())
"""Words that stand where a version may, and are none: parts of a project's page."""

_BYTE = re.compile("[0-9a-f]{2}")
_DIGEST_REST = re.compile("[0-9a-f]{60}")

TABLE = Table()


@TABLE.add("project")
def _project(path: Path) -> Question | None:
    if path.of_today and (path.slash or path.parts[1:] in SECTIONS):
        return None
    return _named(path, "legacy.pages")


@TABLE.add("p")
def _short(path: Path) -> Question | None:
    return _named(path, "legacy.short")


def _named(path: Path, feature: str) -> Question | None:
    if len(path.parts) not in (1, 2):
        return None
    name = name_of(path.parts[0])
    if name is None:
        return Missing(feature=feature)
    return Project(feature=feature, name=name, version=path.parts[1] if len(path.parts) == 2 else None)


@TABLE.add("u")
def _user(path: Path) -> Question | None:
    return User(feature="legacy.short", name=path.parts[0]) if len(path.parts) == 1 else None


@TABLE.add("simple")
def _simple(path: Path) -> Question | None:
    feature, parts = "legacy.simple", path.parts
    if not parts or (parts == ("index.html",) and not path.slash):
        if path.of_today and path.slash:
            return None
        asked = _format(path)
        query = (("format", asked),) if asked else ()
        return Page(feature=feature, path="/simple/", query=query, by_program=True)
    if len(parts) > 2 or (len(parts) == 2 and (path.slash or parts[1] != "index.html")):
        return Missing(feature=feature, by_program=True)
    name = name_of(parts[0])
    if path.of_today and path.slash and parts == (name,):
        return None
    if name is None:
        return Missing(feature=feature, by_program=True)
    return Links(feature=feature, name=name, format=_format(path))


def _format(path: Path) -> str:
    """The representation that is asked for by name; a plus sign may come as a blank."""
    if b"format" not in path.query:
        return ""
    asked = (Parameters(pairs(path.query)).first("format") or "").replace(" ", "+")
    return asked if asked in FORMATS else ""


@TABLE.add("packages")
def _packages(path: Path) -> Question | None:
    return packages_below(path, path.parts)


def packages_below(path: Path, parts: tuple[str, ...]) -> Question | None:
    """What the segments behind ``/packages`` ask for, wherever they stand."""
    # A fragment that somebody has escaped is one nevertheless.
    whole, cut, _ = "/".join(parts).partition("#")
    slash = whole.endswith("/") or (path.slash and not cut)
    parts = tuple(part for part in whole.split("/") if part)
    if _is_stored(parts):
        if path.of_today and path.root == "packages" and not (cut or slash):
            return None
        missing = Missing(feature="legacy.files", by_program=True)
        return missing if slash else _stored(path, parts)
    if len(parts) == 3 and is_bucket(parts[1], parts[2]):
        name = name_of(parts[2])
        if name is not None:
            return Links(feature="legacy.file_lists", name=name)
    if len(parts) == 4 and is_bucket(parts[1], parts[2]) and not slash:
        return _file(parts[2], parts[3])
    return Missing(feature="legacy.files", by_program=True)


def _is_stored(parts: tuple[str, ...]) -> bool:
    if len(parts) != 4:
        return False
    first, second, rest, _ = parts
    return bool(_BYTE.fullmatch(first) and _BYTE.fullmatch(second) and _DIGEST_REST.fullmatch(rest))


def _stored(path: Path, parts: tuple[str, ...]) -> Question:
    if not path.foreign:
        return Today(feature="legacy.files", path="/".join(("/packages", *parts)))
    return Stored(feature="legacy.files", blake2_256="".join(parts[:3]), filename=parts[3])


def _file(folder: str, filename: str) -> Question:
    project = name_of(folder)
    signature = filename.endswith(ASC)
    feature = "legacy.signatures" if signature else "legacy.files"
    if project is None:
        return Missing(feature=feature, by_program=True)
    return File(feature=feature, project=project, filename=filename.removesuffix(ASC), signature=signature)
