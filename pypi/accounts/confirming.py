"""Sign-ins that mail has to confirm: what a look-alike of this index may have passed on.

Whoever is led to a look-alike types name, password and code there, and somebody shows them here. A passkey
cannot be had that way; codes can, those for recovery like those of an app. So who shows one with a browser
not seen before waits, and a letter with a link goes to the address of the account.

The link lets in nobody but the browser that waits, by the cookie it has. Were it good in any, the victim, who
has just typed it all and is told to look into the mail, would let in whoever passed it on. As it is, their
browser is shown who else asks, and how to end that. Nothing has to be typed off the letter, for that would be
passed on as well. Nor are network addresses compared: they change while somebody walks about with a phone,
and whoever passes things on may have one next door.

Nobody is kept out for want of mail: where an account has no proven address, or the index sends nothing, the
browser is let in as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from attrs import evolve, frozen
from twisted.logger import Logger

from pypi.accounts import audit, secret
from pypi.accounts.audit import Event, Kind
from pypi.accounts.browsers import Browser, Browsers
from pypi.accounts.errors import SessionOver, UnusableProof
from pypi.accounts.notices import Notice, Send, Word, keep_proof
from pypi.accounts.second_factor import Factor
from pypi.accounts.sessions import Sessions, Started
from pypi.accounts.throttle import Act, Throttle
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import emails, proofs
from pypi.db.queries import sessions as stored
from pypi.db.queries.proofs import ProofRow
from pypi.db.queries.sessions import SessionRow
from pypi.domain.devices import in_words

log = Logger()

PURPOSE = "sign-in"

LASTS = timedelta(minutes=20)
"""How long a browser waits; mail from strangers is kept back by some for a quarter of an hour."""

CODES = frozenset({Factor.TOTP.value, Factor.RECOVERY_CODE.value})

AFTER: Mapping[str, frozenset[str]] = {
    "off": frozenset(),
    "codes": CODES,
    "all": CODES | {"password"},
}
"""``access.confirm_new_browsers`` → what was shown last by who is asked."""


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


@frozen(kw_only=True, eq=False)
class Confirming:
    """Has sign-ins confirmed.

    Attributes:
        send: has a notice sent.
        after: what has to be confirmed that was shown last; the names are those of the security log.
    """

    database: Database
    sessions: Sessions
    browsers: Browsers
    throttle: Throttle
    send: Send
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    after: frozenset[str] = AFTER["codes"]

    async def is_due(self, user_id: int, by: str, browser: Browser) -> bool:
        """Whether somebody who has shown all there is to show has to confirm it.

        Args:
            by: what was shown last.
        """
        return by in self.after and await self.database.read(self._is_due, user_id, browser.known)

    async def ask(self, session: SessionRow, by: str, browser: Browser) -> Started:
        """Have a session wait until its owner confirms it, who is written to.

        Returns:
            the session with another secret.

        Raises:
            Throttled: too many letters.
            SessionOver: it was ended in the meantime, or nobody can be written to any longer.
        """
        await self.throttle.take(Act.CONFIRM, account=str(session.user_id))
        text, now = secret.make(self.random_bytes), self.now()
        waiting = evolve(
            session,
            digest=_digest(text),
            expires=now + LASTS,
            is_waiting=True,
            second_factor=now if by in CODES else None,
        )
        asked = Asked(
            user=session.name,
            session=session.id,
            by=by,
            address=browser.address,
            agent=in_words(browser.agent),
            at=now,
            wanted=browser.wanted,
        )
        await self.database.transact(self._ask, session.digest, waiting, asked)
        await self.sessions.forget([session.digest])
        return Started(secret=text, session=waiting)

    async def ask_again(self, session: SessionRow) -> None:
        """Send one more letter about a session that waits; the links of those before stay good.

        Raises:
            Throttled: too many.
            SessionOver: it does not wait any longer.
        """
        await self.throttle.take(Act.CONFIRM, account=str(session.user_id))
        await self.database.transact(self._ask_again, session)

    async def look(self, text: str, session: SessionRow | None) -> Asked | None:
        """What the secret of a letter is about; ``None`` where that waits no longer.

        Args:
            session: of the browser it is opened with.
        """
        digest = secret.digest(text)
        return None if digest is None else await self.database.read(self._look, digest, session)

    async def confirm(self, text: str, session: SessionRow, browser: Browser) -> tuple[Started, str]:
        """Let a browser in that waits, and know it from now on.

        Returns:
            the session, whole and with another secret; and where they wanted to go.

        Raises:
            UnusableProof: the secret is good for nothing, or for another browser; it stays good for that.
            SessionOver: the session was ended in the meantime.
        """
        digest = secret.digest(text)
        if digest is None:
            raise UnusableProof()
        own, now = secret.make(self.random_bytes), self.now()
        known = self.browsers.known_or_new(browser.known)
        whole = evolve(
            session,
            digest=_digest(own),
            expires=now + self.sessions.lifetime,
            is_partial=False,
            is_waiting=False,
        )
        known_as = evolve(browser, known=known)
        asked, ended = await self.database.transact(self._confirm, digest, session, whole, known_as)
        await self.sessions.forget(ended)
        return Started(secret=own, session=whole, browser=known), asked.wanted

    async def deny(self, text: str, *, address: str) -> None:
        """End a sign-in that is not theirs who read the letter.

        Args:
            address: the network address they are at.

        Raises:
            UnusableProof: the secret is good for nothing.
        """
        digest = secret.digest(text)
        if digest is None:
            raise UnusableProof()
        await self.sessions.forget(await self.database.transact(self._deny, digest, address))

    async def _is_due(self, cursor: Cursor, user_id: int, known: str | None) -> bool:
        if await self.browsers.knows(cursor, user_id, known):
            return False
        if await emails.reachable(cursor, [user_id]):
            return True
        log.info("Account {user_id} has no address: its new browser is let in unconfirmed", user_id=user_id)
        return False

    async def _ask(self, cursor: Cursor, before: bytes, waiting: SessionRow, asked: Asked) -> None:
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
        await self._write(cursor, waiting, asked)

    async def _ask_again(self, cursor: Cursor, session: SessionRow) -> None:
        now = self.now()
        owner = await stored.owner(cursor, session.user_id)
        found = await stored.by_digest(cursor, session.digest)
        before = await proofs.asked(cursor, user_id=session.user_id, session_id=session.id, now=now)
        if owner is None or found is None or not found.is_waiting or before is None:
            raise SessionOver()
        await self._write(cursor, found, Asked.of(before))

    async def _write(self, cursor: Cursor, waiting: SessionRow, asked: Asked) -> None:
        """Send a letter, in that transaction; its link is good for as long as the session waits."""
        reached = await emails.reachable(cursor, [waiting.user_id])
        if not reached:
            raise SessionOver()
        [one] = reached
        now = self.now()
        notice = Notice(
            word=Word.CONFIRM_SIGN_IN,
            to=one.address,
            user=one.name,
            secret=secret.make(self.random_bytes),
            lasts=waiting.expires - now,
            address=asked.address,
            agent=asked.agent,
        )
        await keep_proof(
            cursor, notice, user_id=waiting.user_id, purpose=PURPOSE, now=now, about=asked.kept()
        )
        event = Event(
            kind=Kind.SIGN_IN_ASKED,
            user_id=waiting.user_id,
            actor=one.name,
            address=asked.address,
            about={"by": asked.by},
        )
        await audit.write(cursor, event, now=now)
        await self.send(cursor, notice)

    async def _look(self, cursor: Cursor, digest: bytes, session: SessionRow | None) -> Asked | None:
        proof = await proofs.look(cursor, digest, purpose=PURPOSE, now=self.now())
        if proof is None or proof.user_id is None:
            return None
        asked = Asked.of(proof)
        if not await stored.is_waiting(
            cursor, user_id=proof.user_id, session_id=asked.session, now=self.now()
        ):
            return None
        return evolve(asked, is_here=session is not None and session.id == asked.session)

    async def _confirm(
        self, cursor: Cursor, digest: bytes, before: SessionRow, whole: SessionRow, browser: Browser
    ) -> tuple[Asked, list[bytes]]:
        """What was asked, and the digests that are good no longer."""
        user_id, now = before.user_id, self.now()
        # Whatever changes the account is done before or after, so that nothing of it is overlooked.
        owner = await stored.owner(cursor, user_id)
        proof = await proofs.take(cursor, digest, purpose=PURPOSE, now=now)
        if owner is None or proof is None or proof.user_id != user_id:
            raise UnusableProof()
        asked = Asked.of(proof)
        if asked.session != before.id:
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
        ended = await stored.trim(cursor, user_id=user_id, is_partial=False, most=self.sessions.most)
        await proofs.answered(cursor, user_id=user_id, session_id=before.id)
        assert browser.known is not None
        await self.browsers.note(cursor, user_id, browser.known)
        event = Event(
            kind=Kind.SIGNED_IN,
            user_id=user_id,
            actor=owner.name,
            address=browser.address,
            about={"by": asked.by},
        )
        await audit.write(cursor, event, now=now)
        return asked, [before.digest, *ended]

    async def _deny(self, cursor: Cursor, digest: bytes, address: str) -> list[bytes]:
        """The digests of what ended."""
        proof = await proofs.take(cursor, digest, purpose=PURPOSE, now=self.now())
        if proof is None or proof.user_id is None:
            raise UnusableProof()
        session_id = Asked.of(proof).session
        ended = await stored.end_waiting(cursor, user_id=proof.user_id, session_id=session_id)
        await proofs.answered(cursor, user_id=proof.user_id, session_id=session_id)
        # Who reads the mail of an account is its owner as far as anybody can tell; a name nobody has shown.
        event = Event(kind=Kind.SIGN_IN_DENIED, user_id=proof.user_id, actor="", address=address)
        await audit.write(cursor, event, now=self.now())
        return ended


def _digest(text: str) -> bytes:
    digest = secret.digest(text)
    assert digest is not None
    return digest
