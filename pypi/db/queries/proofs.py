"""What is to be proven by a secret that was sent by mail; each is found by the digest of its secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class ProofRow:
    """Something that can be proven yet.

    Attributes:
        user_id: whose it is; ``None`` for an account to be.
        address: where the secret was sent.
        about: of an account to be, what it shall be.
    """

    user_id: int | None
    address: str
    about: dict[str, Any]


@frozen
class PendingRow:
    """An address that an account is yet to prove; times are aware, UTC."""

    address: str
    created: datetime
    expires: datetime


ADD = """
    INSERT INTO proofs (digest, user_id, purpose, address, created, expires, about)
    VALUES (%(digest)s, %(user_id)s, %(purpose)s, %(address)s, %(now)s, %(expires)s, %(about)s)"""

LOOK = """
    SELECT user_id, address, about FROM proofs
     WHERE digest = %(digest)s AND purpose = %(purpose)s AND expires > %(now)s"""

TAKE = """
    DELETE FROM proofs WHERE digest = %(digest)s AND purpose = %(purpose)s AND expires > %(now)s
    RETURNING user_id, address, about"""

PENDING = """
    SELECT address, max(created), max(expires) FROM proofs
     WHERE user_id = %(user_id)s AND purpose = 'verify' AND expires > %(now)s
     GROUP BY address ORDER BY address LIMIT 100"""

# One sign-in may be asked about more than once, by letters whose links are all good.
ASKED = """
    SELECT user_id, address, about FROM proofs
     WHERE user_id = %(user_id)s AND purpose = 'sign-in' AND about->>'session' = %(session)s
       AND expires > %(now)s
     ORDER BY created DESC LIMIT 1"""

ANSWERED = """
    DELETE FROM proofs
     WHERE user_id = %(user_id)s AND purpose = 'sign-in' AND about->>'session' = %(session)s"""

FORGET = "DELETE FROM proofs WHERE user_id = %(user_id)s"

FORGET_ADDRESS = "DELETE FROM proofs WHERE user_id = %(user_id)s AND lower(address) = lower(%(address)s)"

# What was sent to a proven address for another purpose stays good.
WITHDRAW = """
    DELETE FROM proofs
     WHERE user_id = %(user_id)s AND purpose = 'verify' AND lower(address) = lower(%(address)s)"""

TIDY = """
    DELETE FROM proofs WHERE digest IN (
        SELECT digest FROM proofs WHERE expires <= %(now)s
         ORDER BY expires LIMIT %(limit)s FOR UPDATE SKIP LOCKED)"""


async def add(
    cursor: Cursor,
    *,
    digest: bytes,
    user_id: int | None,
    purpose: str,
    address: str,
    expires: datetime,
    now: datetime,
    about: Mapping[str, object],
) -> None:
    """Remember what a new secret proves."""
    parameters = {
        "digest": digest,
        "user_id": user_id,
        "purpose": purpose,
        "address": address,
        "expires": expires,
        "now": now,
        "about": json.dumps(about),
    }
    await cursor.run(ADD, parameters)


async def look(cursor: Cursor, digest: bytes, *, purpose: str, now: datetime) -> ProofRow | None:
    """What a secret proves, ``None`` for nothing; it goes on to be good."""
    return await cursor.row(ProofRow, LOOK, {"digest": digest, "purpose": purpose, "now": now})


async def take(cursor: Cursor, digest: bytes, *, purpose: str, now: datetime) -> ProofRow | None:
    """What a secret proves, ``None`` for nothing; it is good no longer."""
    return await cursor.row(ProofRow, TAKE, {"digest": digest, "purpose": purpose, "now": now})


async def pending(cursor: Cursor, *, user_id: int, now: datetime) -> list[PendingRow]:
    """Addresses an account is yet to prove."""
    return await cursor.rows(PendingRow, PENDING, {"user_id": user_id, "now": now})


async def asked(cursor: Cursor, *, user_id: int, session_id: int, now: datetime) -> ProofRow | None:
    """What was asked last about a session that waits; ``None`` for nothing."""
    parameters = {"user_id": user_id, "session": str(session_id), "now": now}
    return await cursor.row(ProofRow, ASKED, parameters)


async def answered(cursor: Cursor, *, user_id: int, session_id: int) -> None:
    """Nothing that was asked about a session is to be answered any more."""
    await cursor.run(ANSWERED, {"user_id": user_id, "session": str(session_id)})


async def forget(cursor: Cursor, *, user_id: int) -> None:
    """No secret that was sent for an account is good any longer."""
    await cursor.run(FORGET, {"user_id": user_id})


async def forget_address(cursor: Cursor, *, user_id: int, address: str) -> None:
    """No secret that was sent for an account to an address is good any longer."""
    await cursor.run(FORGET_ADDRESS, {"user_id": user_id, "address": address})


async def withdraw(cursor: Cursor, *, user_id: int, address: str) -> bool:
    """An account does not want to prove an address any more; whether it was to."""
    return await cursor.run(WITHDRAW, {"user_id": user_id, "address": address}) > 0


async def tidy(cursor: Cursor, *, now: datetime, limit: int) -> int:
    """Forget what is too old; how much."""
    return await cursor.run(TIDY, {"now": now, "limit": limit})
