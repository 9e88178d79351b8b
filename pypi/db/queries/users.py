"""Users and their e-mail addresses."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class UserRow:
    """An account; ``password_hash`` is ``None`` for one that signs in by other means."""

    id: int
    name: str
    password_hash: str | None
    is_admin: bool
    is_active: bool


@frozen
class UserLine:
    """An account as the operator's list shows it; ``created`` is aware, UTC."""

    name: str
    email: str | None
    is_admin: bool
    is_active: bool
    projects: int
    created: datetime


BY_NAME = """
    SELECT id, name, password_hash, is_admin, is_active
      FROM users WHERE lower(name) = lower(%(name)s)"""

ADD = """
    INSERT INTO users (name, password_hash, is_admin, created)
    VALUES (%(name)s, %(password_hash)s, %(is_admin)s, %(now)s)
    ON CONFLICT DO NOTHING RETURNING id"""

WAS_TAKEN = "SELECT EXISTS (SELECT FROM former_users WHERE name = lower(%(name)s))"

IS_TAKEN = """
    SELECT EXISTS (SELECT FROM users WHERE lower(name) = lower(%(name)s))
        OR EXISTS (SELECT FROM former_users WHERE name = lower(%(name)s))"""

ADD_EMAIL = """
    INSERT INTO emails (user_id, address, is_primary, verified, created)
    VALUES (%(user_id)s, %(address)s, %(is_primary)s, %(verified)s, %(now)s)
    ON CONFLICT DO NOTHING RETURNING id"""

ALL = """
    SELECT u.name, e.address, u.is_admin, u.is_active,
           (SELECT count(*) FROM roles r WHERE r.user_id = u.id), u.created
      FROM users u LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary
     ORDER BY lower(u.name)"""


async def by_name(cursor: Cursor, name: str) -> UserRow | None:
    """The account of that name in any letter case, ``None`` if there is none."""
    if "\0" in name:  # which the database takes in no text
        return None
    return await cursor.row(UserRow, BY_NAME, {"name": name})


async def is_taken(cursor: Cursor, name: str) -> bool:
    """Whether nobody gets a name any more: an account has it, or had it, in any letter case."""
    return bool(await cursor.value(IS_TAKEN, {"name": name}))


async def add(
    cursor: Cursor, *, name: str, password_hash: str | None, is_admin: bool, now: datetime
) -> int | None:
    """A new account's id; ``None`` where the name is taken, or was: then nothing of this is to be kept."""
    found: int | None = await cursor.value(
        ADD, {"name": name, "password_hash": password_hash, "is_admin": is_admin, "now": now}
    )
    # Asked afterwards: who had it may have been deleted while this waited for that.
    if found is not None and await cursor.value(WAS_TAKEN, {"name": name}):
        return None
    return found


async def add_email(
    cursor: Cursor,
    *,
    user_id: int,
    address: str,
    is_primary: bool,
    verified: datetime | None,
    now: datetime,
) -> bool:
    """Give an account an address.

    Returns:
        whether the address was free.
    """
    parameters = {
        "user_id": user_id,
        "address": address,
        "is_primary": is_primary,
        "verified": verified,
        "now": now,
    }
    return await cursor.value(ADD_EMAIL, parameters) is not None


async def everybody(cursor: Cursor) -> list[UserLine]:
    """All accounts, by name."""
    return await cursor.rows(UserLine, ALL)
