"""The journal for everybody: what may be told of each line, as JSON that PostgreSQL writes.

Who did something is not told, beyond what the action says: ``add Owner ada``; and nothing of what is private.
"""

from __future__ import annotations

from attrs import field, frozen

from pypi.db.connection import Cursor


@frozen
class PageRow:
    """Some lines of the journal.

    Attributes:
        last: the last serial of all.
        count: of the lines.
        end: the serial of the last of them, ``None`` where there is none.
        lines: JSON objects, with commas between them.
    """

    last: int
    count: int
    end: int | None
    lines: str = field(repr=False)


LINES = """
    SELECT told.serial, CASE WHEN NOT j.is_private THEN row_to_json(told)::text END FROM (
        SELECT serial, name AS project, normalized, version, action,
               to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
          FROM journal WHERE serial > %(since)s ORDER BY serial LIMIT %(limit)s) AS told
      JOIN journal j ON j.serial = told.serial
     ORDER BY told.serial"""

PAGE = """
    SELECT (SELECT coalesce(max(serial), 0) FROM journal), count(*), max(serial),
           coalesce(string_agg(row_to_json(told)::text, E',\\n' ORDER BY serial), '') FROM (
        SELECT serial, name AS project, normalized, version, action,
               to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS at
          FROM journal WHERE serial > %(since)s AND NOT is_private ORDER BY serial LIMIT %(limit)s) AS told"""


async def lines(cursor: Cursor, since: int, limit: int) -> list[tuple[int, str | None]]:
    """(serial, JSON object) of up to ``limit`` lines after a serial, in order; one statement.

    There is none of what is private, so that whoever follows knows how far he came.
    """
    return [(row[0], row[1]) for row in await cursor.tuples(LINES, {"since": since, "limit": limit})]


async def page(cursor: Cursor, since: int, limit: int) -> PageRow:
    """Up to ``limit`` lines after a serial that are for everybody, in order; one statement."""
    found = await cursor.row(PageRow, PAGE, {"since": since, "limit": limit})
    assert found is not None
    return found
