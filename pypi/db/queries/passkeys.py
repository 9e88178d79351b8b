"""Passkeys, and the challenges they answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor


@frozen
class PasskeyRow:
    """A passkey of an active account.

    Attributes:
        id: which the authenticator gave it.
        public_key: in COSE form (RFC 9052).
        sign_count: how often it was used, as far as it says; 0 for one that does not count.
        transports: how browsers can reach it, in their words.
    """

    id: bytes = field(converter=bytes)  # psycopg2 hands out a memoryview
    user_id: int
    user_name: str
    public_key: bytes = field(converter=bytes, repr=False)
    sign_count: int
    name: str
    transports: Sequence[str] = field(converter=tuple)


@frozen
class PasskeyLine:
    """A passkey as its owner's list shows it; times are aware, UTC."""

    id: bytes = field(converter=bytes)
    name: str
    created: datetime
    last_used: datetime | None


BY_ID = """
    SELECT p.id, p.user_id, u.name, p.public_key, p.sign_count, p.name, p.transports
      FROM passkeys p JOIN users u ON u.id = p.user_id
     WHERE p.id = %(id)s AND u.is_active"""

OF_USER = """
    SELECT p.id, p.user_id, u.name, p.public_key, p.sign_count, p.name, p.transports
      FROM passkeys p JOIN users u ON u.id = p.user_id
     WHERE p.user_id = %(user_id)s AND u.is_active
     ORDER BY p.created, p.id"""

LINES = """
    SELECT id, name, created, last_used FROM passkeys
     WHERE user_id = %(user_id)s ORDER BY created, id"""

ADD = """
    INSERT INTO passkeys (id, user_id, public_key, sign_count, name, transports, created)
    VALUES (%(id)s, %(user_id)s, %(public_key)s, %(sign_count)s, %(name)s, %(transports)s::text[], %(now)s)
    ON CONFLICT DO NOTHING"""

USED = """
    UPDATE passkeys SET sign_count = %(sign_count)s, last_used = %(now)s
     WHERE id = %(id)s AND user_id = %(user_id)s
           AND (sign_count < %(sign_count)s OR (sign_count = 0 AND %(sign_count)s = 0))"""

RENAME = "UPDATE passkeys SET name = %(name)s WHERE id = %(id)s AND user_id = %(user_id)s"

REMOVE = "DELETE FROM passkeys WHERE id = %(id)s AND user_id = %(user_id)s"

REMOVE_ALL = "DELETE FROM passkeys WHERE user_id = %(user_id)s"

ASK_SESSION = """
    UPDATE sessions SET challenge = %(challenge)s
     WHERE digest = %(session)s AND user_id = %(user_id)s AND expires > %(now)s"""

TAKE_FROM_SESSION = """
    UPDATE sessions s SET challenge = NULL
      FROM (SELECT digest, challenge FROM sessions
             WHERE digest = %(session)s AND user_id = %(user_id)s AND expires > %(now)s
               FOR UPDATE) asked
     WHERE s.digest = asked.digest AND asked.challenge IS NOT NULL
    RETURNING asked.challenge"""

# Who has not signed in has no session. A challenge for them is a bucket with one token, which whoever
# answers takes out for good; what is left goes with all buckets that have become as good as none.
ASK_ANYBODY = """
    INSERT INTO throttles (key, tokens, at, "full")
    VALUES (%(key)s, 1, %(now)s, %(expires)s) ON CONFLICT DO NOTHING"""

TAKE_FROM_ANYBODY = 'DELETE FROM throttles WHERE key = %(key)s AND "full" > %(now)s'


async def by_id(cursor: Cursor, passkey: bytes) -> PasskeyRow | None:
    """The passkey of that id; ``None`` if there is none, or its account is inactive. For ``Database.ask``."""
    return await cursor.row(PasskeyRow, BY_ID, {"id": passkey})


async def of_user(cursor: Cursor, user_id: int) -> list[PasskeyRow]:
    """All passkeys of an active account, oldest first. For ``Database.ask``."""
    return await cursor.rows(PasskeyRow, OF_USER, {"user_id": user_id})


async def lines(cursor: Cursor, user_id: int) -> list[PasskeyLine]:
    """All passkeys of an account for its owner to see, oldest first. For ``Database.ask``."""
    return await cursor.rows(PasskeyLine, LINES, {"user_id": user_id})


async def add(
    cursor: Cursor,
    *,
    passkey: bytes,
    user_id: int,
    public_key: bytes,
    sign_count: int,
    name: str,
    transports: Sequence[str],
    now: datetime,
) -> bool:
    """Give an account a passkey; ``False`` where the id is in use."""
    parameters = {
        "id": passkey,
        "user_id": user_id,
        "public_key": public_key,
        "sign_count": sign_count,
        "name": name,
        "transports": list(transports),
        "now": now,
    }
    return await cursor.run(ADD, parameters) == 1


async def mark_used(cursor: Cursor, passkey: bytes, *, user_id: int, sign_count: int, now: datetime) -> bool:
    """Note that a passkey was used, and how often by now.

    Returns:
        ``False`` where its counter did not go on, or the passkey is gone. Of two who come with the same
        count at once, one succeeds.
    """
    parameters = {"id": passkey, "user_id": user_id, "sign_count": sign_count, "now": now}
    return await cursor.run(USED, parameters) == 1


async def rename(cursor: Cursor, passkey: bytes, *, user_id: int, name: str) -> bool:
    """Call a passkey something else; ``False`` if the account has no such one."""
    return await cursor.run(RENAME, {"id": passkey, "user_id": user_id, "name": name}) == 1


async def remove(cursor: Cursor, passkey: bytes, *, user_id: int) -> bool:
    """Forget a passkey; ``False`` if the account has no such one."""
    return await cursor.run(REMOVE, {"id": passkey, "user_id": user_id}) == 1


async def remove_all(cursor: Cursor, *, user_id: int) -> None:
    """Forget all passkeys of an account."""
    await cursor.run(REMOVE_ALL, {"user_id": user_id})


async def ask_session(
    cursor: Cursor, session: bytes, *, user_id: int, challenge: bytes, now: datetime
) -> bool:
    """Remember what a session is asked, in place of what it was asked before; ``False`` for no session."""
    parameters = {"session": session, "user_id": user_id, "challenge": challenge, "now": now}
    return await cursor.run(ASK_SESSION, parameters) == 1


async def take_from_session(cursor: Cursor, session: bytes, *, user_id: int, now: datetime) -> bytes | None:
    """What a session was asked; it is asked nothing from then on, so that only one of two gets it."""
    parameters = {"session": session, "user_id": user_id, "now": now}
    found = await cursor.value(TAKE_FROM_SESSION, parameters)
    return None if found is None else bytes(found)


async def ask_anybody(cursor: Cursor, key: str, *, now: datetime, expires: datetime) -> None:
    """Remember that somebody who has no session was asked something.

    Args:
        key: of who was asked, and what; not to be guessed.
    """
    await cursor.run(ASK_ANYBODY, {"key": key, "now": now, "expires": expires})


async def take_from_anybody(cursor: Cursor, key: str, *, now: datetime) -> bool:
    """Whether that was asked and is open; it is not from then on, so that only one of two may answer."""
    return await cursor.run(TAKE_FROM_ANYBODY, {"key": key, "now": now}) == 1
