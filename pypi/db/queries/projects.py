"""Projects."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName, look_alike_key, normalize
from pypi.domain.permissions import Access


@frozen
class ProjectRow:
    """A project.

    Attributes:
        status: a word of PEP 792.
        last_serial: that of its last change.
        reads: a word of ``Access``.
    """

    id: int
    name: str
    normalized: NormalizedName
    status: str
    status_reason: str
    last_serial: int
    reads: str = Access.PUBLIC.value

    @property
    def is_private(self) -> bool:
        """Whether it is not for everybody who reads the index."""
        return self.reads != Access.PUBLIC.value


@frozen
class TouchedRow:
    """Projects that changed.

    Attributes:
        serial: of the last change of anything.
        count: of the projects; as many as were asked for, if there may be more.
        lines: one of each, as in ``listed``; of those that are no longer listed only the normalized name.
    """

    serial: int
    count: int
    lines: str = field(repr=False)


BY_NAME = """
    SELECT id, name, normalized, status, status_reason, last_serial, reads
      FROM projects WHERE normalized = %(normalized)s"""

LOCKED = BY_NAME + " FOR UPDATE"

LOOK_ALIKE = """
    SELECT CASE WHEN reads = 'public' THEN name ELSE '' END FROM (
        SELECT name, 1 AS place, id, reads FROM projects
         WHERE look_alike = %(look_alike)s AND normalized <> %(normalized)s
         UNION ALL
        SELECT f.name, 2, p.id, coalesce(p.reads, CASE WHEN f.is_private THEN 'roles' ELSE 'public' END)
          FROM former_names f LEFT JOIN projects p ON p.id = f.project_id
         WHERE f.look_alike = %(look_alike)s AND f.normalized <> %(normalized)s) AS alike
     WHERE id IS DISTINCT FROM %(but)s
     ORDER BY place, id LIMIT 1"""

# Two look-alikes registered at once must not both succeed: whoever creates holds the key of both.
LOCK_LOOK_ALIKE = "SELECT pg_advisory_xact_lock(hashtextextended(%(look_alike)s, 1))"

PROHIBITED = "SELECT true FROM prohibited_names WHERE normalized = %(normalized)s"

ADD = """
    INSERT INTO projects (name, normalized, look_alike, reads, created)
    VALUES (%(name)s, %(normalized)s, %(look_alike)s, %(reads)s, %(now)s)
    ON CONFLICT (normalized) DO NOTHING
    RETURNING id, name, normalized, status, status_reason, last_serial, reads"""

RENAME = "UPDATE projects SET name = %(name)s WHERE id = %(id)s AND name <> %(name)s"

SIZE = "SELECT coalesce(sum(size), 0)::bigint FROM files WHERE project_id = %(id)s"

# What installers find something under: every project, and each name under which files of it were published
# before. Lines of "normalized<tab>name<tab>serial"; no valid name has a tab or a line end in it.
ALL = """
    DECLARE listed NO SCROLL CURSOR FOR
     SELECT normalized || E'\\t' || translate(name, E'\\t\\n', '  ') || E'\\t' || last_serial
       FROM (SELECT normalized, name, last_serial FROM projects WHERE is_listed
              UNION ALL
             SELECT f.normalized, f.name, f.last_serial
               FROM former_names f JOIN projects p ON p.id = f.project_id
              WHERE p.is_listed AND EXISTS (SELECT FROM files WHERE files.project_id = p.id
                                               AND files.former_name = f.normalized)) AS names
      ORDER BY normalized COLLATE "C" """

NEXT = "FETCH 2000 FROM listed"

TOUCHED = """
    WITH touched AS (SELECT DISTINCT normalized FROM journal
                      WHERE serial > %(serial)s AND normalized IS NOT NULL LIMIT %(limit)s)
    SELECT (SELECT coalesce(max(serial), 0) FROM journal), count(*),
           coalesce(string_agg(touched.normalized || coalesce(
             E'\\t' || translate(p.name, E'\\t\\n', '  ') || E'\\t' || p.last_serial,
             E'\\t' || translate(f.name, E'\\t\\n', '  ') || E'\\t' || f.last_serial, ''), E'\\n'), '')
      FROM touched
      LEFT JOIN projects p ON p.normalized = touched.normalized AND p.is_listed
      LEFT JOIN former_names f ON f.normalized = touched.normalized
           AND EXISTS (SELECT FROM projects one JOIN files ON files.project_id = one.id
                        WHERE one.id = f.project_id AND one.is_listed AND files.former_name = f.normalized)"""


async def by_name(cursor: Cursor, name: NormalizedName) -> ProjectRow | None:
    """The project of that name, ``None`` if there is none."""
    return await cursor.row(ProjectRow, BY_NAME, {"normalized": name})


async def locked(cursor: Cursor, name: NormalizedName) -> ProjectRow | None:
    """The project of that name; others who want to change it wait until this transaction ends."""
    return await cursor.row(ProjectRow, LOCKED, {"normalized": name})


async def look_alike(cursor: Cursor, name: str, *, but: int = 0) -> str | None:
    """The name another project has or had which a hurried reader would take for ``name``, if any.

    It is empty where that project is not for everybody.

    Args:
        but: a project that may well be called like itself.
    """
    found: str | None = await cursor.value(
        LOOK_ALIKE, {"look_alike": look_alike_key(name), "normalized": normalize(name), "but": but}
    )
    return found


async def is_prohibited(cursor: Cursor, name: NormalizedName) -> bool:
    """Whether the operator keeps the name from being taken."""
    return bool(await cursor.value(PROHIBITED, {"normalized": name}))


async def lock_creation(cursor: Cursor, name: str) -> None:
    """Make whoever would create this project, or one that looks like it, wait for this transaction."""
    await cursor.run(LOCK_LOOK_ALIKE, {"look_alike": look_alike_key(name)})


async def add(
    cursor: Cursor, name: str, *, access: Access = Access.PUBLIC, now: datetime
) -> ProjectRow | None:
    """The new project, which nobody else sees yet; ``None`` where somebody was faster."""
    spelled = {"name": name, "normalized": normalize(name), "look_alike": look_alike_key(name)}
    return await cursor.row(ProjectRow, ADD, {**spelled, "reads": access.value, "now": now})


async def spell(cursor: Cursor, project_id: int, name: str) -> None:
    """Show the project's name as it is spelled in its latest upload."""
    await cursor.run(RENAME, {"id": project_id, "name": name})


async def size(cursor: Cursor, project_id: int) -> int:
    """Bytes of all the project's files."""
    return int(await cursor.value(SIZE, {"id": project_id}))


async def listed(cursor: Cursor) -> AsyncIterator[list[str]]:
    """All that may be listed, by normalized name, some thousand at a time.

    Each is a line: normalized name, name and last serial, with tabs between them.
    """
    await cursor.run(ALL)
    while rows := await cursor.tuples(NEXT):
        yield [line for (line,) in rows]


async def touched(cursor: Cursor, serial: int, *, limit: int) -> TouchedRow:
    """What has changed in the list since a serial; one statement."""
    found = await cursor.row(TouchedRow, TOUCHED, {"serial": serial, "limit": limit})
    assert found is not None
    return found
