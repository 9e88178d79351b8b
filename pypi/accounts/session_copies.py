"""Copies of sessions as they stand in Redis: what PostgreSQL said a moment ago."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from attrs import frozen

from pypi.db.queries.sessions import SessionRow

COPIED = timedelta(seconds=1)
"""How long what PostgreSQL said is good for: how long a session may be used after its end, at the worst."""

MARKED = 2 * COPIED
"""How long it is known that a session was ended; longer than any copy from before."""


@frozen(kw_only=True)
class Copy:
    """What was known of a session at a moment.

    Attributes:
        asked: when PostgreSQL began to be asked, aware, UTC.
        session: ``None`` where it was ended.
    """

    asked: datetime
    session: SessionRow | None

    @classmethod
    def none(cls, now: datetime) -> Copy:
        """The mark of a session that was ended."""
        return cls(asked=now, session=None)

    def counts(self, now: datetime) -> bool:
        """Whether it may be believed yet; one of a moment to come may not."""
        kept = MARKED if self.session is None else COPIED
        return -COPIED <= now - self.asked < kept

    @property
    def packed(self) -> bytes:
        """As it stands in Redis; the secret is no part of it, nor is its digest."""
        known = None if self.session is None else _listed(self.session)
        return json.dumps([self.asked.timestamp(), known]).encode()

    @classmethod
    def unpacked(cls, packed: bytes, digest: bytes) -> Copy | None:
        """The copy, ``None`` where it cannot be read: whoever asked goes on without it."""
        try:
            asked, known = json.loads(packed)
            session = None if known is None else _session(digest, *known)
            return cls(asked=_moment(asked), session=session)
        except (ValueError, TypeError, OverflowError, OSError):
            return None


def _listed(session: SessionRow) -> list[object]:
    proven = session.second_factor
    return [
        session.id,
        session.user_id,
        session.name,
        session.is_admin,
        session.created.timestamp(),
        session.last_seen.timestamp(),
        session.expires.timestamp(),
        session.is_partial,
        None if proven is None else proven.timestamp(),
        session.is_waiting,
    ]


def _session(
    digest: bytes,
    id_: int,
    user_id: int,
    name: str,
    is_admin: bool,
    created: float,
    last_seen: float,
    expires: float,
    is_partial: bool,
    second_factor: float | None,
    is_waiting: bool,
) -> SessionRow:
    return SessionRow(
        digest,
        id_,
        user_id,
        name,
        is_admin,
        _moment(created),
        _moment(last_seen),
        _moment(expires),
        is_partial,
        None if second_factor is None else _moment(second_factor),
        is_waiting,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
