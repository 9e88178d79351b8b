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

from pypi.accounts import confirming_changes as changes
from pypi.accounts import secret
from pypi.accounts.browsers import Browser, Browsers
from pypi.accounts.confirming_changes import Arriving, Asked, Writing
from pypi.accounts.errors import UnusableProof
from pypi.accounts.notices import Send
from pypi.accounts.second_factor import Factor
from pypi.accounts.sessions import Sessions, Started
from pypi.accounts.throttle import Act, Throttle
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import emails
from pypi.db.queries.sessions import SessionRow
from pypi.domain.devices import in_words

log = Logger()

LASTS = timedelta(minutes=20)
"""How long a browser waits; mail from strangers is kept back by some for a quarter of an hour."""

CODES = frozenset({Factor.TOTP.value, Factor.RECOVERY_CODE.value})

AFTER: Mapping[str, frozenset[str]] = {
    "off": frozenset(),
    "codes": CODES,
    "all": CODES | {"password"},
}
"""``access.confirm_new_browsers`` → what was shown last by who is asked."""


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
            digest=secret.digest_of_made(text),
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
        await self.database.transact(changes.wait, session.digest, waiting, asked, self._writing(now))
        await self.sessions.forget([session.digest])
        return Started(secret=text, session=waiting)

    async def ask_again(self, session: SessionRow) -> None:
        """Send one more letter about a session that waits; the links of those before stay good.

        Raises:
            Throttled: too many.
            SessionOver: it does not wait any longer.
        """
        await self.throttle.take(Act.CONFIRM, account=str(session.user_id))
        await self.database.transact(changes.ask_again, session, self._writing(self.now()))

    async def look(self, text: str, session: SessionRow | None) -> Asked | None:
        """What the secret of a letter is about; ``None`` where that waits no longer.

        Args:
            session: of the browser it is opened with.
        """
        digest = secret.digest(text)
        if digest is None:
            return None
        return await self.database.read(changes.look, digest, session, now=self.now())

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
        arriving = Arriving(
            browsers=self.browsers,
            browser=self.browsers.known_or_new(browser.known),
            address=browser.address,
            most=self.sessions.most,
        )
        whole = evolve(
            session,
            digest=secret.digest_of_made(own),
            expires=now + self.sessions.lifetime,
            is_partial=False,
            is_waiting=False,
        )
        asked, ended = await self.database.transact(
            changes.confirm, digest, session, whole, arriving, now=now
        )
        await self.sessions.forget(ended)
        return Started(secret=own, session=whole, browser=arriving.browser), asked.wanted

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
        ended = await self.database.transact(changes.deny, digest, address, now=self.now())
        await self.sessions.forget(ended)

    async def _is_due(self, cursor: Cursor, user_id: int, known: str | None) -> bool:
        if await self.browsers.knows(cursor, user_id, known):
            return False
        if await emails.reachable(cursor, [user_id]):
            return True
        log.info("Account {user_id} has no address: its new browser is let in unconfirmed", user_id=user_id)
        return False

    def _writing(self, now: datetime) -> Writing:
        return Writing(send=self.send, secret=secret.make(self.random_bytes), now=now)
