"""Names that nobody may take."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class ProhibitedRow:
    """A name nobody may take.

    Attributes:
        reason: for those who run the index; may be empty.
        actor: who prohibited it; empty where that is not known.
        created: since when; aware, UTC.
        is_used: whether a project has it all the same.
    """

    normalized: NormalizedName
    reason: str
    actor: str
    created: datetime
    is_used: bool


ADD = """
    INSERT INTO prohibited_names (normalized, reason, actor, created)
    VALUES (%(normalized)s, %(reason)s, %(actor)s, %(now)s)
    ON CONFLICT (normalized) DO UPDATE SET reason = excluded.reason, actor = excluded.actor
    RETURNING xmax = 0"""

REMOVE = "DELETE FROM prohibited_names WHERE normalized = %(normalized)s"

LISTED = """
    SELECT n.normalized, n.reason, n.actor, n.created,
           EXISTS (SELECT FROM projects p WHERE p.normalized = n.normalized)
      FROM prohibited_names n WHERE n.normalized > %(after)s COLLATE "C"
     ORDER BY n.normalized COLLATE "C" LIMIT %(limit)s"""


async def add(cursor: Cursor, name: NormalizedName, *, reason: str, actor: str, now: datetime) -> bool:
    """Let nobody take a name; whether that is new. If it is not, its reason is this one from now on."""
    given = {"normalized": name, "reason": reason, "actor": actor, "now": now}
    return bool(await cursor.value(ADD, given))


async def remove(cursor: Cursor, name: NormalizedName) -> bool:
    """Let it be taken again; whether it was not to be."""
    return bool(await cursor.run(REMOVE, {"normalized": name}))


async def listed(cursor: Cursor, *, after: str, limit: int) -> list[ProhibitedRow]:
    """These names in their order, those after one."""
    return await cursor.rows(ProhibitedRow, LISTED, {"after": after, "limit": limit})
