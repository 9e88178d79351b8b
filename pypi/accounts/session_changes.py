"""What changes sessions: one transaction each, with what is noted of it and whom it has written to."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, field, frozen

from pypi.accounts import audit, browsers
from pypi.accounts.audit import Event, Kind
from pypi.accounts.browsers import Arrival, Browsers
from pypi.accounts.errors import SessionOver, WrongCredentials
from pypi.db.connection import Cursor
from pypi.db.queries import sessions as stored
from pypi.db.queries.sessions import SessionRow


@frozen(kw_only=True)
class New:
    """What is known of a session before it is begun.

    Attributes:
        digest: of its secret.
        agent: what the browser calls itself.
        is_partial: whether the second factor is owed yet.
        second_factor: whether one was shown.
    """

    digest: bytes
    expires: datetime
    address: str
    agent: str
    is_partial: bool
    second_factor: bool


@frozen
class Arriving:
    """A browser that will have a whole session."""

    browsers: Browsers
    browser: str = field(repr=False)
    agent: str

    async def note(self, cursor: Cursor, session: SessionRow, address: str) -> None:
        """Know it again from now on, and tell the account if it is a new one."""
        arrival = Arrival(
            user_id=session.user_id,
            name=session.name,
            browser=self.browser,
            address=address,
            agent=self.agent,
        )
        await self.browsers.arrived(cursor, arrival)


async def begin(
    cursor: Cursor,
    new: New,
    event: Event,
    arriving: Arriving | None,
    *,
    asked: datetime,
    before: bytes | None,
    most: int,
    now: datetime,
) -> tuple[SessionRow, list[bytes]]:
    """Begin a session.

    Args:
        event: what is noted of it.
        asked: when the proof was begun to be looked at.
        before: digest of the session that ends for it.
        most: sessions of an account.

    Returns:
        the session, and the digests of those that ended.

    Raises:
        WrongCredentials: the account is not active, or its password was changed in between.
    """
    assert event.user_id is not None
    owner = await stored.owner(cursor, event.user_id)
    if owner is None or (owner.password_changed is not None and owner.password_changed >= asked):
        raise WrongCredentials()
    ended = [] if before is None else [before]
    for digest in ended:
        await stored.end(cursor, digest)
    proven = now if new.second_factor else None
    session_id = await stored.add(
        cursor,
        digest=new.digest,
        user_id=event.user_id,
        expires=new.expires,
        address=new.address,
        agent=new.agent,
        is_partial=new.is_partial,
        second_factor=proven,
        now=now,
    )
    ended += await stored.trim(cursor, user_id=event.user_id, is_partial=new.is_partial, most=most)
    await audit.write(cursor, evolve(event, actor=owner.name), now=now)
    session = SessionRow(
        new.digest,
        session_id,
        event.user_id,
        owner.name,
        owner.is_admin,
        now,
        now,
        new.expires,
        new.is_partial,
        proven,
    )
    if arriving is not None:
        await arriving.note(cursor, session, new.address)
    return session, ended


async def rotate(
    cursor: Cursor,
    old: SessionRow,
    new: SessionRow,
    event: Event,
    arriving: Arriving | None,
    *,
    most: int,
    now: datetime,
) -> list[bytes]:
    """Put a session in the place of what it was.

    Returns:
        the digests that are good no longer.

    Raises:
        SessionOver: it was ended in the meantime.
    """
    if await stored.owner(cursor, old.user_id) is None or not await stored.rotate(
        cursor,
        old.digest,
        new=new.digest,
        expires=new.expires,
        is_partial=new.is_partial,
        second_factor=new.second_factor,
        is_waiting=new.is_waiting,
    ):
        raise SessionOver()
    ended = [old.digest]
    if old.is_partial and not new.is_partial:
        ended += await stored.trim(cursor, user_id=old.user_id, is_partial=False, most=most)
        await audit.write(cursor, event, now=now)
    if arriving is not None:
        await arriving.note(cursor, new, event.address)
    return ended


async def end(cursor: Cursor, digest: bytes, event: Event, *, now: datetime) -> None:
    """End a session."""
    if await stored.end(cursor, digest):
        await audit.write(cursor, event, now=now)


async def revoke(
    cursor: Cursor, by: SessionRow, session_id: int, address: str, *, now: datetime
) -> list[bytes]:
    """End a session of the same account; the digests that are good no longer."""
    ended = await stored.end_one(cursor, user_id=by.user_id, session_id=session_id)
    if ended:
        about = {"session": session_id}
        event = Event(
            kind=Kind.SESSION_ENDED, user_id=by.user_id, actor=by.name, address=address, about=about
        )
        await audit.write(cursor, event, now=now)
    return ended


async def revoke_others(
    cursor: Cursor, but: SessionRow, address: str, browser: str | None, *, now: datetime
) -> list[bytes]:
    """End all sessions of the account but this one, and know no other browser; the digests of those."""
    await browsers.forget(cursor, but.user_id, but=browser)
    ended = await stored.end_all(cursor, user_id=but.user_id, but=but.digest)
    if ended:
        about = {"count": len(ended)}
        event = Event(
            kind=Kind.SESSIONS_ENDED, user_id=but.user_id, actor=but.name, address=address, about=about
        )
        await audit.write(cursor, event, now=now)
    return ended
