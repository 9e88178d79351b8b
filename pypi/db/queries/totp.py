"""Secrets of authenticator apps, and which of their codes was used last."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor


@frozen
class TotpRow:
    """What an authenticator app and this index share.

    Attributes:
        confirmed: when a right code was first shown, aware, UTC; ``None`` while it is being set up.
        last_step: moment of the last code that was used, in steps of 30 s since 1970.
    """

    secret: bytes = field(converter=bytes, repr=False)  # psycopg2 hands out a memoryview
    confirmed: datetime | None
    last_step: int


OF_USER = "SELECT secret, confirmed, last_step FROM totp WHERE user_id = %(user_id)s"

BEGIN = """
    INSERT INTO totp (user_id, secret) VALUES (%(user_id)s, %(secret)s)
    ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = 0
                                  WHERE totp.confirmed IS NULL
    RETURNING user_id"""

CONFIRM = """
    UPDATE totp SET confirmed = %(now)s, last_step = %(step)s
     WHERE user_id = %(user_id)s AND secret = %(secret)s AND confirmed IS NULL"""

USE = """
    UPDATE totp SET last_step = %(step)s
     WHERE user_id = %(user_id)s AND secret = %(secret)s AND confirmed IS NOT NULL
           AND last_step < %(step)s"""

REMOVE = "DELETE FROM totp WHERE user_id = %(user_id)s"


async def of_user(cursor: Cursor, user_id: int) -> TotpRow | None:
    """What an account's app and this index share; ``None`` if it has none."""
    return await cursor.row(TotpRow, OF_USER, {"user_id": user_id})


async def begin(cursor: Cursor, user_id: int, *, secret: bytes) -> bool:
    """Remember a secret that is to be confirmed, in place of another that never was.

    Returns:
        whether it is; ``False`` where a confirmed one is in use.
    """
    return await cursor.value(BEGIN, {"user_id": user_id, "secret": secret}) is not None


async def confirm(cursor: Cursor, user_id: int, *, secret: bytes, step: int, now: datetime) -> bool:
    """Take a secret into use, and count the code of that moment as used; ``False`` if it is no longer so."""
    parameters = {"user_id": user_id, "secret": secret, "step": step, "now": now}
    return await cursor.run(CONFIRM, parameters) == 1


async def use(cursor: Cursor, user_id: int, *, secret: bytes, step: int) -> bool:
    """Use up the codes until that moment; ``False`` where they have been.

    Of two who try at once, the second waits for the first and then finds its code used.
    """
    return await cursor.run(USE, {"user_id": user_id, "secret": secret, "step": step}) == 1


async def remove(cursor: Cursor, user_id: int) -> bool:
    """Forget the secret of an account; ``False`` if it has none."""
    return await cursor.run(REMOVE, {"user_id": user_id}) == 1
