"""API tokens: looked up by their public id; the secret is kept as a digest."""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor


@frozen
class TokenRow:
    """A token that is neither revoked nor of an inactive account.

    Attributes:
        secret_sha256: digest of the secret half.
        project_id: the only project it is good for; ``None`` for all of the account's.
        expires: aware, UTC; ``None`` for never.
        is_read_only: whether it is good for reading alone.
    """

    id: str
    secret_sha256: bytes = field(converter=bytes)  # psycopg2 hands out a memoryview
    user_id: int
    user_name: str
    project_id: int | None
    expires: datetime | None
    is_read_only: bool


BY_ID = """
    SELECT t.id, t.secret_sha256, t.user_id, u.name, t.project_id, t.expires, t.is_read_only
      FROM tokens t JOIN users u ON u.id = t.user_id
     WHERE t.id = %(id)s AND t.revoked IS NULL AND u.is_active"""

ADD = """
    INSERT INTO tokens (id, user_id, project_id, secret_sha256, description, created, expires)
    VALUES (%(id)s, %(user_id)s, %(project_id)s, %(secret_sha256)s, %(description)s, %(now)s, %(expires)s)"""

USED = """
    UPDATE tokens SET last_used = %(now)s
     WHERE id = (SELECT id FROM tokens WHERE id = %(id)s
                    AND (last_used IS NULL OR last_used < %(now)s - interval '1 minute')
                    FOR UPDATE SKIP LOCKED)"""


async def by_id(cursor: Cursor, token_id: str) -> TokenRow | None:
    """The token of that id, ``None`` if it is good for nothing; its expiry is for the caller to look at."""
    return await cursor.row(TokenRow, BY_ID, {"id": token_id})


async def add(
    cursor: Cursor,
    *,
    token_id: str,
    user_id: int,
    project_id: int | None,
    secret_sha256: bytes,
    description: str,
    expires: datetime | None,
    now: datetime,
) -> None:
    """Remember a new token."""
    await cursor.run(
        ADD,
        {
            "id": token_id,
            "user_id": user_id,
            "project_id": project_id,
            "secret_sha256": secret_sha256,
            "description": description,
            "expires": expires,
            "now": now,
        },
    )


async def mark_used(cursor: Cursor, token_id: str, *, now: datetime) -> None:
    """Note that a token was used, to the minute; never waits for another who notes the same."""
    await cursor.run(USED, {"id": token_id, "now": now})
