"""How often features were used, by day and family of clients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.clients import OTHER
from pypi.domain.usage import Use

MOST_ROWS = 600
"""Rows a day has at most, but for those of ``other``; workers that add at once may exceed it a little."""

ADD = """
    WITH given AS (
        SELECT * FROM unnest(
            %(days)s::date[], %(features)s::text[], %(families)s::text[],
            %(counts)s::bigint[], %(seen)s::timestamptz[]
        ) AS one (day, feature, family, count, last_seen)
    ), placed AS (
        SELECT given.*, usage.day IS NOT NULL AS is_there,
               (SELECT count(*) FROM usage AS held WHERE held.day = given.day) + row_number() OVER (
                   PARTITION BY given.day, usage.day IS NOT NULL ORDER BY given.count DESC
               ) AS place
          FROM given LEFT JOIN usage USING (day, feature, family)
    ), named AS (
        SELECT day, feature, count, last_seen,
               CASE WHEN is_there OR place <= %(most)s THEN family ELSE %(other)s END AS family
          FROM placed
    )
    INSERT INTO usage (day, feature, family, count, last_seen)
    SELECT day, feature, family, sum(count), max(last_seen) FROM named
     GROUP BY day, feature, family ORDER BY day, feature, family
    ON CONFLICT (day, feature, family) DO UPDATE
       SET count = usage.count + excluded.count, last_seen = greatest(usage.last_seen, excluded.last_seen)"""

SINCE = """
    SELECT feature, family, sum(count)::bigint, max(last_seen) FROM usage WHERE day >= %(day)s
     GROUP BY feature, family ORDER BY feature, family"""

FIRST_DAY = "SELECT min(day) FROM usage"
FORGET = "DELETE FROM usage WHERE day < %(day)s"


@frozen
class Added:
    """What is added to one row.

    Attributes:
        day: in UTC, as ISO 8601.
        last_seen: aware.
    """

    day: str
    feature: str
    family: str
    count: int
    last_seen: datetime


async def add(cursor: Cursor, rows: Sequence[Added], most: int = MOST_ROWS) -> None:
    """Add counts to those that are there.

    Args:
        most: rows of a day; what is new beyond that counts as ``other``.
    """
    parameters = {
        "days": [row.day for row in rows],
        "features": [row.feature for row in rows],
        "families": [row.family for row in rows],
        "counts": [row.count for row in rows],
        "seen": [row.last_seen for row in rows],
        "most": most,
        "other": OTHER,
    }
    await cursor.run(ADD, parameters)


async def since(cursor: Cursor, day: date) -> list[Use]:
    """Uses from a day on."""
    return await cursor.rows(Use, SINCE, {"day": day})


async def first_day(cursor: Cursor) -> date | None:
    """The first day of which anything is recorded."""
    found: date | None = await cursor.value(FIRST_DAY)
    return found


async def forget(cursor: Cursor, before: date) -> int:
    """Forget what was before a day; how many rows that were."""
    return await cursor.run(FORGET, {"day": before})
