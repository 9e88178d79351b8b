"""What projects need, and who needs them: of the release of each that a reader means who names none."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class DependentRow:
    """A project that needs another.

    Attributes:
        version: of the release that needs it.
        requirements: lines, as written.
        is_optional: whether all of them are for an extra.
    """

    name: str
    version: str
    summary: str
    requirements: str
    is_optional: bool


REFRESH = """
    DELETE FROM dependencies WHERE project_id = %(project_id)s;
    INSERT INTO dependencies SELECT * FROM dependencies_meant WHERE project_id = %(project_id)s"""

# Quarantined ones are few, and looked up once.
_NEEDING = """
      FROM dependencies d
     WHERE d.normalized = %(normalized)s
       AND d.project_id NOT IN (SELECT id FROM projects WHERE status = 'quarantined')"""

_PAGE = """
    SELECT p.name, r.version, r.summary, page.requirements, page.is_optional
      FROM (SELECT d.project_id, d.dependent, d.requirements, d.is_optional"""

_SHOWN = """
             ORDER BY d.dependent LIMIT %(limit)s OFFSET %(offset)s) AS page
      JOIN projects p ON p.id = page.project_id
      JOIN search s ON s.project_id = page.project_id
      JOIN releases r ON r.id = s.release_id
     ORDER BY page.dependent"""

COUNT = "SELECT count(*)" + _NEEDING
DEPENDENTS = _PAGE + _NEEDING + _SHOWN

HERE = """
    SELECT p.normalized, p.name FROM projects p JOIN search s ON s.project_id = p.id
     WHERE p.normalized = ANY (%(names)s) AND p.status <> 'quarantined'"""


async def refresh(cursor: Cursor, project_id: int) -> None:
    """Have what a project needs known as it is now; after ``search.refresh``, in its transaction."""
    await cursor.run(REFRESH, {"project_id": project_id})


async def count(cursor: Cursor, name: NormalizedName) -> int:
    """How many projects of this index need one."""
    return int(await cursor.value(COUNT, {"normalized": name}))


async def dependents(
    cursor: Cursor, name: NormalizedName, *, limit: int, offset: int = 0
) -> list[DependentRow]:
    """The projects that need one, by name."""
    return await cursor.rows(DependentRow, DEPENDENTS, {"normalized": name, "limit": limit, "offset": offset})


async def here(cursor: Cursor, names: Sequence[NormalizedName]) -> dict[str, str]:
    """Those of these projects that this index shows: normalized name → name as displayed."""
    return dict(await cursor.tuples(HERE, {"names": list(names)}))
