"""Links of accounts to a provider of sign-ins: made by who is signed in, and ended by them.

An account is linked to an issuer and a subject. It never is because an address is the same: addresses change
hands, and not every provider looks whose they are.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import field, frozen

from pypi.accounts import audit
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import SessionOver
from pypi.accounts.mailed import tell
from pypi.accounts.openid_errors import IdentityTaken, LastWayIn, NoSuchIdentity, TooManyIdentities
from pypi.accounts.owner import Owner
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import identities
from pypi.db.queries.identities import IdentityLine
from pypi.db.queries.sessions import SessionRow
from pypi.mail.letters import SignInLinked, SignInUnlinked

MOST = 10
"""Links of an account to one issuer."""


@frozen(kw_only=True)
class Link:
    """What an account is to be linked to.

    Attributes:
        called: by what its owner recognises it.
        provider: what people call the issuer.
    """

    issuer: str
    subject: str
    called: str
    provider: str


@frozen(kw_only=True, eq=False)
class Links:
    """The links of accounts to one issuer."""

    database: Database
    issuer: str
    provider: str
    now: Callable[[], datetime] = field(repr=False)

    async def of_user(self, user_id: int) -> list[IdentityLine]:
        """What an account is linked to, oldest first; issuers of the past are among them."""
        return await self.database.ask(identities.of_user, user_id)

    async def add(self, session: SessionRow, link: Link, *, address: str) -> None:
        """Link an account that is signed in; to what it is linked to already, that changes nothing.

        Raises:
            IdentityTaken: another account is.
            TooManyIdentities: the account has as many as it may have.
            SessionOver: nobody is signed in any longer.
        """
        await self.database.transact(_add, session, link, address, now=self.now())

    async def remove(self, session: SessionRow, identity_id: int, *, address: str) -> None:
        """End a link.

        Raises:
            NoSuchIdentity: the account has none of that id.
            LastWayIn: there is no other way to sign in.
            SessionOver: nobody is signed in any longer.
        """
        provider, now = self.provider, self.now()
        await self.database.transact(_remove, session, self.issuer, provider, identity_id, address, now=now)


async def make(cursor: Cursor, link: Link, *, user_id: int, actor: str, address: str, now: datetime) -> None:
    """Link an account, and write that down.

    Raises:
        IdentityTaken: an account is linked to it.
    """
    is_free = await identities.add(
        cursor, issuer=link.issuer, subject=link.subject, user_id=user_id, called=link.called, now=now
    )
    if not is_free:
        raise IdentityTaken(link.provider)
    about = {"issuer": link.issuer, "called": link.called}
    event = Event(kind=Kind.OPENID_LINKED, user_id=user_id, actor=actor, address=address, about=about)
    await audit.write(cursor, event, now=now)


async def _add(cursor: Cursor, session: SessionRow, link: Link, address: str, *, now: datetime) -> None:
    ways = None if session.is_partial else await identities.ways(cursor, session.user_id, issuer=link.issuer)
    if ways is None:
        raise SessionOver()
    whose = await identities.of_subject(cursor, issuer=link.issuer, subject=link.subject)
    if whose == session.user_id:
        return
    if whose is None and ways.identities >= MOST:
        raise TooManyIdentities(MOST)
    await make(cursor, link, user_id=session.user_id, actor=session.name, address=address, now=now)
    letter = SignInLinked(user=session.name, provider=link.provider, called=link.called)
    await tell(cursor, session.user_id, letter, now=now)


async def _remove(
    cursor: Cursor,
    session: SessionRow,
    issuer: str,
    provider: str,
    identity_id: int,
    address: str,
    *,
    now: datetime,
) -> None:
    if session.is_partial or await identities.ways(cursor, session.user_id, issuer=issuer) is None:
        raise SessionOver()
    removed = await identities.remove(cursor, user_id=session.user_id, identity_id=identity_id)
    if removed is None:
        raise NoSuchIdentity()
    left = await identities.ways(cursor, session.user_id, issuer=issuer)
    if left is None or not (left.password or left.passkeys or left.identities):
        raise LastWayIn()
    by = Owner.of(session, address)
    event = by.event(Kind.OPENID_UNLINKED, issuer=removed[0], called=removed[1])
    await audit.write(cursor, event, now=now)
    told = provider if removed[0] == issuer else removed[0]
    letter = SignInUnlinked(user=session.name, provider=told, called=removed[1])
    await tell(cursor, session.user_id, letter, now=now)
