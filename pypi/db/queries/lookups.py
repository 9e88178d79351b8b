"""Many small questions in one statement each: whether something is there, and how it is spelled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class ReleaseFound:
    """A project and its release of the version asked for; ``version`` is ``None`` where it has none."""

    name: str
    version: str | None


@frozen
class ListedFile:
    """A listed file.

    Attributes:
        project: normalized name that its project had when it was published.
    """

    project: NormalizedName
    filename: str
    blake2_256: str
    has_metadata: bool


PROJECTS = """
    SELECT n.normalized, p.name FROM project_names n JOIN projects p ON p.id = n.project_id
     WHERE n.normalized = ANY(%(keys)s) AND is_shown(p.reads)"""

RELEASES = """
    SELECT asked.normalized, asked.canonical, p.name, r.version
      FROM unnest(%(names)s::text[], %(versions)s::text[]) AS asked (normalized, canonical)
      JOIN project_names n ON n.normalized = asked.normalized
      JOIN projects p ON p.id = n.project_id AND is_shown(p.reads)
      LEFT JOIN releases r ON r.project_id = p.id AND r.canonical = asked.canonical
           AND r.quarantined IS NULL"""

_FILE = """
    SELECT coalesce(f.former_name, p.normalized), f.filename, f.blake2_256, f.metadata_sha256 IS NOT NULL
      FROM files f JOIN projects p ON p.id = f.project_id
     WHERE p.status <> 'quarantined' AND is_shown(p.reads)
       AND f.release_id NOT IN (SELECT id FROM releases WHERE quarantined IS NOT NULL) AND """

FILES = _FILE + "f.filename = ANY(%(keys)s)"
STORED = _FILE + "f.blake2_256 = ANY(%(keys)s)"

RELEASED = """
    SELECT asked.normalized, asked.canonical, f.filename, f.blake2_256, f.metadata_sha256 IS NOT NULL
      FROM unnest(%(names)s::text[], %(versions)s::text[]) AS asked (normalized, canonical)
      JOIN project_names n ON n.normalized = asked.normalized
      JOIN projects p ON p.id = n.project_id AND p.status <> 'quarantined' AND is_shown(p.reads)
      JOIN releases r ON r.project_id = p.id AND r.canonical = asked.canonical AND r.quarantined IS NULL
      JOIN files f ON f.release_id = r.id
     ORDER BY f.filename"""

DIGESTS = """
    SELECT DISTINCT md5 FROM files
     WHERE md5 = ANY(%(keys)s) AND project_id NOT IN (SELECT id FROM projects WHERE reads <> 'public')"""

PEOPLE = "SELECT lower(name), name FROM users WHERE lower(name) = ANY(%(keys)s) AND is_active"

LAST_CHANGE = "SELECT at FROM journal WHERE NOT is_private ORDER BY serial DESC LIMIT 1"

Release = tuple[NormalizedName, str]
"""(normalized name, canonical version)."""


async def projects(cursor: Cursor, names: Sequence[NormalizedName]) -> dict[NormalizedName, str]:
    """Normalized name, or one the project had → its name, of those that are taken."""
    return dict(await cursor.tuples(PROJECTS, {"keys": list(names)}))


async def releases(cursor: Cursor, asked: Sequence[Release]) -> dict[Release, ReleaseFound]:
    """What was found of each release whose project there is."""
    rows = await cursor.tuples(RELEASES, _columns(asked))
    return {(normalized, canonical): ReleaseFound(*found) for normalized, canonical, *found in rows}


async def files(cursor: Cursor, filenames: Sequence[str]) -> dict[str, ListedFile]:
    """Filename → the file, of those that are listed under exactly that name."""
    return {row[1]: ListedFile(*row) for row in await cursor.tuples(FILES, {"keys": list(filenames)})}


async def stored(cursor: Cursor, digests: Sequence[str]) -> dict[str, ListedFile]:
    """BLAKE2b-256 → the file."""
    return {row[2]: ListedFile(*row) for row in await cursor.tuples(STORED, {"keys": list(digests)})}


async def released(cursor: Cursor, asked: Sequence[Release]) -> dict[Release, tuple[ListedFile, ...]]:
    """The files of each of these releases that has some, by filename."""
    found: dict[Release, tuple[ListedFile, ...]] = {}
    for normalized, canonical, *rest in await cursor.tuples(RELEASED, _columns(asked)):
        key = normalized, canonical
        found[key] = (*found.get(key, ()), ListedFile(normalized, *rest))
    return found


async def digests(cursor: Cursor, md5s: Sequence[str]) -> dict[str, str]:
    """Those of these MD5 digests that files have, by themselves."""
    return {md5: md5 for (md5,) in await cursor.tuples(DIGESTS, {"keys": list(md5s)})}


async def people(cursor: Cursor, names: Sequence[str]) -> dict[str, str]:
    """Name in lower case → name, of accounts that are in use."""
    return dict(await cursor.tuples(PEOPLE, {"keys": list(names)}))


async def last_change(cursor: Cursor) -> datetime | None:
    """When anything was changed last; ``None`` of an index where nothing ever was."""
    found: datetime | None = await cursor.value(LAST_CHANGE)
    return found


def _columns(asked: Sequence[Release]) -> dict[str, list[str]]:
    return {"names": [name for name, _ in asked], "versions": [version for _, version in asked]}
