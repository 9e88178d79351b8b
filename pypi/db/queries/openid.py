"""Sign-ins that are under way with a provider: who was sent there, and who came back and has no account."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from pypi.db.connection import Cursor


@frozen
class AskedRow:
    """Somebody who was sent to the provider.

    Attributes:
        user_id: the account that is to be linked; ``None`` for who wants to sign in.
        next: where they want to go; empty for nowhere.
        created: when they were sent, aware, UTC.
    """

    user_id: int | None
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next: str
    created: datetime


@frozen
class NewcomerRow:
    """Somebody whom the provider knows, and nobody here does.

    Attributes:
        about: what the provider says of them.
    """

    issuer: str
    subject: str
    about: dict[str, Any]


ASK = """
    INSERT INTO openid_asked (state, browser, user_id, nonce, verifier, next, created, expires)
    VALUES (%(state)s, %(browser)s, %(user_id)s, %(nonce)s, %(verifier)s, %(next)s, %(now)s, %(expires)s)"""

TAKE = """
    DELETE FROM openid_asked WHERE state = %(state)s AND browser = %(browser)s AND expires > %(now)s
    RETURNING user_id, nonce, verifier, next, created"""

ARRIVED = """
    INSERT INTO openid_newcomers (browser, issuer, subject, about, expires)
    VALUES (%(browser)s, %(issuer)s, %(subject)s, %(about)s, %(expires)s)"""

LOOK = """
    SELECT issuer, subject, about FROM openid_newcomers
     WHERE browser = %(browser)s AND expires > %(now)s"""

JOIN = """
    DELETE FROM openid_newcomers WHERE browser = %(browser)s AND expires > %(now)s
    RETURNING issuer, subject, about"""

TIDY_ASKED = """
    DELETE FROM openid_asked WHERE state IN (
        SELECT state FROM openid_asked WHERE expires <= %(now)s
         ORDER BY expires LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""

TIDY_NEWCOMERS = """
    DELETE FROM openid_newcomers WHERE browser IN (
        SELECT browser FROM openid_newcomers WHERE expires <= %(now)s
         ORDER BY expires LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""


async def ask(
    cursor: Cursor,
    *,
    state: bytes,
    browser: bytes,
    user_id: int | None,
    nonce: str,
    verifier: str,
    next: str,
    now: datetime,
    expires: datetime,
) -> None:
    """Remember who was sent to the provider, and with what."""
    parameters = {
        "state": state,
        "browser": browser,
        "user_id": user_id,
        "nonce": nonce,
        "verifier": verifier,
        "next": next,
        "now": now,
        "expires": expires,
    }
    await cursor.run(ASK, parameters)


async def take(cursor: Cursor, *, state: bytes, browser: bytes, now: datetime) -> AskedRow | None:
    """Who came back, and never will again; ``None`` if nobody was sent by that browser with that state."""
    return await cursor.row(AskedRow, TAKE, {"state": state, "browser": browser, "now": now})


async def arrive(
    cursor: Cursor,
    *,
    browser: bytes,
    issuer: str,
    subject: str,
    about: Mapping[str, object],
    expires: datetime,
) -> None:
    """Remember somebody who has yet to choose a name."""
    parameters = {
        "browser": browser,
        "issuer": issuer,
        "subject": subject,
        "about": json.dumps(about),
        "expires": expires,
    }
    await cursor.run(ARRIVED, parameters)


async def look(cursor: Cursor, *, browser: bytes, now: datetime) -> NewcomerRow | None:
    """Who has yet to choose a name in a browser, ``None`` for nobody."""
    return await cursor.row(NewcomerRow, LOOK, {"browser": browser, "now": now})


async def join(cursor: Cursor, *, browser: bytes, now: datetime) -> NewcomerRow | None:
    """The same, who is no newcomer any longer."""
    return await cursor.row(NewcomerRow, JOIN, {"browser": browser, "now": now})


async def tidy(cursor: Cursor, *, now: datetime, limit: int) -> int:
    """Forget what was begun too long ago; how much."""
    asked = await cursor.run(TIDY_ASKED, {"now": now, "limit": limit})
    return asked + await cursor.run(TIDY_NEWCOMERS, {"now": now, "limit": limit})
