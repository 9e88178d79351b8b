"""Projects and releases as those who run the index see them: whatever their state, and whoever reads them."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class OverseenRow:
    """A project in a list.

    Attributes:
        status: a word of PEP 792.
        reads: a word of ``Access``.
        withheld: releases in quarantine.
        size: bytes of its files.
        last: when the last file came; aware, UTC; ``None`` for none.
    """

    name: str
    normalized: NormalizedName
    status: str
    status_reason: str
    reads: str
    releases: int
    withheld: int
    files: int
    size: int
    last: datetime | None


@frozen
class ReleaseLine:
    """A release of a project.

    Attributes:
        yanked: why; ``None`` where it is not.
        quarantined: since when; aware, UTC; ``None`` where it is not.
        quarantine_reason: may be empty; whoever asks for that release is told as well.
    """

    version: str
    files: int
    size: int
    first: datetime | None
    yanked: str | None
    quarantined: datetime | None
    quarantine_reason: str


@frozen
class RoleLine:
    """Somebody with a role in a project."""

    user: str
    role: str


LINES = """
    SELECT p.name, p.normalized, p.status, p.status_reason, p.reads, r.releases, r.withheld,
           f.files, f.size, f.last
      FROM projects p,
           LATERAL (SELECT count(*) AS releases, count(quarantined) AS withheld
                      FROM releases WHERE project_id = p.id) AS r,
           LATERAL (SELECT count(*) AS files, coalesce(sum(size), 0)::bigint AS size, max(uploaded) AS last
                      FROM files WHERE project_id = p.id) AS f"""

AMONG = """
     WHERE p.id IN (
        SELECT id FROM projects
         WHERE (%(words)s = '' OR strpos(normalized, %(words)s) > 0)
           AND (NOT %(only_withheld)s OR status = 'quarantined'
                OR EXISTS (SELECT FROM releases w WHERE w.project_id = projects.id
                            AND w.quarantined IS NOT NULL))
         ORDER BY normalized COLLATE "C" OFFSET %(offset)s LIMIT %(limit)s)
     ORDER BY p.normalized COLLATE "C" """

FOUND = LINES + AMONG

NAMED = LINES + " WHERE p.normalized = %(normalized)s"

RELEASES = """
    SELECT r.version, count(f.id), coalesce(sum(f.size), 0)::bigint, min(f.uploaded), r.yanked, r.quarantined,
           r.quarantine_reason
      FROM projects p JOIN releases r ON r.project_id = p.id LEFT JOIN files f ON f.release_id = r.id
     WHERE p.normalized = %(normalized)s
     GROUP BY r.id ORDER BY r.place DESC OFFSET %(offset)s LIMIT %(limit)s"""

ROLES = """
    SELECT u.name, r.role FROM roles r JOIN users u ON u.id = r.user_id
      JOIN projects p ON p.id = r.project_id
     WHERE p.normalized = %(normalized)s ORDER BY r.role DESC, lower(u.name) LIMIT %(limit)s"""


async def found(
    cursor: Cursor, *, words: str, only_withheld: bool, offset: int, limit: int
) -> list[OverseenRow]:
    """Projects whose normalized name contains some words, by name."""
    parameters = {"words": words, "only_withheld": only_withheld, "offset": offset, "limit": limit}
    return await cursor.rows(OverseenRow, FOUND, parameters)


async def named(cursor: Cursor, name: NormalizedName) -> OverseenRow | None:
    """One project; ``None`` where there is none."""
    return await cursor.row(OverseenRow, NAMED, {"normalized": name})


async def releases(cursor: Cursor, name: NormalizedName, *, offset: int, limit: int) -> list[ReleaseLine]:
    """Its releases, the highest version first."""
    return await cursor.rows(ReleaseLine, RELEASES, {"normalized": name, "offset": offset, "limit": limit})


async def roles(cursor: Cursor, name: NormalizedName, *, limit: int) -> list[RoleLine]:
    """Who has a role in it, owners first."""
    return await cursor.rows(RoleLine, ROLES, {"normalized": name, "limit": limit})
