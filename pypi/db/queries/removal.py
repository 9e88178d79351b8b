"""Taking files, releases and projects off the index, and names that are not free afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class RemovedFile:
    """A file that was listed."""

    filename: str
    blake2_256: str


@frozen
class FormerName:
    """A name that is not free.

    Attributes:
        name: as it was displayed.
        now: the name of the project that had it, called otherwise now, empty where that is not for everybody;
            ``None`` for one that is gone.
        is_own: whether the account that was asked about was an owner of the project that is gone.
    """

    name: str
    now: str | None
    is_own: bool


FILE = """
    DELETE FROM files WHERE project_id = %(project_id)s AND release_id = %(release_id)s
       AND filename = %(filename)s RETURNING filename, blake2_256"""

FILES_OF_RELEASE = "SELECT filename, blake2_256 FROM files WHERE release_id = %(id)s"

FILES_OF_PROJECT = "SELECT filename, blake2_256 FROM files WHERE project_id = %(id)s"

RELEASE = "DELETE FROM releases WHERE id = %(id)s"

RELEASE_OF_FILE = """
    SELECT r.version FROM files f JOIN releases r ON r.id = f.release_id
     WHERE f.project_id = %(project_id)s AND f.filename = %(filename)s"""

PROJECT = "DELETE FROM projects WHERE id = %(id)s"

FORMER_OF = "SELECT normalized FROM former_names WHERE project_id = %(id)s ORDER BY normalized"

# All names of the project are kept for its owners; what led to it leads nowhere once it is gone.
KEEP_NAMES = """
    INSERT INTO former_names (normalized, name, look_alike, project_id, since)
    SELECT normalized, name, look_alike, id, %(now)s FROM projects WHERE id = %(id)s;
    UPDATE former_names SET is_private = true
     WHERE project_id = (SELECT id FROM projects WHERE id = %(id)s AND reads <> 'public');
    INSERT INTO former_owners (normalized, user_id)
    SELECT f.normalized, r.user_id FROM former_names f JOIN roles r ON r.project_id = f.project_id
     WHERE f.project_id = %(id)s AND r.role = 'Owner'"""

FORMER = """
    SELECT f.name,
           CASE WHEN p.reads <> 'public' OR f.is_private AND NOT own.is_own AND %(user_id)s IS NOT NULL
                THEN '' ELSE p.name END,
           own.is_own
      FROM former_names f LEFT JOIN projects p ON p.id = f.project_id
     CROSS JOIN LATERAL (
           SELECT EXISTS (SELECT FROM former_owners o
                           WHERE o.normalized = f.normalized AND o.user_id = %(user_id)s) AS is_own) AS own
     WHERE f.normalized = %(normalized)s"""

KEEP_FOR = """
    INSERT INTO former_owners (normalized, user_id) VALUES (%(normalized)s, %(user_id)s)
    ON CONFLICT DO NOTHING"""

FREE = "DELETE FROM former_names WHERE normalized = %(normalized)s AND project_id IS NULL"


async def file(cursor: Cursor, *, project_id: int, release_id: int, filename: str) -> RemovedFile | None:
    """Take a file of a release away; ``None`` if the release has no such file."""
    given = {"project_id": project_id, "release_id": release_id, "filename": filename}
    return await cursor.row(RemovedFile, FILE, given)


async def version_of(cursor: Cursor, *, project_id: int, filename: str) -> str | None:
    """The version a file of the project belongs to, ``None`` if the project has no such file."""
    found: str | None = await cursor.value(RELEASE_OF_FILE, {"project_id": project_id, "filename": filename})
    return found


async def release(cursor: Cursor, release_id: int) -> list[RemovedFile]:
    """Take a release away with all its files, which are returned."""
    files = await cursor.rows(RemovedFile, FILES_OF_RELEASE, {"id": release_id})
    await cursor.run(RELEASE, {"id": release_id})
    return files


async def project(cursor: Cursor, project_id: int, *, now: datetime) -> list[RemovedFile]:
    """Take a project away with all its files, which are returned; its names are kept for its owners."""
    files = await cursor.rows(RemovedFile, FILES_OF_PROJECT, {"id": project_id})
    await cursor.run(KEEP_NAMES, {"id": project_id, "now": now})
    await cursor.run(PROJECT, {"id": project_id})
    return files


async def former_names_of(cursor: Cursor, project_id: int) -> Sequence[str]:
    """Normalized names a project had."""
    return [name for (name,) in await cursor.tuples(FORMER_OF, {"id": project_id})]


async def former_name(
    cursor: Cursor, name: NormalizedName, *, user_id: int | None = None
) -> FormerName | None:
    """What became of the project that had a name; ``None`` if there was none, or it has the name still."""
    return await cursor.row(FormerName, FORMER, {"normalized": name, "user_id": user_id})


async def keep_for(cursor: Cursor, name: NormalizedName, *, user_id: int) -> None:
    """Let an account take the name of a project that is gone, beside those who owned it."""
    await cursor.run(KEEP_FOR, {"normalized": name, "user_id": user_id})


async def free(cursor: Cursor, name: NormalizedName) -> bool:
    """Let anybody take the name of a project that is gone; whether it was kept."""
    return bool(await cursor.run(FREE, {"normalized": name}))
