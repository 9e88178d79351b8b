"""What has sign-ins wait for an answer by mail, and ends that: one transaction each, with what is noted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import evolve, field, frozen

from pypi.accounts import audit
from pypi.accounts.audit import Event, Kind
from pypi.accounts.browsers import Browsers
from pypi.accounts.errors import SessionOver, UnusableProof
from pypi.accounts.notices import Notice, Send, Word, keep_proof
from pypi.db.connection import Cursor
from pypi.db.queries import emails, proofs
from pypi.db.queries import sessions as stored
from pypi.db.queries.proofs import ProofRow
from pypi.db.queries.sessions import SessionRow

PURPOSE = "sign-in"


@frozen(kw_only=True)
class Asked:
    """A sign-in that waits.

    Attributes:
        user: whose account it is for, by name.
        session: its ``id``.
        by: what was shown last.
        address: network address it comes from.
        agent: browser it comes from, in words.
        at: when it was asked about; aware, UTC.
        wanted: where they wanted to go.
        is_here: whether it is the browser that looks.
    """

    user: str
    session: int
    by: str
    address: str
    agent: str
    at: datetime
    wanted: str
    is_here: bool = False

    @classmethod
    def of(cls, proof: ProofRow) -> Asked:
        """What was kept of it."""
        about = dict(proof.about)
        return cls(at=datetime.fromisoformat(about.pop("at")), **about)

    def kept(self) -> Mapping[str, object]:
        """What is kept of it until it is answered."""
        return {
            "user": self.user,
            "session": self.session,
            "by": self.by,
            "address": self.address,
            "agent": self.agent,
            "at": self.at.isoformat(),
            "wanted": self.wanted,
        }


@frozen(kw_only=True)
class Writing:
    """How a letter is written.

    Attributes:
        send: has a notice sent.
        secret: what is good for an answer.
    """

    send: Send
    secret: str = field(repr=False)
    now: datetime


@frozen(kw_only=True)
class Arriving:
    """A browser that is let in.

    Attributes:
        browser: the secret it is known by from now on.
        address: where it is.
        most: whole sessions of an account.
    """

    browsers: Browsers
    browser: str = field(repr=False)
    address: str
    most: int


async def wait(cursor: Cursor, before: bytes, waiting: SessionRow, asked: Asked, writing: Writing) -> None:
    """Have a session wait, and its owner written to.

    Args:
        before: the digest it had.

    Raises:
        SessionOver: it was ended in the meantime, or nobody can be written to any longer.
    """
    if await stored.owner(cursor, waiting.user_id) is None or not await stored.rotate(
        cursor,
        before,
        new=waiting.digest,
        expires=waiting.expires,
        is_partial=True,
        second_factor=waiting.second_factor,
        is_waiting=True,
    ):
        raise SessionOver()
    await _write(cursor, waiting, asked, writing)


async def ask_again(cursor: Cursor, session: SessionRow, writing: Writing) -> None:
    """Have the owner of a session that waits written to once more.

    Raises:
        SessionOver: it does not wait any longer.
    """
    user_id = session.user_id
    owner = await stored.owner(cursor, user_id)
    found = await stored.by_digest(cursor, session.digest)
    before = await proofs.asked(cursor, user_id=user_id, session_id=session.id, now=writing.now)
    if owner is None or found is None or not found.is_waiting or before is None:
        raise SessionOver()
    await _write(cursor, found, Asked.of(before), writing)


async def look(cursor: Cursor, digest: bytes, session: SessionRow | None, *, now: datetime) -> Asked | None:
    """What a secret is about; ``None`` where that waits no longer."""
    proof = await proofs.look(cursor, digest, purpose=PURPOSE, now=now)
    if proof is None or proof.user_id is None:
        return None
    asked = Asked.of(proof)
    if not await stored.is_waiting(cursor, user_id=proof.user_id, session_id=asked.session, now=now):
        return None
    return evolve(asked, is_here=session is not None and session.id == asked.session)


async def confirm(
    cursor: Cursor, digest: bytes, before: SessionRow, whole: SessionRow, arriving: Arriving, *, now: datetime
) -> tuple[Asked, list[bytes]]:
    """Let in the browser that waits.

    Args:
        before: its session as it is, and ``whole`` as it shall be.

    Returns:
        what was asked, and the digests that are good no longer.

    Raises:
        UnusableProof: the secret is good for nothing, or for another browser.
        SessionOver: the session was ended in the meantime.
    """
    # Whatever changes the account is done before or after, so that nothing of it is overlooked.
    owner = await stored.owner(cursor, before.user_id)
    asked = await _taken(cursor, digest, before.user_id, now)
    if owner is None or asked is None or asked.session != before.id:
        raise UnusableProof()
    found = await stored.by_digest(cursor, before.digest)
    if found is None or not found.is_waiting or found.expires <= now:
        raise SessionOver()
    await stored.rotate(
        cursor,
        before.digest,
        new=whole.digest,
        expires=whole.expires,
        is_partial=False,
        second_factor=whole.second_factor,
    )
    ended = await stored.trim(cursor, user_id=before.user_id, is_partial=False, most=arriving.most)
    await proofs.answered(cursor, user_id=before.user_id, session_id=before.id)
    await arriving.browsers.note(cursor, before.user_id, arriving.browser)
    about = {"by": asked.by}
    event = Event(
        kind=Kind.SIGNED_IN, user_id=before.user_id, actor=owner.name, address=arriving.address, about=about
    )
    await audit.write(cursor, event, now=now)
    return asked, [before.digest, *ended]


async def deny(cursor: Cursor, digest: bytes, address: str, *, now: datetime) -> list[bytes]:
    """End a sign-in that waits.

    Returns:
        the digests that are good no longer.

    Raises:
        UnusableProof: the secret is good for nothing.
    """
    proof = await proofs.look(cursor, digest, purpose=PURPOSE, now=now)
    if proof is None or proof.user_id is None:
        raise UnusableProof()
    await stored.owner(cursor, proof.user_id)
    asked = await _taken(cursor, digest, proof.user_id, now)
    if asked is None:
        raise UnusableProof()
    ended = await stored.end_waiting(cursor, user_id=proof.user_id, session_id=asked.session)
    await proofs.answered(cursor, user_id=proof.user_id, session_id=asked.session)
    # Whoever reads the mail of an account may say so; nobody has shown to be its owner.
    event = Event(kind=Kind.SIGN_IN_DENIED, user_id=proof.user_id, actor="", address=address)
    await audit.write(cursor, event, now=now)
    return ended


async def _taken(cursor: Cursor, digest: bytes, user_id: int, now: datetime) -> Asked | None:
    proof = await proofs.take(cursor, digest, purpose=PURPOSE, now=now)
    return Asked.of(proof) if proof is not None and proof.user_id == user_id else None


async def _write(cursor: Cursor, waiting: SessionRow, asked: Asked, writing: Writing) -> None:
    """Send a letter, whose link is good for as long as the session waits."""
    reached = await emails.reachable(cursor, [waiting.user_id])
    if not reached:
        raise SessionOver()
    user_id, one, now = waiting.user_id, reached[0], writing.now
    notice = Notice(
        word=Word.CONFIRM_SIGN_IN,
        to=one.address,
        user=one.name,
        secret=writing.secret,
        lasts=waiting.expires - now,
        address=asked.address,
        agent=asked.agent,
    )
    await keep_proof(cursor, notice, user_id=user_id, purpose=PURPOSE, now=now, about=asked.kept())
    about = {"by": asked.by}
    event = Event(
        kind=Kind.SIGN_IN_ASKED, user_id=user_id, actor=one.name, address=asked.address, about=about
    )
    await audit.write(cursor, event, now=now)
    await writing.send(cursor, notice)
