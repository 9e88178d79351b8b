"""Sessions of people who signed in, each found by the digest of its secret."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor


@frozen
class SessionRow:
    """A session of an active account, and whose it is; all times are aware, UTC.

    Attributes:
        id: what pages call it by; good for nothing else.
        expires: when it ends however much it is used.
        is_partial: whether it owes the second factor.
        second_factor: when one was shown last.
        is_waiting: whether it owes no more than its owner's word, by mail, that it is theirs.
    """

    digest: bytes = field(converter=bytes, repr=False)  # psycopg2 hands out a memoryview
    id: int
    user_id: int
    name: str
    is_admin: bool
    created: datetime
    last_seen: datetime
    expires: datetime
    is_partial: bool
    second_factor: datetime | None
    is_waiting: bool = False


@frozen
class SessionLine:
    """A session as its owner sees it; times are aware, UTC."""

    id: int
    created: datetime
    last_seen: datetime
    address: str
    agent: str


@frozen
class Owner:
    """An account that may sign in."""

    name: str
    is_admin: bool
    password_changed: datetime | None


# Locked, so that its sessions are counted by one at a time, and a change of password waits, or is waited for.
OWNER = """
    SELECT name, is_admin, password_changed FROM users
     WHERE id = %(user_id)s AND is_active FOR NO KEY UPDATE"""

ADD = """
    INSERT INTO sessions (digest, user_id, created, last_seen, expires, address, agent, is_partial,
                          second_factor)
    VALUES (%(digest)s, %(user_id)s, %(now)s, %(now)s, %(expires)s, %(address)s, %(agent)s,
            %(is_partial)s, %(second_factor)s)
    RETURNING id"""

TRIM = """
    DELETE FROM sessions WHERE digest IN (
        SELECT digest FROM sessions WHERE user_id = %(user_id)s AND is_partial = %(is_partial)s
         ORDER BY created DESC, id DESC OFFSET %(most)s)
    RETURNING digest"""

BY_DIGEST = """
    SELECT s.digest, s.id, s.user_id, u.name, u.is_admin, s.created, s.last_seen, s.expires, s.is_partial,
           s.second_factor, s.is_waiting
      FROM sessions s JOIN users u ON u.id = s.user_id
     WHERE s.digest = %(digest)s AND u.is_active"""

SEEN = """
    UPDATE sessions SET last_seen = %(now)s
     WHERE digest = (SELECT digest FROM sessions WHERE digest = %(digest)s AND last_seen <= %(before)s
                        FOR UPDATE SKIP LOCKED)"""

ROTATE = """
    UPDATE sessions SET digest = %(new)s, expires = %(expires)s, is_partial = %(is_partial)s,
           second_factor = %(second_factor)s, is_waiting = %(is_waiting)s
     WHERE digest = %(digest)s"""

WAITING = """
    SELECT 1 FROM sessions
     WHERE user_id = %(user_id)s AND id = %(id)s AND is_waiting AND expires > %(now)s"""

OF_USER = """
    SELECT id, created, last_seen, address, agent FROM sessions
     WHERE user_id = %(user_id)s AND NOT is_partial AND expires > %(now)s AND last_seen > %(idle_since)s
     ORDER BY last_seen DESC, id DESC LIMIT %(limit)s"""

END = "DELETE FROM sessions WHERE digest = %(digest)s"

END_ONE = "DELETE FROM sessions WHERE user_id = %(user_id)s AND id = %(id)s RETURNING digest"

END_WAITING = """
    DELETE FROM sessions WHERE user_id = %(user_id)s AND id = %(id)s AND is_waiting RETURNING digest"""

END_ALL = """
    DELETE FROM sessions WHERE user_id = %(user_id)s AND (%(but)s::bytea IS NULL OR digest <> %(but)s)
    RETURNING digest"""

TIDY = """
    DELETE FROM sessions WHERE digest IN (
        SELECT digest FROM sessions WHERE expires <= %(now)s OR last_seen <= %(idle_since)s
         LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""


async def owner(cursor: Cursor, user_id: int) -> Owner | None:
    """An account that may sign in, locked until the transaction ends; ``None`` for one that may not."""
    return await cursor.row(Owner, OWNER, {"user_id": user_id})


async def add(
    cursor: Cursor,
    *,
    digest: bytes,
    user_id: int,
    expires: datetime,
    address: str,
    agent: str,
    is_partial: bool,
    second_factor: datetime | None,
    now: datetime,
) -> int:
    """Remember a new session; its ``id``."""
    parameters = {
        "digest": digest,
        "user_id": user_id,
        "expires": expires,
        "address": address,
        "agent": agent,
        "is_partial": is_partial,
        "second_factor": second_factor,
        "now": now,
    }
    return int(await cursor.value(ADD, parameters))


async def trim(cursor: Cursor, *, user_id: int, is_partial: bool, most: int) -> list[bytes]:
    """End an account's oldest sessions until there are no more than so many; the digests of those.

    Partial ones are counted apart: who knows no more than a password signs nobody out.
    """
    parameters = {"user_id": user_id, "is_partial": is_partial, "most": most}
    return _digests(await cursor.tuples(TRIM, parameters))


async def by_digest(cursor: Cursor, digest: bytes) -> SessionRow | None:
    """The session, ``None`` if there is none; its expiry is for the caller to look at."""
    return await cursor.row(SessionRow, BY_DIGEST, {"digest": digest})


async def mark_seen(cursor: Cursor, digest: bytes, *, before: datetime, now: datetime) -> None:
    """Note that a session is used, unless that is known of a time after ``before``, or being noted."""
    await cursor.run(SEEN, {"digest": digest, "before": before, "now": now})


async def rotate(
    cursor: Cursor,
    digest: bytes,
    *,
    new: bytes,
    expires: datetime,
    is_partial: bool,
    second_factor: datetime | None,
    is_waiting: bool = False,
) -> bool:
    """Give a session another secret, and what else there is to say of it; whether it was still there."""
    parameters = {
        "digest": digest,
        "new": new,
        "expires": expires,
        "is_partial": is_partial,
        "second_factor": second_factor,
        "is_waiting": is_waiting,
    }
    return await cursor.run(ROTATE, parameters) == 1


async def is_waiting(cursor: Cursor, *, user_id: int, session_id: int, now: datetime) -> bool:
    """Whether an account has a session of that id that waits for its owner's word."""
    parameters = {"user_id": user_id, "id": session_id, "now": now}
    return await cursor.value(WAITING, parameters) is not None


async def of_user(
    cursor: Cursor, *, user_id: int, idle_since: datetime, now: datetime, limit: int
) -> list[SessionLine]:
    """An account's sessions, the one used last first."""
    parameters = {"user_id": user_id, "idle_since": idle_since, "now": now, "limit": limit}
    return await cursor.rows(SessionLine, OF_USER, parameters)


async def end(cursor: Cursor, digest: bytes) -> bool:
    """End a session; whether there was one."""
    return await cursor.run(END, {"digest": digest}) == 1


async def end_one(cursor: Cursor, *, user_id: int, session_id: int) -> list[bytes]:
    """End one of an account's sessions; its digest, or ``[]`` if the account has none of that id."""
    return _digests(await cursor.tuples(END_ONE, {"user_id": user_id, "id": session_id}))


async def end_waiting(cursor: Cursor, *, user_id: int, session_id: int) -> list[bytes]:
    """End a session of that id that waits; its digest, or ``[]`` if the account has none."""
    return _digests(await cursor.tuples(END_WAITING, {"user_id": user_id, "id": session_id}))


async def end_all(cursor: Cursor, *, user_id: int, but: bytes | None = None) -> list[bytes]:
    """End all sessions of an account, or all but the one of a digest; the digests of those."""
    return _digests(await cursor.tuples(END_ALL, {"user_id": user_id, "but": but}))


async def tidy(cursor: Cursor, *, idle_since: datetime, now: datetime, limit: int) -> int:
    """Remove sessions that are over; how many."""
    return await cursor.run(TIDY, {"idle_since": idle_since, "now": now, "limit": limit})


def _digests(found: list[tuple[memoryview]]) -> list[bytes]:
    return [bytes(digest) for (digest,) in found]
