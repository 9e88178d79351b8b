"""Which second factors an account has, and the lock under which that changes."""

from __future__ import annotations

from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class FactorsRow:
    """How many of each an account has.

    Attributes:
        is_admin: whether the account runs the index.
        totp: whether an authenticator app is in use.
        recovery_codes: of these, the unused ones.
    """

    is_admin: bool
    totp: bool
    passkeys: int
    recovery_codes: int


OF_USER = """
    SELECT u.is_admin,
           EXISTS (SELECT FROM totp t WHERE t.user_id = u.id AND t.confirmed IS NOT NULL),
           (SELECT count(*) FROM passkeys p WHERE p.user_id = u.id),
           (SELECT count(*) FROM recovery_codes c WHERE c.user_id = u.id AND c.used IS NULL)
      FROM users u
     WHERE u.id = %(user_id)s"""

LOCK = "SELECT id FROM users WHERE id = %(user_id)s FOR NO KEY UPDATE"


async def of_user(cursor: Cursor, user_id: int) -> FactorsRow | None:
    """Which second factors an account has, ``None`` for no account. For ``Database.ask``."""
    return await cursor.row(FactorsRow, OF_USER, {"user_id": user_id})


async def locked(cursor: Cursor, user_id: int) -> FactorsRow | None:
    """The same, to stay so until the transaction ends; ``None`` for no account."""
    await cursor.run(LOCK, {"user_id": user_id})
    return await of_user(cursor, user_id)
