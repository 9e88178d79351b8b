"""``/pypi`` and what was below it: projects, releases, JSON, and ``:action`` forms."""

from __future__ import annotations

from legacy_compat import actions
from legacy_compat.paths import Path, Table
from legacy_compat.questions import Document, Gone, Missing, Project, Question, Today
from legacy_compat.spelling import Parameters, name_of, pairs
from legacy_compat.urls_index import packages_below
from pypi.domain.names import NormalizedName

TABLE = Table()


@TABLE.add("pypi")
def _pypi(path: Path) -> Question | None:
    parts = path.parts
    if not parts:
        return actions.asked(Parameters(pairs(path.query)))
    if parts[0] == "packages" and len(parts) >= 4:
        return packages_below(path, parts[1:])
    name = name_of(parts[0])
    if len(parts) in (2, 3) and parts[-1] == "json":
        return _json(path, name)
    if len(parts) in (2, 3) and parts[-1] == "doap":
        return Gone(feature="legacy.doap")
    if name is None or len(parts) > 3:
        return Missing(feature="legacy.project")
    if len(parts) == 3:
        return _part(name, *parts[1:])
    return Project(feature="legacy.project", name=name, version=parts[1] if len(parts) == 2 else None)


def _json(path: Path, name: NormalizedName | None) -> Question | None:
    if not path.foreign:
        # Clients of this API follow no redirects: every spelling is answered as it is.
        there = "/".join(("/pypi", *path.parts)) + ("/" if path.slash else "")
        return None if path.exact else Today(feature="legacy.json", path=there)
    if name is None:
        return Missing(feature="legacy.json", by_program=True)
    version = path.parts[1] if len(path.parts) == 3 else None
    return Document(feature="legacy.json", name=name, version=version)


def _part(name: NormalizedName, version: str, part: str) -> Question:
    if part == "display_pkginfo":
        return Document(feature="legacy.part", name=name, version=version, by_program=False)
    if part not in ("display", "files"):
        return Missing(feature="legacy.part")
    fragment = "files" if part == "files" else ""
    return Project(feature="legacy.part", name=name, version=version, fragment=fragment)


@TABLE.add("cgi-bin")
def _cgi(path: Path) -> Question | None:
    if path.parts != ("pypi.cgi",):
        return None
    return actions.asked(Parameters(pairs(path.query)), home="legacy.cgi")
