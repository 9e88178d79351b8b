"""The journal: every change, under a serial without gaps, in the order of commits.

The lock is taken last in the transaction, after every row is written, and held until the commit. So serials
become visible in their own order: whoever has read up to N will never see a smaller one appear.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain import changes
from pypi.domain.changes import Change


@frozen
class JournalRow:
    """A line of the journal; ``at`` is aware, UTC."""

    serial: int
    normalized: str | None
    name: str | None
    version: str | None
    action: str
    actor: str | None
    at: datetime


LOCK = "SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(7301)"

ADD = """
    INSERT INTO journal (serial, normalized, name, version, action, actor, tags, at)
    SELECT (SELECT coalesce(max(serial), 0) FROM journal) + 1, %(normalized)s, %(name)s,
           %(version)s, %(action)s, %(actor)s, %(tags)s, %(at)s
    RETURNING serial"""

TOUCH = "UPDATE projects SET last_serial = %(serial)s WHERE normalized = %(normalized)s"

LAST = "SELECT coalesce(max(serial), 0) FROM journal"

SINCE = """
    SELECT serial, normalized, name, version, action, actor, at FROM journal
     WHERE serial > %(serial)s ORDER BY serial LIMIT %(limit)s"""


async def write(cursor: Cursor, lines: Sequence[Change], *, now: datetime) -> int:
    """Write changes to the journal and touch their projects. Nothing may be locked after this.

    Returns:
        the serial of the last line.
    """
    await cursor.run(LOCK)
    serial = 0
    for change in lines:
        serial = await cursor.value(
            ADD,
            {
                "normalized": change.project,
                "name": change.name,
                "version": changes.version(change),
                "action": changes.action(change),
                "actor": change.actor,
                "tags": list(changes.tags(change)),
                "at": now,
            },
        )
    for project in {change.project for change in lines}:
        await cursor.run(TOUCH, {"serial": serial, "normalized": project})
    return serial


async def last_serial(cursor: Cursor) -> int:
    """The serial of the last change of anything; 0 for an empty index."""
    return int(await cursor.value(LAST))


async def since(cursor: Cursor, serial: int, *, limit: int = 1000) -> list[JournalRow]:
    """Up to ``limit`` lines after a serial, in order."""
    return await cursor.rows(JournalRow, SINCE, {"serial": serial, "limit": limit})
