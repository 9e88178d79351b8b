"""Sessions: kept in PostgreSQL, read through copies in Redis that live for a second.

Losing Redis logs nobody out, and a session that was ended is refused everywhere: at once where Redis answers,
and within ``COPIED`` where it does not. Whoever ends sessions does it in PostgreSQL first, and leaves a mark
in place of each copy. A copy is written only where nothing is, neither copy nor mark, and says when
PostgreSQL was asked; a copy of an older moment counts for nothing, whenever it arrived in Redis. The mark
outlives every copy made before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta

from attrs import evolve, field, frozen
from twisted.logger import Logger

from caching.redis import Redis, RedisDown
from pypi.accounts import secret, session_changes
from pypi.accounts.audit import Event, Kind
from pypi.accounts.browsers import Browsers
from pypi.accounts.errors import SessionOver
from pypi.accounts.session_changes import Arriving, New
from pypi.accounts.session_copies import COPIED, MARKED, Copy
from pypi.db.database import Database
from pypi.db.queries import sessions as stored
from pypi.db.queries import summary
from pypi.db.queries.sessions import SessionLine, SessionRow
from pypi.db.queries.summary import SummaryRow
from pypi.domain.errors import Unavailable

log = Logger()

SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is known when a session was used last."""

OWED = timedelta(minutes=15)
"""How long somebody has for the second factor."""

TIDIED = 1000
"""Sessions removed in one transaction."""


@frozen(kw_only=True)
class Started:
    """A session that was begun or got another secret; the secret is told here and never again.

    Attributes:
        browser: the secret the browser is known again by; empty where nobody has signed in yet.
    """

    secret: str = field(repr=False)
    session: SessionRow
    browser: str = field(default="", repr=False)


