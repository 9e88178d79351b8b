"""Accounts as those who run the index see and change them."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class AccountLine:
    """An account in a list; times are aware, UTC.

    Attributes:
        email: the primary address; ``None`` where none is proven.
        has_factor: whether a password alone does not sign in.
        seen: when a session of it was used last; ``None`` where there is none.
    """

    id: int
    name: str
    email: str | None
    is_admin: bool
    is_active: bool
    has_factor: bool
    projects: int
    created: datetime
    seen: datetime | None


@frozen
class Counts:
    """How many accounts there are, of which kinds."""

    accounts: int
    active: int
    operators: int
    with_factor: int
    seen_lately: int


LINES = """
    SELECT u.id, u.name, e.address, u.is_admin, u.is_active,
           EXISTS (SELECT FROM totp t WHERE t.user_id = u.id AND t.confirmed IS NOT NULL)
           OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id),
           (SELECT count(*) FROM roles r WHERE r.user_id = u.id), u.created,
           (SELECT max(s.last_seen) FROM sessions s WHERE s.user_id = u.id)
      FROM users u LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary"""

# strpos rather than LIKE: what is typed has no wildcards.
FOUND = (
    LINES
    + """
     WHERE (%(words)s = '' OR strpos(lower(u.name), %(words)s) > 0
            OR EXISTS (SELECT FROM emails a
                        WHERE a.user_id = u.id AND strpos(lower(a.address), %(words)s) > 0))
       AND (NOT %(only_operators)s OR u.is_admin)
     ORDER BY lower(u.name) OFFSET %(offset)s LIMIT %(limit)s"""
)

NAMED = LINES + " WHERE lower(u.name) = lower(%(name)s)"

COUNTS = """
    SELECT count(*), count(*) FILTER (WHERE is_active), count(*) FILTER (WHERE is_admin AND is_active),
           count(*) FILTER (WHERE EXISTS (SELECT FROM totp t
                                           WHERE t.user_id = u.id AND t.confirmed IS NOT NULL)
                               OR EXISTS (SELECT FROM passkeys p WHERE p.user_id = u.id)),
           count(*) FILTER (WHERE EXISTS (SELECT FROM sessions s
                                           WHERE s.user_id = u.id AND s.last_seen > %(since)s))
      FROM users u"""

# All operators, so that of two who each take the flag from the other one waits for the other.
LOCK_OPERATORS = "SELECT id FROM users WHERE is_admin AND is_active ORDER BY id FOR NO KEY UPDATE"

SET_ACTIVE = """
    UPDATE users SET is_active = %(is_active)s WHERE id = %(id)s AND is_active <> %(is_active)s"""

SET_ADMIN = "UPDATE users SET is_admin = %(is_admin)s WHERE id = %(id)s AND is_admin <> %(is_admin)s"


async def found(
    cursor: Cursor, *, words: str, only_operators: bool, offset: int, limit: int
) -> list[AccountLine]:
    """Accounts whose name or one of whose addresses contains some words in lower case, by name."""
    parameters = {"words": words, "only_operators": only_operators, "offset": offset, "limit": limit}
    return await cursor.rows(AccountLine, FOUND, parameters)


async def named(cursor: Cursor, name: str) -> AccountLine | None:
    """The account of a name in any letter case; ``None`` for none."""
    return await cursor.row(AccountLine, NAMED, {"name": name})


async def counts(cursor: Cursor, *, since: datetime) -> Counts:
    """How many accounts there are; ``seen_lately`` of those used since a moment."""
    row = await cursor.row(Counts, COUNTS, {"since": since})
    assert row is not None
    return row


async def operators(cursor: Cursor) -> set[int]:
    """Ids of the active accounts that run the index, which stay these until the transaction ends."""
    return {number for (number,) in await cursor.tuples(LOCK_OPERATORS, {})}


async def set_active(cursor: Cursor, user_id: int, *, is_active: bool) -> bool:
    """Let an account be used, or not; whether that changed anything."""
    return await cursor.run(SET_ACTIVE, {"id": user_id, "is_active": is_active}) == 1


async def set_admin(cursor: Cursor, user_id: int, *, is_admin: bool) -> bool:
    """Let an account run the index, or not; whether that changed anything."""
    return await cursor.run(SET_ADMIN, {"id": user_id, "is_admin": is_admin}) == 1
