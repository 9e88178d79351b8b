"""Downloads: by project and day, by file, of everything by day; and how popular each project is.

Whoever writes takes a lock before the first row, so that nobody waits for anybody halfway, and sums are of
what everybody sees. The tables refer to projects and files by their numbers alone: a foreign key would have
those who publish wait for those who count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain import versions
from pypi.domain.downloads import Popular

LOCK = "SELECT pg_advisory_xact_lock(7302)"

ADD = """
    WITH given AS (
        SELECT files.id AS file_id, files.project_id, one.day, one.count
          FROM unnest(%(days)s::date[], %(digests)s::text[], %(counts)s::bigint[])
            AS one (day, digest, count)
          JOIN files ON files.blake2_256 = one.digest
    ), by_project AS (
        INSERT INTO downloads AS held (project_id, day, count)
        SELECT project_id, day, sum(count) FROM given GROUP BY project_id, day ORDER BY project_id, day
        ON CONFLICT (project_id, day) DO UPDATE SET count = held.count + excluded.count
    ), by_file AS (
        INSERT INTO file_downloads AS held (file_id, count)
        SELECT file_id, sum(count) FROM given GROUP BY file_id ORDER BY file_id
        ON CONFLICT (file_id) DO UPDATE SET count = held.count + excluded.count
    ), by_day AS (
        INSERT INTO download_days AS held (day, count)
        SELECT day, sum(count) FROM given
         WHERE project_id NOT IN (SELECT id FROM projects WHERE reads <> 'public') GROUP BY day
        ON CONFLICT (day) DO UPDATE SET count = held.count + excluded.count
    )
    INSERT INTO popularity AS held (project_id, recent, day)
    SELECT project_id, sum(count), max(day) FROM given GROUP BY project_id ORDER BY project_id
    ON CONFLICT (project_id) DO UPDATE SET recent = held.recent + excluded.recent"""

# Sums of other days than the window's, in the order of projects: the next batch begins behind this one.
AGE = """
    WITH old AS (
        SELECT project_id FROM popularity
         WHERE project_id > %(after)s AND day < %(today)s AND recent > 0
         ORDER BY project_id LIMIT %(limit)s
    ), summed AS (
        SELECT project_id,
               (SELECT coalesce(sum(count), 0) FROM downloads
                 WHERE downloads.project_id = old.project_id AND downloads.day >= %(first)s) AS recent
          FROM old
    ), aged AS (
        UPDATE popularity SET recent = summed.recent, day = %(today)s FROM summed
         WHERE popularity.project_id = summed.project_id
    )
    SELECT max(project_id) FROM old"""

# Small numbers are told exactly, others as soon as they are wrong by a sixteenth: each that is told is a new
# row in all indexes by which projects are found.
TELL_SEARCHES = """
    UPDATE findable SET downloads = news.recent
      FROM (SELECT project_id, recent FROM popularity JOIN findable USING (project_id)
             WHERE abs(recent - downloads) * 16 > downloads
             ORDER BY recent DESC LIMIT %(limit)s) AS news
     WHERE findable.project_id = news.project_id"""

FORGET = """
    DELETE FROM downloads WHERE ctid = ANY (ARRAY (
        SELECT ctid FROM downloads WHERE day < %(before)s LIMIT %(limit)s))"""

DROP_FILES = """
    DELETE FROM file_downloads WHERE file_id IN (
        SELECT file_id FROM file_downloads WHERE NOT EXISTS (
            SELECT FROM files WHERE files.id = file_id) LIMIT %(limit)s)"""

DROP_PROJECTS = """
    WITH gone AS (
        DELETE FROM popularity WHERE project_id IN (
            SELECT project_id FROM popularity WHERE NOT EXISTS (
                SELECT FROM projects WHERE projects.id = project_id) LIMIT %(limit)s)
        RETURNING project_id
    ), forgotten AS (
        DELETE FROM downloads WHERE project_id IN (SELECT project_id FROM gone)
    )
    SELECT project_id FROM gone"""

OF_PROJECT = """
    SELECT day, count FROM downloads JOIN projects ON projects.id = project_id
     WHERE normalized = %(project)s AND is_shown(reads) AND day BETWEEN %(first)s AND %(last)s"""

OF_ALL = "SELECT day, count FROM download_days WHERE day BETWEEN %(first)s AND %(last)s"

TOTALS = """
    SELECT coalesce(sum(count) FILTER (WHERE day >= %(first)s), 0)::bigint, coalesce(sum(count), 0)::bigint,
           min(day)
      FROM download_days"""

TOP = """
    SELECT name, normalized, recent FROM popularity JOIN projects ON projects.id = project_id
     WHERE recent > 0 AND is_listed
     ORDER BY recent DESC, normalized LIMIT %(limit)s"""

OF_RELEASE = """
    SELECT filename, coalesce(count, 0) FROM files
      JOIN releases ON releases.id = release_id
      JOIN projects ON projects.id = releases.project_id
      JOIN project_names ON project_names.project_id = projects.id
      LEFT JOIN file_downloads ON file_id = files.id
     WHERE project_names.normalized = %(project)s AND canonical = %(canonical)s AND status <> 'quarantined'
       AND is_shown(reads) AND quarantined IS NULL
     ORDER BY filename"""


@frozen
class Added:
    """What is added to a file's count.

    Attributes:
        day: in UTC, as ISO 8601.
    """

    day: str
    blake2_256: str
    count: int


async def add(cursor: Cursor, rows: Sequence[Added]) -> None:
    """Add counts to those that are there; those of files that are not there count for nothing."""
    await cursor.run(LOCK)
    parameters = {
        "days": [row.day for row in rows],
        "digests": [row.blake2_256 for row in rows],
        "counts": [row.count for row in rows],
    }
    await cursor.run(ADD, parameters)


async def age(cursor: Cursor, *, after: int, today: date, first: date, limit: int) -> int | None:
    """Sum up anew what some projects' popularity is of other days than today's.

    Args:
        after: the last project of the batch before.
        first: day of those that count.
        limit: projects in a batch.

    Returns:
        the last project of this batch; ``None`` where there was none.
    """
    await cursor.run(LOCK)
    parameters = {"after": after, "today": today, "first": first, "limit": limit}
    last: int | None = await cursor.value(AGE, parameters)
    return last


async def tell_searches(cursor: Cursor, limit: int) -> int:
    """Have searches know how popular some projects are of which they know something else; how many."""
    return await cursor.run(TELL_SEARCHES, {"limit": limit})


async def forget(cursor: Cursor, before: date, limit: int) -> int:
    """Forget some of the days of projects before a day; how many."""
    return await cursor.run(FORGET, {"before": before, "limit": limit})


async def drop_files(cursor: Cursor, limit: int) -> int:
    """Forget some of the files that are gone; how many."""
    return await cursor.run(DROP_FILES, {"limit": limit})


async def drop_projects(cursor: Cursor, limit: int) -> int:
    """Forget some of the projects that are gone; how many."""
    await cursor.run(LOCK)
    return len(await cursor.tuples(DROP_PROJECTS, {"limit": limit}))


async def of_project(cursor: Cursor, project: str, first: date, last: date) -> dict[date, int]:
    """Day → downloads of a project."""
    return dict(await cursor.tuples(OF_PROJECT, {"project": project, "first": first, "last": last}))


async def of_all(cursor: Cursor, first: date, last: date) -> dict[date, int]:
    """Day → downloads of everything."""
    return dict(await cursor.tuples(OF_ALL, {"first": first, "last": last}))


async def totals(cursor: Cursor, first: date) -> tuple[int, int, date | None]:
    """Downloads since a day, since ever, and the first day there were any."""
    ((recent, ever, since),) = await cursor.tuples(TOTALS, {"first": first})
    return recent, ever, since


async def top(cursor: Cursor, limit: int) -> list[Popular]:
    """The most popular projects, the most popular first; none that is quarantined."""
    return await cursor.rows(Popular, TOP, {"limit": limit})


async def of_release(cursor: Cursor, project: str, version: str) -> list[tuple[str, int]]:
    """(filename, downloads) of each file of a release, by filename; its version may be spelled otherwise."""
    parameters = {"project": project, "canonical": versions.canonical(version)}
    return await cursor.tuples(OF_RELEASE, parameters)
