"""The outbox: what a committed change still has to cause outside the database.

Whoever does errands claims them first, by moving the time they are due a little ahead, and says in a
transaction of its own what became of them. Nothing is locked in between; who dies there lets them come due.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@frozen
class Backlog:
    """What is still to be done; ``oldest`` is when the first of it was asked for, aware, UTC."""

    waiting: int
    oldest: datetime | None


ADD = """
    INSERT INTO outbox (serial, kind, payload, due, created)
    VALUES (%(serial)s, %(kind)s, %(payload)s, %(now)s, %(now)s) RETURNING id"""

CLAIM = """
    WITH claimed AS (
        UPDATE outbox SET due = %(until)s
         WHERE id IN (SELECT id FROM outbox WHERE kind = %(kind)s AND due <= %(now)s
                       ORDER BY due, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
        RETURNING id, serial, kind, payload, attempts)
    SELECT id, serial, kind, payload, attempts FROM claimed ORDER BY id"""

CLAIM_LONGER = "UPDATE outbox SET due = %(until)s WHERE id = ANY(%(ids)s) AND kind = %(kind)s"

DONE = "DELETE FROM outbox WHERE id = ANY(%(ids)s)"

FOLLOW = """
    UPDATE outbox SET kind = %(kind)s, due = %(due)s, attempts = 0
     WHERE id = ANY(%(ids)s) AND kind = %(from)s"""

LATER = "UPDATE outbox SET attempts = attempts + 1, due = %(due)s WHERE id = ANY(%(ids)s) AND kind = %(kind)s"

FOR_NOBODY = "DELETE FROM outbox WHERE due <= %(now)s AND kind <> ALL(%(kinds)s)"

BACKLOG = "SELECT count(*), min(created) FROM outbox WHERE kind = ANY(%(kinds)s)"

LEFT = "SELECT count(*) FROM outbox WHERE id = ANY(%(ids)s)"


async def add(cursor: Cursor, *, serial: int, kind: str, payload: Mapping[str, Any], now: datetime) -> int:
    """Ask for something to be done once this transaction is committed.

    Returns:
        the errand's id.
    """
    return int(
        await cursor.value(ADD, {"serial": serial, "kind": kind, "payload": Json(payload), "now": now})
    )


async def claim(cursor: Cursor, kind: str, *, now: datetime, until: datetime, limit: int) -> list[Errand]:
    """Take what is to be done now, oldest first; others leave it alone until then."""
    given = {"kind": kind, "now": now, "until": until, "limit": limit}
    return await cursor.rows(Errand, CLAIM, given)


async def claim_longer(cursor: Cursor, errands: Sequence[Errand], *, until: datetime) -> None:
    """Go on holding what was claimed; it is of one kind."""
    await cursor.run(CLAIM_LONGER, {"ids": _ids(errands), "kind": errands[0].kind, "until": until})


async def done(cursor: Cursor, errands: Sequence[Errand]) -> None:
    """Forget errands that have been done."""
    await cursor.run(DONE, {"ids": _ids(errands)})


async def follow(cursor: Cursor, errands: Sequence[Errand], *, kind: str, due: datetime) -> None:
    """Make errands of one kind, which have been done, errands of another; those are new to it."""
    given = {"ids": _ids(errands), "from": errands[0].kind, "kind": kind, "due": due}
    await cursor.run(FOLLOW, given)


async def later(cursor: Cursor, errands: Sequence[Errand], *, due: datetime) -> None:
    """Try errands of one kind, which have failed, again at another time."""
    await cursor.run(LATER, {"ids": _ids(errands), "kind": errands[0].kind, "due": due})


async def drop_for_nobody(cursor: Cursor, kinds: Sequence[str], *, now: datetime) -> None:
    """Forget what is due and of none of these kinds: there is nobody it would have to be done for."""
    await cursor.run(FOR_NOBODY, {"kinds": list(kinds), "now": now})


async def backlog(cursor: Cursor, kinds: Sequence[str]) -> Backlog:
    """What is still to be done of these kinds, claimed or not."""
    found = await cursor.row(Backlog, BACKLOG, {"kinds": list(kinds)})
    assert found is not None
    return found


async def left(cursor: Cursor, ids: Sequence[int]) -> int:
    """How many of these errands are still to be done."""
    return int(await cursor.value(LEFT, {"ids": list(ids)}))


def _ids(errands: Sequence[Errand]) -> list[int]:
    return [errand.id for errand in errands]
