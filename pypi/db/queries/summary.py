"""An account at a glance."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor


@frozen
class SummaryRow:
    """What there is of an account, in numbers.

    Attributes:
        created: aware, UTC.
        email: the address its mail goes to; ``None`` if it has none.
        is_proven: whether that is confirmed.
        emails: addresses that are.
        has_password: whether it can be signed in to by one.
        tokens: that are good.
        sessions: that go on.
    """

    created: datetime
    email: str | None
    is_proven: bool
    emails: int
    has_password: bool
    totp: bool
    passkeys: int
    recovery_codes: int
    tokens: int
    sessions: int


OF = """
    SELECT u.created, e.address, e.verified IS NOT NULL,
           (SELECT count(*) FROM emails m WHERE m.user_id = u.id AND m.verified IS NOT NULL),
           u.password_hash IS NOT NULL,
           EXISTS (SELECT FROM totp t WHERE t.user_id = u.id AND t.confirmed IS NOT NULL),
           (SELECT count(*) FROM passkeys p WHERE p.user_id = u.id),
           (SELECT count(*) FROM recovery_codes c WHERE c.user_id = u.id AND c.used IS NULL),
           (SELECT count(*) FROM tokens k
             WHERE k.user_id = u.id AND k.revoked IS NULL AND (k.expires IS NULL OR k.expires > %(now)s)),
           (SELECT count(*) FROM sessions s
             WHERE s.user_id = u.id AND NOT s.is_partial AND s.expires > %(now)s
               AND s.last_seen > %(idle_since)s)
      FROM users u LEFT JOIN emails e ON e.user_id = u.id AND e.is_primary
     WHERE u.id = %(user_id)s"""


async def of(cursor: Cursor, user_id: int, *, now: datetime, idle_since: datetime) -> SummaryRow | None:
    """An account at a glance; ``None`` if there is none."""
    return await cursor.row(SummaryRow, OF, {"user_id": user_id, "now": now, "idle_since": idle_since})
