"""Names that projects had: they lead to what a project is called now, and nobody else gets them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName, look_alike_key, normalize


@frozen
class FormerRow:
    """A name a project had.

    Attributes:
        project: normalized name it has now.
        name: as it was displayed.
        versions: those with files that were published under the former name.
    """

    project: NormalizedName
    normalized: NormalizedName
    name: str
    versions: Sequence[str]


FORMER_OF = """
    SELECT p.normalized, f.normalized, f.name,
           ARRAY(SELECT DISTINCT r.version FROM files JOIN releases r ON r.id = files.release_id
                  WHERE files.project_id = p.id AND files.former_name = f.normalized)
      FROM former_names f JOIN projects p ON p.id = f.project_id
     WHERE p.normalized = ANY(%(names)s) ORDER BY f.since, f.normalized"""

NAMES = """
    SELECT f.normalized FROM former_names f JOIN projects p ON p.id = f.project_id
     WHERE p.normalized = %(normalized)s ORDER BY f.since, f.normalized"""

NOW = """
    SELECT p.name FROM former_names f JOIN projects p ON p.id = f.project_id
     WHERE f.normalized = %(normalized)s AND is_shown(p.reads)"""

SHOWN = """
    SELECT p.name FROM project_names n JOIN projects p ON p.id = n.project_id
     WHERE n.normalized = %(normalized)s AND p.is_listed"""

COUNT = "SELECT count(*) FROM former_names WHERE project_id = %(id)s"

RECENT = """
    SELECT count(*) FROM audit
     WHERE event = %(event)s AND at > %(since)s
       AND normalized IN (SELECT normalized FROM project_names WHERE project_id = %(id)s)"""

# Filenames stay what they are: each file knows under which name it was published, unless that is the present.
RENAME = """
    INSERT INTO former_names (normalized, name, look_alike, project_id, since)
    SELECT normalized, name, look_alike, id, %(now)s FROM projects WHERE id = %(id)s;
    DELETE FROM former_names WHERE normalized = %(normalized)s;
    UPDATE files SET former_name = nullif(coalesce(former_name, (
               SELECT normalized FROM projects WHERE id = %(id)s)), %(normalized)s)
     WHERE project_id = %(id)s AND coalesce(former_name, '') IN ('', %(normalized)s);
    UPDATE projects SET name = %(name)s, normalized = %(normalized)s, look_alike = %(look_alike)s
     WHERE id = %(id)s"""


async def former_of(cursor: Cursor, names: Sequence[NormalizedName]) -> list[FormerRow]:
    """All names that projects of these names had before, the one left first."""
    return await cursor.rows(FormerRow, FORMER_OF, {"names": list(names)})


async def former_names(cursor: Cursor, name: NormalizedName) -> list[NormalizedName]:
    """The names that the project of this name had before, the one left first."""
    return [one for (one,) in await cursor.tuples(NAMES, {"normalized": name})]


async def present_name(cursor: Cursor, name: NormalizedName) -> str | None:
    """What the project that had this name is called now; ``None`` where that is no name of before."""
    found: str | None = await cursor.value(NOW, {"normalized": name})
    return found


async def shown_name(cursor: Cursor, name: NormalizedName) -> str | None:
    """What a project that has or had this name is called; ``None`` where lists have none."""
    found: str | None = await cursor.value(SHOWN, {"normalized": name})
    return found


async def count(cursor: Cursor, project_id: int) -> int:
    """How many names a project had before."""
    return int(await cursor.value(COUNT, {"id": project_id}))


async def recent(cursor: Cursor, project_id: int, *, event: str, since: datetime) -> int:
    """How often the security log has an event of a project since a moment."""
    return int(await cursor.value(RECENT, {"id": project_id, "event": event, "since": since}))


async def rename(cursor: Cursor, project_id: int, name: str, *, now: datetime) -> None:
    """Call a project otherwise; its name until now is kept for it, for ever.

    Raises:
        psycopg2.errors.UniqueViolation: another project has the name.
    """
    given = {"normalized": normalize(name), "look_alike": look_alike_key(name)}
    await cursor.run(RENAME, {"id": project_id, "name": name, "now": now, **given})
