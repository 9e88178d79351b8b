"""Projects as those see them who have a role in them; nobody else is shown anything by these."""

from __future__ import annotations

from datetime import date, datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain import versions
from pypi.domain.names import NormalizedName


@frozen
class MineRow:
    """A project somebody has a role in.

    Attributes:
        reads: a word of ``Access``.
        version: the one a reader means who names none; ``None``: there is no release.
        size: bytes of all files.
        released: when the last release was made; aware, UTC.
    """

    name: str
    role: str
    status: str
    reads: str
    version: str | None
    files: int
    size: int
    released: datetime | None


@frozen
class OfferRow:
    """A role that somebody is offered; ``inviter`` is ``None`` for the operator, and times are aware, UTC.

    Attributes:
        is_transfer: whether it is the inviter's own place.
    """

    project: str
    name: str
    role: str
    inviter: str | None
    created: datetime
    expires: datetime
    is_transfer: bool


@frozen
class HeadRow:
    """A project, and what somebody is to it.

    Attributes:
        successor: normalized name of what is to be used instead; empty for none.
        reads: a word of ``Access``.
        role: a word of ``Role``.
    """

    id: int
    name: str
    normalized: NormalizedName
    status: str
    status_reason: str
    successor: str
    reads: str
    role: str
    releases: int
    people: int
    owners: int


@frozen
class ReleaseRow:
    """A release; reasons are ``None`` where it is not yanked, or not in quarantine.

    Attributes:
        created: aware, UTC.
        size: bytes of its files.
        downloads: ever, of the files that are there.
    """

    id: int
    version: str
    is_prerelease: bool
    created: datetime
    yanked_reason: str | None
    quarantine_reason: str | None
    files: int
    size: int
    downloads: int


@frozen
class FileRow:
    """A file; ``uploaded`` is aware, UTC, and ``uploader`` is ``None`` where that account is gone."""

    filename: str
    filetype: str
    size: int
    uploaded: datetime
    uploader: str | None
    downloads: int


@frozen
class MemberRow:
    """An account with a role; ``since`` is aware, UTC."""

    name: str
    role: str
    since: datetime


COUNT_MINE = "SELECT count(*) FROM roles WHERE user_id = %(user_id)s"

MINE = """
    SELECT p.name, p.role, p.status, p.reads, latest.version, held.files, held.size, latest.released
      FROM (SELECT p.id, p.name, p.normalized, p.status, p.reads, r.role
              FROM roles r JOIN projects p ON p.id = r.project_id
             WHERE r.user_id = %(user_id)s ORDER BY p.normalized
             LIMIT %(limit)s OFFSET %(offset)s) AS p
     CROSS JOIN LATERAL (
           SELECT count(*) AS files, coalesce(sum(size), 0)::bigint AS size
             FROM files WHERE files.project_id = p.id) AS held
      LEFT JOIN LATERAL (
           -- As ``pypi.domain.versions.latest``.
           SELECT version, (SELECT max(created) FROM releases WHERE releases.project_id = p.id) AS released
             FROM releases WHERE releases.project_id = p.id
            ORDER BY quarantined IS NULL DESC, yanked IS NULL DESC, is_prerelease, place DESC LIMIT 1
           ) AS latest ON true
     ORDER BY p.normalized"""

# As ``invitations.OFFERED``: one that nobody may make any more is none. Of a project, or of an account.
OFFERS = """
    SELECT p.name, w.name, i.role, u.name, i.created, i.expires, i.is_transfer
      FROM invitations i JOIN projects p ON p.id = i.project_id JOIN users w ON w.id = i.user_id
      LEFT JOIN users u ON u.id = i.invited_by
     WHERE (i.project_id = %(project_id)s OR i.user_id = %(user_id)s) AND i.expires > %(now)s
       AND (i.invited_by IS NULL OR EXISTS (
            SELECT FROM roles r JOIN users o ON o.id = r.user_id
             WHERE r.project_id = i.project_id AND r.user_id = i.invited_by
               AND r.role = 'Owner' AND o.is_active))
     ORDER BY i.created DESC, p.normalized, lower(w.name) LIMIT %(limit)s"""

HEAD = """
    SELECT p.id, p.name, p.normalized, p.status, p.status_reason, p.successor, p.reads, r.role,
           (SELECT count(*) FROM releases WHERE releases.project_id = p.id),
           (SELECT count(*) FROM roles WHERE roles.project_id = p.id),
           (SELECT count(*) FROM roles WHERE roles.project_id = p.id AND roles.role = 'Owner')
      FROM project_names n JOIN projects p ON p.id = n.project_id
      JOIN roles r ON r.project_id = p.id AND r.user_id = %(user_id)s
     WHERE n.normalized = %(normalized)s"""

