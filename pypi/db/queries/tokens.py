"""API tokens: looked up by their public id; the secret is kept as a digest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


@frozen
class TokenLine:
    """A token as its owner sees it; times are aware, UTC.

    Attributes:
        project: the name of the only project it is good for, ``None`` for all of the account's.
        has_role: whether the account has a role in that project yet.
        expires: ``None`` for never.
        last_used: to the minute, some seconds late.
    """

    id: str
    description: str
    project: str | None
    has_role: bool
    is_read_only: bool
    created: datetime
    expires: datetime | None
    last_used: datetime | None


@frozen
class HeldRow:
    """A token that is not revoked, locked until the transaction ends."""

    id: str
    secret_sha256: bytes = field(converter=bytes)
    user_id: int
    description: str


@frozen
class ScopeRow:
    """A project that a token may be made for."""

    id: int
    name: str
    normalized: str


BY_ID = """
    SELECT t.id, t.secret_sha256, t.user_id, u.name, t.project_id, t.expires, t.is_read_only
      FROM tokens t JOIN users u ON u.id = t.user_id
     WHERE t.id = %(id)s AND t.revoked IS NULL AND u.is_active"""

IS_GOOD = """
    SELECT EXISTS (SELECT FROM users WHERE id = %(user_id)s AND is_active)
       AND (%(token_id)s::text IS NULL OR EXISTS (
            SELECT FROM tokens WHERE id = %(token_id)s AND user_id = %(user_id)s AND revoked IS NULL))"""

ADD = """
    INSERT INTO tokens (id, user_id, project_id, secret_sha256, description, is_read_only, created, expires)
    VALUES (%(id)s, %(user_id)s, %(project_id)s, %(secret_sha256)s, %(description)s, %(is_read_only)s,
            %(now)s, %(expires)s)"""

USED = """
    UPDATE tokens SET last_used = %(now)s
     WHERE id = (SELECT id FROM tokens WHERE id = %(id)s
                    AND (last_used IS NULL OR last_used < %(now)s - interval '1 minute')
                    FOR UPDATE SKIP LOCKED)"""

ALL_USED = """
    UPDATE tokens t SET last_used = u.at
      FROM (SELECT t.id, u.at FROM unnest(%(ids)s::text[], %(at)s::timestamptz[]) AS u (id, at)
              JOIN tokens t ON t.id = u.id
             WHERE t.last_used IS NULL OR t.last_used < u.at - interval '1 minute'
               FOR UPDATE OF t SKIP LOCKED) AS u
     WHERE t.id = u.id"""

OF_USER = """
    SELECT t.id, t.description, p.name,
           t.project_id IS NULL OR EXISTS (
               SELECT FROM roles r WHERE r.project_id = t.project_id AND r.user_id = t.user_id),
           t.is_read_only, t.created, t.expires, t.last_used
      FROM tokens t LEFT JOIN projects p ON p.id = t.project_id
     WHERE t.user_id = %(user_id)s AND t.revoked IS NULL
     ORDER BY t.created DESC, t.id LIMIT %(limit)s"""

COUNT = "SELECT count(*) FROM tokens WHERE user_id = %(user_id)s AND revoked IS NULL"

SCOPES = """
    SELECT p.id, p.name, p.normalized FROM roles r JOIN projects p ON p.id = r.project_id
     WHERE r.user_id = %(user_id)s ORDER BY p.normalized LIMIT %(limit)s"""

SCOPE = """
    SELECT p.id, p.name, p.normalized FROM roles r JOIN projects p ON p.id = r.project_id
     WHERE r.user_id = %(user_id)s AND p.normalized = %(normalized)s"""

# In one order, so that two who hold several of the same wait for each other rather than for ever.
HOLD = """
    SELECT id, secret_sha256, user_id, description FROM tokens
     WHERE id = ANY(%(ids)s) AND revoked IS NULL ORDER BY id FOR UPDATE"""

REVOKE = "UPDATE tokens SET revoked = %(now)s WHERE id = ANY(%(ids)s) AND revoked IS NULL"


async def by_id(cursor: Cursor, token_id: str) -> TokenRow | None:
    """The token of that id, ``None`` if it is good for nothing; its expiry is for the caller to look at."""
    return await cursor.row(TokenRow, BY_ID, {"id": token_id})


async def is_good(cursor: Cursor, token_id: str | None, *, user_id: int) -> bool:
    """Whether an account that was recognised a while ago is in use yet, and the token, if it was by one."""
    return bool(await cursor.value(IS_GOOD, {"token_id": token_id, "user_id": user_id}))


async def add(
    cursor: Cursor,
    *,
    token_id: str,
    user_id: int,
    project_id: int | None,
    secret_sha256: bytes,
    description: str,
    is_read_only: bool,
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
            "is_read_only": is_read_only,
            "expires": expires,
            "now": now,
        },
    )


async def mark_used(cursor: Cursor, token_id: str, *, now: datetime) -> None:
    """Note that a token was used, to the minute; never waits for another who notes the same."""
    await cursor.run(USED, {"id": token_id, "now": now})


async def mark_all_used(cursor: Cursor, used: Mapping[str, datetime]) -> None:
    """Note when tokens were used, to the minute: id → aware time; never waits for another who does."""
    await cursor.run(ALL_USED, {"ids": list(used), "at": list(used.values())})


async def of_user(cursor: Cursor, user_id: int, *, limit: int) -> list[TokenLine]:
    """An account's tokens that are not revoked, the newest first. For ``Database.ask``."""
    return await cursor.rows(TokenLine, OF_USER, {"user_id": user_id, "limit": limit})


async def count(cursor: Cursor, user_id: int) -> int:
    """How many tokens of an account are not revoked."""
    return int(await cursor.value(COUNT, {"user_id": user_id}))


async def scopes(cursor: Cursor, user_id: int, *, limit: int) -> list[ScopeRow]:
    """Projects an account has a role in, by name. For ``Database.ask``."""
    return await cursor.rows(ScopeRow, SCOPES, {"user_id": user_id, "limit": limit})


async def scope(cursor: Cursor, user_id: int, *, normalized: str) -> ScopeRow | None:
    """A project by its normalized name, ``None`` where the account has no role in one of that name."""
    return await cursor.row(ScopeRow, SCOPE, {"user_id": user_id, "normalized": normalized})


async def hold(cursor: Cursor, token_ids: Sequence[str]) -> list[HeldRow]:
    """Those of these tokens that are not revoked, locked until the transaction ends."""
    return await cursor.rows(HeldRow, HOLD, {"ids": list(token_ids)})


async def revoke(cursor: Cursor, token_ids: Sequence[str], *, now: datetime) -> None:
    """Nobody gets in by these tokens from now on."""
    await cursor.run(REVOKE, {"ids": list(token_ids), "now": now})
