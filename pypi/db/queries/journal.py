"""The journal: every change, under a serial without gaps, in the order of commits.

The lock is taken last in the transaction, after every row is written, and held until the commit. So serials
become visible in their own order: whoever has read up to N will never see a smaller one appear.

With the commit whoever listens is told what changed. That is a hint: it may be lost, and then the journal is
read (``changes_since``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from attrs import frozen
from psycopg2.extras import Json

from pypi.db.connection import Cursor
from pypi.domain import cache_tags, journal_words
from pypi.domain.changes import Change, ProjectChange


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


@frozen
class Expected:
    """The least serial that everybody has to see on a project's page."""

    project: str
    serial: int


LOCK = "SET LOCAL lock_timeout = '5s'; SELECT pg_advisory_xact_lock(7301)"

WRITE = """
    WITH line AS (
        INSERT INTO journal (serial, normalized, name, version, action, actor, tags, is_private, at)
        SELECT (SELECT coalesce(max(serial), 0) FROM journal) + number, normalized, name,
               version, action, actor, tags, is_private, %(at)s
          FROM ROWS FROM (jsonb_to_recordset(%(lines)s::jsonb) AS
               (normalized text, name text, version text, action text, actor text, tags text[],
                is_private boolean))
               WITH ORDINALITY AS given (normalized, name, version, action, actor, tags, is_private, number)
        RETURNING serial, normalized
    ), touched AS (
        UPDATE projects SET last_serial = (SELECT max(serial) FROM line)
         WHERE normalized IN (SELECT normalized FROM line)
    ), touched_before AS (
        UPDATE former_names f
           SET last_serial = (SELECT max(serial) FROM line WHERE line.normalized = f.normalized)
         WHERE normalized IN (SELECT normalized FROM line)
    )
    SELECT max(serial),
           pg_notify('cheeseshop', json_build_array(min(serial), max(serial), %(tags)s::text[])::text)
      FROM line"""

LISTEN = "LISTEN cheeseshop"

ALIVE = "SELECT 1"

MOST_TOLD = 4000
"""Bytes of tags that are told; PostgreSQL carries up to 8,000 bytes, and JSON may double some."""

LAST = "SELECT coalesce(max(serial), 0) FROM journal"

SINCE = """
    SELECT serial, normalized, name, version, action, actor, at FROM journal
     WHERE serial > %(serial)s ORDER BY serial LIMIT %(limit)s"""

CHANGED_LAST = """
    SELECT normalized, max(serial) FROM (
        SELECT normalized, serial FROM journal
         WHERE at <= %(before)s AND normalized IN (SELECT normalized FROM projects WHERE reads = 'public')
         ORDER BY serial DESC LIMIT %(lines)s) AS lines
     GROUP BY normalized ORDER BY max(serial) DESC LIMIT %(limit)s"""


CHANGES_SINCE = """
    SELECT serial, tags FROM journal WHERE serial > %(serial)s ORDER BY serial LIMIT %(limit)s"""


async def write(cursor: Cursor, lines: Sequence[Change], *, now: datetime) -> int:
    """Write changes to the journal and touch their projects. Nothing may be locked after this.

    Args:
        lines: at least one.

    Returns:
        the serial of the last line.
    """
    tags = cache_tags.all_tags(lines)
    parameters = {
        "lines": Json([_line(change) for change in lines]),
        # Whoever is told of no tags looks for them.
        "tags": list(tags) if len(" ".join(tags).encode()) <= MOST_TOLD else [],
        "at": now,
    }
    await cursor.run(LOCK)
    # A statement of its own: it has to see what was committed while the lock was waited for.
    return int(await cursor.value(WRITE, parameters))


def _line(change: Change) -> dict[str, Any]:
    return {
        "normalized": change.project,
        "name": change.name,
        "version": journal_words.version(change),
        "action": journal_words.action(change),
        "actor": change.actor,
        "tags": cache_tags.tags(change),
        "is_private": change.is_private if isinstance(change, ProjectChange) else False,
    }


async def last_serial(cursor: Cursor) -> int:
    """The serial of the last change of anything; 0 for an empty index."""
    return int(await cursor.value(LAST))


async def since(cursor: Cursor, serial: int, *, limit: int = 1000) -> list[JournalRow]:
    """Up to ``limit`` lines after a serial, in order."""
    return await cursor.rows(JournalRow, SINCE, {"serial": serial, "limit": limit})


async def changed_last(cursor: Cursor, *, before: datetime, limit: int) -> list[Expected]:
    """The projects that were changed last until a moment, of its last thousand lines."""
    return await cursor.rows(Expected, CHANGED_LAST, {"before": before, "lines": 1000, "limit": limit})


async def changes_since(cursor: Cursor, serial: int, limit: int) -> list[tuple[int, list[str]]]:
    """(serial, tags) of up to ``limit`` lines after a serial, in order: what caches have to hear of."""
    return [
        (row[0], row[1]) for row in await cursor.tuples(CHANGES_SINCE, {"serial": serial, "limit": limit})
    ]