@frozen(kw_only=True, eq=False)
class Sessions:
    """All there is to know and to change about sessions.

    Attributes:
        redis: ``None`` to ask PostgreSQL each time.
        browsers: knows those again that people sign in with; ``None`` where nobody is told of new ones.
        lifetime: after which a session ends however much it is used.
        idle: after which it ends if it is not used.
        most: sessions of an account; one more, and the oldest ends.
    """

    database: Database
    redis: Redis | None
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    browsers: Browsers | None = None
    lifetime: timedelta = timedelta(days=30)
    idle: timedelta = timedelta(days=7)
    most: int = 20

    async def begin(
        self,
        user_id: int,
        *,
        asked: datetime,
        by: str,
        address: str,
        agent: str,
        is_partial: bool = False,
        second_factor: bool = False,
        instead_of: SessionRow | None = None,
        browser: str | None = None,
    ) -> Started:
        """Sign somebody in who proved who they are.

        Args:
            asked: when the proof was begun to be looked at; a password that was changed since proves nothing.
            by: what proved it, for the security log, such as ``password``.
            is_partial: whether the second factor is owed yet.
            second_factor: whether one was shown already, as with a passkey.
            instead_of: the session the browser had until now, which ends.
            browser: the secret it is known by, if it has one.

        Raises:
            WrongCredentials: the account is not active, or its password was changed in between.
        """
        text = secret.make(self.random_bytes)
        new = New(
            digest=secret.digest_of_made(text),
            expires=self.now() + (OWED if is_partial else self.lifetime),
            address=address[:64],
            agent=agent.replace("\0", "")[:300],
            is_partial=is_partial,
            second_factor=second_factor,
        )
        kind = Kind.SIGN_IN_HALF if is_partial else Kind.SIGNED_IN
        event = Event(kind=kind, user_id=user_id, actor="", address=address, about={"by": by})
        before = instead_of.digest if instead_of else None
        arriving = None if is_partial else self._arriving(browser, agent)
        session, ended = await self.database.transact(
            session_changes.begin,
            new,
            event,
            arriving,
            asked=asked,
            before=before,
            most=self.most,
            now=self.now(),
        )
        await self.forget(ended)
        return Started(secret=text, session=session, browser=arriving.browser if arriving else "")

    async def read(self, text: str) -> SessionRow | None:
        """The session of a secret, ``None`` if there is none, or none any longer.

        Raises:
            DatabaseDown: nobody can say.
        """
        digest = secret.digest(text)
        if digest is None:
            return None
        copy = await self._copied(digest)
        if copy is None:
            copy = await self._asked(digest)
        return copy.session if copy.session and self._goes_on(copy.session) else None

    async def rotate(
        self,
        session: SessionRow,
        *,
        second_factor: str | None = None,
        address: str = "",
        agent: str = "",
        browser: str | None = None,
    ) -> Started:
        """Give a session another secret, as is due when it may do more than before; the old one is dead.

        Args:
            second_factor: what was shown just now, for the security log; the session is whole with that.
            address: where it was shown.
            agent, browser: of the browser that shows it, as with ``begin``.

        Raises:
            SessionOver: it was ended in the meantime.
        """
        text, now = secret.make(self.random_bytes), self.now()
        new = evolve(session, digest=secret.digest_of_made(text))
        if second_factor is not None:
            expires = now + self.lifetime if session.is_partial else session.expires
            new = evolve(new, is_partial=False, is_waiting=False, second_factor=now, expires=expires)
        event = Event(
            kind=Kind.SIGNED_IN,
            user_id=session.user_id,
            actor=session.name,
            address=address,
            about={"by": second_factor},
        )
        arriving = self._arriving(browser, agent) if session.is_partial and not new.is_partial else None
        ended = await self.database.transact(
            session_changes.rotate, session, new, event, arriving, most=self.most, now=now
        )
        await self.forget(ended)
        return Started(secret=text, session=new, browser=arriving.browser if arriving else "")

    async def of_user(self, user_id: int) -> list[SessionLine]:
        """An account's sessions, the one used last first."""
        now = self.now()
        return await self.database.ask(
            stored.of_user, user_id=user_id, idle_since=now - self.idle, now=now, limit=self.most
        )

    async def summary(self, user_id: int) -> SummaryRow:
        """The account of a session at a glance.

        Raises:
            SessionOver: it is no more.
        """
        now = self.now()
        found = await self.database.ask(summary.of, user_id, now=now, idle_since=now - self.idle)
        if found is None:
            raise SessionOver()
        return found

    async def end(self, session: SessionRow, *, address: str) -> None:
        """Sign out."""
        event = Event(kind=Kind.SIGNED_OUT, user_id=session.user_id, actor=session.name, address=address)
        await self.database.transact(session_changes.end, session.digest, event, now=self.now())
        await self.forget([session.digest])

    async def revoke(self, by: SessionRow, session_id: int, *, address: str) -> bool:
        """End a session of the same account.

        Returns:
            whether the account had a session of that ``id``.
        """
        ended = await self.database.transact(session_changes.revoke, by, session_id, address, now=self.now())
        await self.forget(ended)
        return bool(ended)

    async def revoke_others(self, but: SessionRow, *, address: str, browser: str | None = None) -> int:
        """End all sessions of the account but this one; how many.

        Args:
            browser: the secret of the one they have: the only one that stays known.
        """
        ended = await self.database.transact(
            session_changes.revoke_others, but, address, browser, now=self.now()
        )
        await self.forget(ended)
        return len(ended)

    async def forget(self, digests: Iterable[bytes]) -> None:
        """See to it that no copy of sessions is used; after the transaction that ended them."""
        if self.redis is None:
            return
        try:
            for digest in digests:
                await self.redis.command(
                    "set", _key(digest), Copy.none(self.now()).packed, pexpire=_ms(MARKED)
                )
        except RedisDown as reason:
            log.info("Copies of sessions are left to end by themselves: {reason}", reason=str(reason))

    async def tidy(self) -> int:
        """Remove sessions that are over, a bounded number at once.

        Returns:
            how many; there may be more while it is ``TIDIED``.
        """
        now = self.now()
        return await self.database.transact(stored.tidy, idle_since=now - self.idle, now=now, limit=TIDIED)

    def _arriving(self, browser: str | None, agent: str) -> Arriving | None:
        if self.browsers is None:
            return None
        return Arriving(self.browsers, self.browsers.known_or_new(browser), agent)

    async def _copied(self, digest: bytes) -> Copy | None:
        if self.redis is None:
            return None
        try:
            found = await self.redis.command("get", _key(digest))
        except RedisDown:
            return None
        copy = None if found is None else Copy.unpacked(found, digest)
        return copy if copy is not None and copy.counts(self.now()) else None

    async def _asked(self, digest: bytes) -> Copy:
        asked = self.now()
        session = await self.database.ask(stored.by_digest, digest)
        copy = Copy(asked=asked, session=session)
        if session is None or not self._goes_on(session):
            return copy
        if session.last_seen <= asked - SEEN_EVERY:
            await self._seen(session, asked)
            copy = Copy(asked=asked, session=evolve(session, last_seen=asked))
        await self._copy(digest, copy)
        return copy

    async def _seen(self, session: SessionRow, now: datetime) -> None:
        try:
            await self.database.transact(stored.mark_seen, session.digest, before=now - SEEN_EVERY, now=now)
        except Unavailable:
            log.info("It could not be noted that a session is used")

    async def _copy(self, digest: bytes, copy: Copy) -> None:
        left = COPIED - (self.now() - copy.asked)
        if self.redis is None or left < timedelta(milliseconds=1):
            return
        with suppress(RedisDown):
            await self.redis.command(
                "set", _key(digest), copy.packed, pexpire=_ms(left), only_if_not_exists=True
            )

    def _goes_on(self, session: SessionRow) -> bool:
        now = self.now()
        return now < session.expires and now < session.last_seen + self.idle


def _key(digest: bytes) -> str:
    return f"session:{digest.hex()}"


def _ms(time: timedelta) -> int:
    return time // timedelta(milliseconds=1)
