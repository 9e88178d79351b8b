"""Turns: of all workers, one does a job, and the others leave it alone until the next time."""

from __future__ import annotations

from datetime import datetime, timedelta

from pypi.db.connection import Cursor

TAKE = """
    INSERT INTO turns (job, taken) VALUES (%(job)s, %(now)s)
    ON CONFLICT (job) DO UPDATE SET taken = excluded.taken
     WHERE turns.taken <= %(before)s OR turns.taken > %(ahead)s
    RETURNING true"""


async def take(cursor: Cursor, job: str, *, every: timedelta, now: datetime) -> bool:
    """Whether it is the caller's turn: nobody has taken one within ``every``.

    A turn is taken when it begins. Whoever dies in the middle of a job has had its turn, and the next comes
    when it would have come anyway; so does a turn taken by a clock that was ahead.
    """
    given = {"job": job, "now": now, "before": now - every, "ahead": now + every}
    return bool(await cursor.value(TAKE, given))
