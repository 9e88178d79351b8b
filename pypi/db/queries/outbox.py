"""The outbox: what a committed change still has to cause outside the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen
from psycopg2.extras import Json

from pypi.db.connection import Cursor


@frozen
class Errand:
    """Something to be done at least once.

    Attributes:
        serial: of the change that caused it.
        kind: which job does it.
        payload: what the job needs.
        attempts: how often it was tried in vain.
    """

    id: int
    serial: int
    kind: str
    payload: Mapping[str, Any]
    attempts: int


ADD = """
    INSERT INTO outbox (serial, kind, payload, due, created)
    VALUES (%(serial)s, %(kind)s, %(payload)s, %(now)s, %(now)s)"""

DUE = """
    SELECT id, serial, kind, payload, attempts FROM outbox
     WHERE due <= %(now)s ORDER BY due, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED"""

DONE = "DELETE FROM outbox WHERE id = ANY(%(ids)s)"

LATER = "UPDATE outbox SET attempts = attempts + 1, due = %(due)s WHERE id = %(id)s"


async def add(cursor: Cursor, *, serial: int, kind: str, payload: Mapping[str, Any], now: datetime) -> None:
    """Ask for something to be done once this transaction is committed."""
    await cursor.run(ADD, {"serial": serial, "kind": kind, "payload": Json(payload), "now": now})


async def due(cursor: Cursor, *, now: datetime, limit: int = 256) -> list[Errand]:
    """What is to be done now, oldest first; locked until this transaction ends, and skipped by others."""
    return await cursor.rows(Errand, DUE, {"now": now, "limit": limit})


async def done(cursor: Cursor, ids: list[int]) -> None:
    """Forget errands that have been done."""
    await cursor.run(DONE, {"ids": ids})


async def later(cursor: Cursor, errand_id: int, *, due: datetime) -> None:
    """Try again at another time."""
    await cursor.run(LATER, {"id": errand_id, "due": due})
