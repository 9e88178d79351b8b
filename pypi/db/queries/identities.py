"""Accounts as a provider of sign-ins knows them: by issuer and subject."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class IdentityLine:
    """A linked sign-in as its owner sees it; times are aware, UTC.

    Attributes:
        id: what pages call it by.
        called: what the provider called them when it was linked.
    """

    id: int
    issuer: str
    called: str
    linked: datetime
    last_used: datetime | None


@frozen
class WaysRow:
    """How somebody can sign in to an account; locked until the transaction ends.

    Attributes:
        identities: linked to an issuer that is asked.
    """

    password: bool
    passkeys: int
    identities: int


OF_SUBJECT = """
    SELECT user_id FROM external_identities WHERE issuer = %(issuer)s AND subject = %(subject)s"""

USED = """
    UPDATE external_identities SET last_used = %(now)s
     WHERE issuer = %(issuer)s AND subject = %(subject)s RETURNING user_id"""

ADD = """
    INSERT INTO external_identities (issuer, subject, user_id, called, linked)
    VALUES (%(issuer)s, %(subject)s, %(user_id)s, %(called)s, %(now)s)
    ON CONFLICT DO NOTHING"""

OF_USER = """
    SELECT id, issuer, called, linked, last_used FROM external_identities
     WHERE user_id = %(user_id)s ORDER BY linked, id LIMIT 100"""

REMOVE = """
    DELETE FROM external_identities WHERE user_id = %(user_id)s AND id = %(id)s RETURNING issuer, called"""

LOCK = "SELECT 1 FROM users WHERE id = %(user_id)s AND is_active FOR NO KEY UPDATE"

WAYS = """
    SELECT u.password_hash IS NOT NULL,
           (SELECT count(*) FROM passkeys p WHERE p.user_id = u.id),
           (SELECT count(*) FROM external_identities e WHERE e.user_id = u.id AND e.issuer = %(issuer)s)
      FROM users u WHERE u.id = %(user_id)s"""


async def of_subject(cursor: Cursor, *, issuer: str, subject: str) -> int | None:
    """The account that is linked, ``None`` if none is. For ``Database.ask``."""
    found: int | None = await cursor.value(OF_SUBJECT, {"issuer": issuer, "subject": subject})
    return found


async def use(cursor: Cursor, *, issuer: str, subject: str, now: datetime) -> int | None:
    """The account that is linked, and note that it is used; ``None`` if none is."""
    found: int | None = await cursor.value(USED, {"issuer": issuer, "subject": subject, "now": now})
    return found


async def add(cursor: Cursor, *, issuer: str, subject: str, user_id: int, called: str, now: datetime) -> bool:
    """Link an account; whether that was free."""
    parameters = {"issuer": issuer, "subject": subject, "user_id": user_id, "called": called, "now": now}
    return await cursor.run(ADD, parameters) == 1


async def of_user(cursor: Cursor, user_id: int) -> list[IdentityLine]:
    """What an account is linked to, oldest first. For ``Database.ask``."""
    return await cursor.rows(IdentityLine, OF_USER, {"user_id": user_id})


async def remove(cursor: Cursor, *, user_id: int, identity_id: int) -> tuple[str, str] | None:
    """End a link; its issuer and what it was called, ``None`` where the account has none of that id."""
    found = await cursor.tuples(REMOVE, {"user_id": user_id, "id": identity_id})
    return (str(found[0][0]), str(found[0][1])) if found else None


async def ways(cursor: Cursor, user_id: int, *, issuer: str) -> WaysRow | None:
    """How somebody can sign in, to stay so until the transaction ends; ``None`` for no active account."""
    if await cursor.value(LOCK, {"user_id": user_id}) is None:
        return None
    return await cursor.row(WaysRow, WAYS, {"user_id": user_id, "issuer": issuer})
