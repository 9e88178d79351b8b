"""E-mail addresses of accounts, and the password that mail can change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class EmailRow:
    """An address of an account; ``verified`` is ``None`` for one that was not proven, aware and UTC else."""

    id: int
    address: str
    is_primary: bool
    verified: datetime | None


@frozen
class HolderRow:
    """An active account."""

    id: int
    name: str
    password_hash: str | None


@frozen
class ProvenRow(HolderRow):
    """An active account by an address that it has proven, as that is spelled here."""

    address: str


@frozen
class Reachable:
    """An account that can be written to; ``address`` is its primary one."""

    id: int
    name: str
    address: str


OF_USER = """
    SELECT id, address, is_primary, verified FROM emails
     WHERE user_id = %(user_id)s ORDER BY is_primary DESC, lower(address)"""

# Locked until the transaction ends: what changes an account is done one after another.
HOLDER = """
    SELECT id, name, password_hash FROM users WHERE id = %(user_id)s AND is_active FOR NO KEY UPDATE"""

BY_ID = "SELECT id, name, password_hash FROM users WHERE id = %(user_id)s AND is_active"

# Outside of ASCII, different letters have one lower case: ``İ`` and ``I`` are both ``i`` then, and a domain
# with one of them is somebody else's.
BY_ADDRESS = """
    SELECT u.id, u.name, u.password_hash, e.address FROM emails e JOIN users u ON u.id = e.user_id
     WHERE lower(e.address) = lower(%(address)s) AND e.verified IS NOT NULL AND u.is_active
       AND (%(is_ascii)s OR e.address = %(address)s)"""

# Nobody proves an address that is not theirs: what happens to projects is told to no other.
REACHABLE = """
    SELECT u.id, u.name, e.address FROM users u JOIN emails e ON e.user_id = u.id
     WHERE u.id = ANY(%(user_ids)s) AND u.is_active AND e.is_primary AND e.verified IS NOT NULL
     ORDER BY lower(u.name)"""

IS_TAKEN = "SELECT 1 FROM emails WHERE lower(address) = lower(%(address)s)"

VERIFY = """
    INSERT INTO emails (user_id, address, is_primary, verified, created)
    VALUES (%(user_id)s, %(address)s,
            NOT EXISTS (SELECT FROM emails WHERE user_id = %(user_id)s AND is_primary), %(now)s, %(now)s)
    ON CONFLICT ((lower(address))) DO UPDATE SET verified = coalesce(emails.verified, excluded.verified)
     WHERE emails.user_id = excluded.user_id
    RETURNING id"""

NOT_PRIMARY = "UPDATE emails SET is_primary = false WHERE user_id = %(user_id)s AND is_primary"

PRIMARY = "UPDATE emails SET is_primary = true WHERE user_id = %(user_id)s AND id = %(id)s"

REMOVE = "DELETE FROM emails WHERE user_id = %(user_id)s AND id = %(id)s AND NOT is_primary"

RENEW = """
    UPDATE users SET password_hash = %(password_hash)s, password_changed = %(now)s WHERE id = %(user_id)s"""


async def of_user(cursor: Cursor, user_id: int) -> list[EmailRow]:
    """An account's addresses, the primary one first."""
    return await cursor.rows(EmailRow, OF_USER, {"user_id": user_id})


async def holder(cursor: Cursor, user_id: int) -> HolderRow | None:
    """An active account, locked until the transaction ends; ``None`` if there is none."""
    return await cursor.row(HolderRow, HOLDER, {"user_id": user_id})


async def by_id(cursor: Cursor, user_id: int) -> HolderRow | None:
    """An active account, ``None`` if there is none."""
    return await cursor.row(HolderRow, BY_ID, {"user_id": user_id})


async def by_address(cursor: Cursor, address: str) -> ProvenRow | None:
    """The active account that has proven an address, in any letter case, where that is one of ASCII."""
    return await cursor.row(ProvenRow, BY_ADDRESS, {"address": address, "is_ascii": address.isascii()})


async def reachable(cursor: Cursor, user_ids: Sequence[int]) -> list[Reachable]:
    """Those of these accounts that are active and have proven their primary address, by name."""
    return await cursor.rows(Reachable, REACHABLE, {"user_ids": list(user_ids)})


async def is_taken(cursor: Cursor, address: str) -> bool:
    """Whether any account has an address, proven or not."""
    return await cursor.value(IS_TAKEN, {"address": address}) is not None


async def verify(cursor: Cursor, *, user_id: int, address: str, now: datetime) -> bool:
    """Note that an account has proven an address, which is its primary one if it has none.

    Returns:
        whether the address was free, or the account's.
    """
    return await cursor.value(VERIFY, {"user_id": user_id, "address": address, "now": now}) is not None


async def make_primary(cursor: Cursor, *, user_id: int, email_id: int) -> None:
    """Have mail go to another of an account's addresses."""
    await cursor.run(NOT_PRIMARY, {"user_id": user_id})
    await cursor.run(PRIMARY, {"user_id": user_id, "id": email_id})


async def remove(cursor: Cursor, *, user_id: int, email_id: int) -> None:
    """Take an address from an account, unless it is its primary one."""
    await cursor.run(REMOVE, {"user_id": user_id, "id": email_id})


async def set_password(cursor: Cursor, *, user_id: int, password_hash: str, now: datetime) -> None:
    """Give an account another password."""
    await cursor.run(RENEW, {"user_id": user_id, "password_hash": password_hash, "now": now})
