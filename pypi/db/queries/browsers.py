"""Browsers in which somebody has signed in, each known by a digest."""

from __future__ import annotations

from datetime import datetime

from pypi.db.connection import Cursor

SEE = "UPDATE browsers SET seen = %(now)s WHERE user_id = %(user_id)s AND digest = %(digest)s"

KNOWS = "SELECT 1 FROM browsers WHERE user_id = %(user_id)s AND digest = %(digest)s"

FORGET = """
    DELETE FROM browsers
     WHERE user_id = %(user_id)s AND (%(but)s::bytea IS NULL OR digest <> %(but)s)"""

ADD = """
    INSERT INTO browsers (user_id, digest, seen) VALUES (%(user_id)s, %(digest)s, %(now)s)
    ON CONFLICT DO NOTHING"""

TRIM = """
    DELETE FROM browsers WHERE user_id = %(user_id)s AND digest IN (
        SELECT digest FROM browsers WHERE user_id = %(user_id)s ORDER BY seen DESC OFFSET %(most)s)"""

MADE = "SELECT created FROM users WHERE id = %(user_id)s"

TIDY = """
    DELETE FROM browsers WHERE (user_id, digest) IN (
        SELECT user_id, digest FROM browsers WHERE seen < %(before)s
         ORDER BY seen LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""


async def see(cursor: Cursor, *, user_id: int, digest: bytes, most: int, now: datetime) -> bool:
    """Note that an account is used by a browser; the caller holds the account's lock.

    Args:
        most: browsers of an account; the one not seen for longest is forgotten for one more.

    Returns:
        whether it was known already.
    """
    parameters = {"user_id": user_id, "digest": digest, "now": now}
    if await cursor.run(SEE, parameters):
        return True
    await cursor.run(ADD, parameters)
    await cursor.run(TRIM, {"user_id": user_id, "most": most})
    return False


async def knows(cursor: Cursor, *, user_id: int, digest: bytes) -> bool:
    """Whether somebody has signed in to an account with a browser."""
    return await cursor.value(KNOWS, {"user_id": user_id, "digest": digest}) is not None


async def forget(cursor: Cursor, *, user_id: int, but: bytes | None) -> None:
    """Know no browser of an account any longer, or none but the one of a digest."""
    await cursor.run(FORGET, {"user_id": user_id, "but": but})


async def account_made(cursor: Cursor, user_id: int) -> datetime | None:
    """When an account was made; ``None`` if there is none. Aware, UTC."""
    found: datetime | None = await cursor.value(MADE, {"user_id": user_id})
    return found


async def tidy(cursor: Cursor, *, before: datetime, limit: int) -> int:
    """Forget browsers that were not seen since; how many."""
    return await cursor.run(TIDY, {"before": before, "limit": limit})
