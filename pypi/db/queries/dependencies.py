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

# A project that had other names is needed by whoever names it by one of them, too. Each of those is there
# once, and itself is not: what is left under the old name often needs the new one, or the other way round.
_NEEDING_ANY = """
      FROM dependencies d
     WHERE d.normalized = ANY(%(names)s)
       AND d.project_id NOT IN (SELECT id FROM projects WHERE status = 'quarantined')
       AND d.project_id NOT IN (SELECT project_id FROM project_names WHERE normalized = ANY(%(names)s))"""

_PAGE_ANY = """
    SELECT p.name, r.version, r.summary, page.requirements, page.is_optional
      FROM (SELECT d.project_id, min(d.dependent) AS dependent,
                   string_agg(d.requirements, E'\\n' ORDER BY d.normalized) AS requirements,
                   bool_and(d.is_optional) AS is_optional"""

_SHOWN_ANY = """
             GROUP BY d.project_id ORDER BY min(d.dependent) LIMIT %(limit)s OFFSET %(offset)s) AS page
      JOIN projects p ON p.id = page.project_id
      JOIN search s ON s.project_id = page.project_id
      JOIN releases r ON r.id = s.release_id
     ORDER BY page.dependent"""

COUNT_ANY = "SELECT count(DISTINCT d.project_id)" + _NEEDING_ANY
DEPENDENTS_ANY = _PAGE_ANY + _NEEDING_ANY + _SHOWN_ANY

HERE = """
    SELECT n.normalized, p.name FROM project_names n
      JOIN projects p ON p.id = n.project_id JOIN search s ON s.project_id = p.id
     WHERE n.normalized = ANY (%(names)s) AND p.status <> 'quarantined'"""


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


async def count_any(cursor: Cursor, names: Sequence[NormalizedName]) -> int:
    """How many projects need one that has, or had, these names."""
    return int(await cursor.value(COUNT_ANY, {"names": list(names)}))


async def dependents_any(
    cursor: Cursor, names: Sequence[NormalizedName], *, limit: int, offset: int = 0
) -> list[DependentRow]:
    """The projects that need one that has, or had, these names, by their own."""
    return await cursor.rows(
        DependentRow, DEPENDENTS_ANY, {"names": list(names), "limit": limit, "offset": offset}
    )


async def here(cursor: Cursor, names: Sequence[NormalizedName]) -> dict[str, str]:
    """Those of these projects that this index shows: normalized name, or a former one → name as displayed."""
    return dict(await cursor.tuples(HERE, {"names": list(names)}))
