"""Recovery codes: digests, each good once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pypi.db.connection import Cursor

FORGET = "DELETE FROM recovery_codes WHERE user_id = %(user_id)s"

ADD = """
    INSERT INTO recovery_codes (user_id, digest)
    SELECT %(user_id)s, unnest(%(digests)s::bytea[])"""

USE = """
    UPDATE recovery_codes SET used = %(now)s
     WHERE user_id = %(user_id)s AND digest = %(digest)s AND used IS NULL"""


async def replace(cursor: Cursor, user_id: int, *, digests: Sequence[bytes]) -> None:
    """Forget all codes of an account and remember others; the caller holds the account's lock."""
    await cursor.run(FORGET, {"user_id": user_id})
    await cursor.run(ADD, {"user_id": user_id, "digests": list(digests)})


async def use(cursor: Cursor, user_id: int, *, digest: bytes, now: datetime) -> bool:
    """Use a code up; ``False`` if it is none, or was used. Of two who try at once, one succeeds."""
    return await cursor.run(USE, {"user_id": user_id, "digest": digest, "now": now}) == 1


async def forget(cursor: Cursor, user_id: int) -> None:
    """Forget all codes of an account."""
    await cursor.run(FORGET, {"user_id": user_id})