RELEASES = """
    SELECT r.id, r.version, r.is_prerelease, r.created,
           CASE WHEN r.yanked IS NOT NULL THEN r.yanked_reason END,
           CASE WHEN r.quarantined IS NOT NULL THEN r.quarantine_reason END,
           held.files, held.size, held.downloads
      FROM (SELECT * FROM releases
             WHERE project_id = %(project_id)s AND (%(canonical)s IS NULL OR canonical = %(canonical)s)
             ORDER BY place DESC LIMIT %(limit)s OFFSET %(offset)s) AS r
     CROSS JOIN LATERAL (
           SELECT count(*) AS files, coalesce(sum(f.size), 0)::bigint AS size,
                  coalesce(sum(d.count), 0)::bigint AS downloads
             FROM files f LEFT JOIN file_downloads d ON d.file_id = f.id WHERE f.release_id = r.id) AS held
     ORDER BY r.place DESC"""

FILES = """
    SELECT f.filename, f.filetype, f.size, f.uploaded, u.name, coalesce(d.count, 0)
      FROM files f LEFT JOIN users u ON u.id = f.uploader_id LEFT JOIN file_downloads d ON d.file_id = f.id
     WHERE f.release_id = %(release_id)s AND (%(filename)s::text IS NULL OR f.filename = %(filename)s)
     ORDER BY f.filename LIMIT %(limit)s OFFSET %(offset)s"""

HELD = """
    SELECT count(*), coalesce(sum(size), 0)::bigint FROM files WHERE project_id = %(project_id)s"""

RECENT = """
    SELECT coalesce(sum(count), 0)::bigint FROM downloads
     WHERE project_id = %(project_id)s AND day >= %(first)s"""

PEOPLE = """
    SELECT u.name, r.role, r.created FROM roles r JOIN users u ON u.id = r.user_id
     WHERE r.project_id = %(project_id)s
     ORDER BY r.role = 'Owner' DESC, r.role = 'Maintainer' DESC, lower(u.name) LIMIT %(limit)s"""


async def count_mine(cursor: Cursor, user_id: int) -> int:
    """In how many projects an account has a role."""
    return int(await cursor.value(COUNT_MINE, {"user_id": user_id}))


async def mine(cursor: Cursor, user_id: int, *, limit: int, offset: int) -> list[MineRow]:
    """Some of these projects, by name."""
    return await cursor.rows(MineRow, MINE, {"user_id": user_id, "limit": limit, "offset": offset})


async def offers(cursor: Cursor, user_id: int, *, now: datetime, limit: int) -> list[OfferRow]:
    """What an account is offered and may accept, the last first."""
    parameters = {"project_id": None, "user_id": user_id, "now": now, "limit": limit}
    return await cursor.rows(OfferRow, OFFERS, parameters)


async def head(cursor: Cursor, user_id: int, name: NormalizedName) -> HeadRow | None:
    """The project that has, or had, a name; ``None`` where there is none in which the account has a role."""
    return await cursor.row(HeadRow, HEAD, {"user_id": user_id, "normalized": name})


async def releases(cursor: Cursor, project_id: int, *, limit: int, offset: int) -> list[ReleaseRow]:
    """Some releases, the highest version first."""
    parameters = {"project_id": project_id, "canonical": None, "limit": limit, "offset": offset}
    return await cursor.rows(ReleaseRow, RELEASES, parameters)


async def release(cursor: Cursor, project_id: int, version: str) -> ReleaseRow | None:
    """The release of a version in any spelling."""
    parameters = {"project_id": project_id, "canonical": versions.canonical(version), "limit": 1, "offset": 0}
    return await cursor.row(ReleaseRow, RELEASES, parameters)


async def files(
    cursor: Cursor, release_id: int, *, filename: str | None = None, limit: int = 1, offset: int = 0
) -> list[FileRow]:
    """Some files of a release by name, or only that of this very name."""
    parameters = {"release_id": release_id, "filename": filename, "limit": limit, "offset": offset}
    return await cursor.rows(FileRow, FILES, parameters)


async def held(cursor: Cursor, project_id: int) -> tuple[int, int]:
    """(files of a project, bytes of them)."""
    [(count, size)] = await cursor.tuples(HELD, {"project_id": project_id})
    return count, size


async def recent(cursor: Cursor, project_id: int, *, first: date) -> int:
    """Downloads of a project since a day."""
    return int(await cursor.value(RECENT, {"project_id": project_id, "first": first}))


async def people(cursor: Cursor, project_id: int, *, limit: int) -> list[MemberRow]:
    """Who has a role in a project: owners, maintainers, readers, each by name."""
    return await cursor.rows(MemberRow, PEOPLE, {"project_id": project_id, "limit": limit})


async def invited(cursor: Cursor, project_id: int, *, now: datetime, limit: int) -> list[OfferRow]:
    """Who is offered a role in a project and may accept it, the last first."""
    parameters = {"project_id": project_id, "user_id": None, "now": now, "limit": limit}
    return await cursor.rows(OfferRow, OFFERS, parameters)
