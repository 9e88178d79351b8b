"""How much there is, and what is newest, for the pages that say so; of what is in lists."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor


@frozen
class TotalsRow:
    """All of the index at one moment.

    Attributes:
        serial: of the last change of anything.
        projects: those that have no release, too.
        size: of all files, in bytes.
    """

    serial: int
    projects: int
    releases: int
    files: int
    wheels: int
    size: int


@frozen
class LargeRow:
    """A project and all its files; ``size`` in bytes."""

    name: str
    files: int
    size: int


@frozen
class MonthRow:
    """A month, by the moment it begins (aware, UTC), and the releases that were published in it."""

    begins: datetime
    releases: int


@frozen
class NewRow:
    """A release, or a project by the release that is shown of it; ``created``: of the one or of the other."""

    name: str
    version: str
    summary: str = field(repr=False)
    created: datetime


TOTALS = """
    WITH hidden AS MATERIALIZED (SELECT id FROM projects WHERE NOT is_listed),
         held_back AS MATERIALIZED (SELECT id, project_id FROM releases WHERE quarantined IS NOT NULL),
         held AS (SELECT count(*) AS files, count(*) FILTER (WHERE filetype = 'bdist_wheel') AS wheels,
                         coalesce(sum(size), 0)::bigint AS size
                    FROM files WHERE project_id NOT IN (SELECT id FROM hidden)
                     AND release_id NOT IN (SELECT id FROM held_back))
    SELECT (SELECT coalesce(max(serial), 0) FROM journal),
           (SELECT count(*) FROM projects) - (SELECT count(*) FROM hidden),
           (SELECT count(*) FROM releases WHERE project_id NOT IN (SELECT id FROM hidden))
             - (SELECT count(*) FROM held_back WHERE project_id NOT IN (SELECT id FROM hidden)),
           files, wheels, size
      FROM held"""

LARGEST = """
    SELECT p.name, s.files, s.size
      FROM (SELECT project_id, count(*) AS files, sum(size)::bigint AS size
              FROM files
             WHERE project_id NOT IN (SELECT id FROM projects WHERE NOT is_listed)
               AND release_id NOT IN (SELECT id FROM releases WHERE quarantined IS NOT NULL)
             GROUP BY project_id ORDER BY 3 DESC, project_id LIMIT %(limit)s) AS s
      JOIN projects p ON p.id = s.project_id
     ORDER BY s.size DESC, s.project_id"""

MONTHS = """
    SELECT date_trunc('month', created, 'UTC') AS begins, count(*)
      FROM releases
     WHERE created >= %(since)s AND project_id NOT IN (SELECT id FROM projects WHERE NOT is_listed)
       AND quarantined IS NULL
     GROUP BY 1 ORDER BY 1"""

# Of each project the newest alone: an archive of years that arrives at once is one line.
LATEST = """
    SELECT name, version, summary, created
      FROM (SELECT DISTINCT ON (project_id) *
              FROM (SELECT r.id, r.project_id, p.name, r.version, r.summary, r.created
                      FROM releases r JOIN projects p ON p.id = r.project_id
                     WHERE r.yanked IS NULL AND r.quarantined IS NULL AND p.is_listed
                     ORDER BY r.created DESC, r.id DESC LIMIT %(among)s) AS newest
             ORDER BY project_id, created DESC, id DESC) AS one_each
     ORDER BY created DESC, id DESC LIMIT %(limit)s"""

NEW_PROJECTS = """
    SELECT p.name, r.version, r.summary, p.created
      FROM projects p JOIN search s ON s.project_id = p.id JOIN releases r ON r.id = s.release_id
     WHERE p.is_listed
     ORDER BY p.created DESC, p.id DESC LIMIT %(limit)s"""


async def totals(cursor: Cursor) -> TotalsRow:
    """How much there is; every row is counted."""
    found = await cursor.row(TotalsRow, TOTALS)
    assert found is not None
    return found


async def largest(cursor: Cursor, limit: int) -> list[LargeRow]:
    """The projects with the most bytes, the largest first."""
    return await cursor.rows(LargeRow, LARGEST, {"limit": limit})


async def months(cursor: Cursor, since: datetime) -> list[MonthRow]:
    """Releases by month, the oldest first; months without any are left out."""
    return await cursor.rows(MonthRow, MONTHS, {"since": since})


async def latest(cursor: Cursor, limit: int, among: int) -> list[NewRow]:
    """The newest releases, at most one of each project, among so many of the newest of all."""
    return await cursor.rows(NewRow, LATEST, {"limit": limit, "among": among})


async def new_projects(cursor: Cursor, limit: int) -> list[NewRow]:
    """The newest projects that have a release."""
    return await cursor.rows(NewRow, NEW_PROJECTS, {"limit": limit})
