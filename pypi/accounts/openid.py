"""Signing in with a provider of OpenID Connect: who is sent there, and what becomes of who comes back.

Somebody comes back to the browser they were sent from, once, within minutes. Who they are is what the
provider calls them, issuer and subject: of an account that is linked to it, a session begins; who is unknown
chooses a name for an account of their own. What the account owes besides, such as a second factor, it owes
here as anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from attrs import field, frozen

from pypi.accounts import audit, secret
from pypi.accounts.audit import Event, Kind
from pypi.accounts.browsers import Browser
from pypi.accounts.entrance import Entrance
from pypi.accounts.errors import WrongCredentials
from pypi.accounts.openid_errors import (
    ENDS,
    REASONS,
    AccountClosed,
    ProviderRefused,
    StaleSignIn,
)
from pypi.accounts.openid_links import Link, Links
from pypi.accounts.openid_newcomers import Newcomers
from pypi.accounts.openid_provider import LONGEST_CODE, Provider
from pypi.accounts.sessions import Started
from pypi.accounts.throttle import Act, Throttle
from pypi.db.database import Database
from pypi.db.queries import identities, openid
from pypi.db.queries.openid import AskedRow

if TYPE_CHECKING:
    from pypi.accounts.openid_tokens import Person

LASTS = timedelta(minutes=10)
"""How long somebody has at the provider."""

BY = "openid"
"""What the security log says they were recognised by."""

TIDIED = 1000
"""Of each kind, in one transaction."""


@frozen(kw_only=True)
class Back:
    """What somebody brings along from the provider, as their address says it; nothing of it is proven.

    Attributes:
        error: the provider's word for why they were not signed in; empty if they were.
        issuer: who sent them back; ``None`` where that is not said.
    """

    state: str = field(repr=False)
    code: str = field(repr=False)
    error: str = ""
    issuer: str | None = None


@frozen(kw_only=True)
class SignedIn:
    """They have an account; ``next`` is where they wanted to go, empty for nowhere."""

    started: Started
    next: str


@frozen(kw_only=True)
class Linked:
    """Their account is linked now."""

    next: str


@frozen(kw_only=True)
class Unnamed:
    """They have no account yet; the secret is for their browser, in place of the one it had."""

    secret: str = field(repr=False)


Outcome = SignedIn | Linked | Unnamed


@frozen(kw_only=True, eq=False)
class OpenId:
    """Sign-ins with one provider.

    A browser is known by the digest of the secret in its cookie, be that of its session or of its visit.

    Attributes:
        trusts_mfa: whether a second factor that was shown to the provider counts here.
    """

    provider: Provider
    links: Links
    newcomers: Newcomers
    database: Database
    entrance: Entrance
    throttle: Throttle
    now: Callable[[], datetime] = field(repr=False)
    random_bytes: Callable[[int], bytes] = field(repr=False)
    trusts_mfa: bool = False

    async def ask(self, browser: bytes, *, next: str, address: str, user_id: int | None = None) -> str:
        """Where to send somebody who wants to sign in.

        Args:
            next: where they want to go then, by ``next_path``; empty for nowhere.
            address: the network address they are at.
            user_id: the account that is to be linked, of who is signed in.

        Raises:
            Throttled: too many of late.
            ProviderDown, ProviderUntrue: there is no telling where.
        """
        await self.throttle.take(Act.OPENID, address=address)
        state, nonce, verifier = (secret.make(self.random_bytes) for _ in range(3))
        url = await self.provider.address(state=state, nonce=nonce, verifier=verifier)
        now = self.now()
        await self.database.transact(
            openid.ask,
            state=secret.digest_of_made(state),
            browser=browser,
            user_id=user_id,
            nonce=nonce,
            verifier=verifier,
            next=next,
            now=now,
            expires=now + LASTS,
        )
        return url

    async def arrive(self, back: Back, digest: bytes, browser: Browser) -> Outcome:
        """Receive who comes back.

        Args:
            digest: of the secret in the browser's cookie.

        Raises:
            StaleSignIn: that browser was not sent for this, too long ago, or came back already.
            ProviderDown, ProviderRefused, ProviderUntrue: the provider does not say who it is.
            AccountClosed, NobodyHere, WrongDomain, AddressKnown, IdentityTaken, TooManyIdentities: nothing
                can be made of who it is.
        """
        asked = self.now()
        row = await self._taken(back.state, digest)
        try:
            await self.provider.check_sender(back.issuer)
            return await self._receive(await self._person(back, row), row, browser, asked)
        except ENDS as refusal:
            event = Event(
                kind=Kind.SIGN_IN_FAILED,
                user_id=row.user_id,
                actor="",
                address=browser.address,
                about={"reason": REASONS[type(refusal)]},
            )
            await self.database.transact(audit.write, event, now=self.now())
            raise

    async def join(self, digest: bytes, name: str, browser: Browser) -> SignedIn:
        """Make the account of a newcomer, and sign them in; raises what ``Newcomers.join`` does."""
        asked = self.now()
        joined = await self.newcomers.join(digest, name, address=browser.address)
        started = await self._recognised(joined.user_id, joined.has_mfa, browser, asked)
        return SignedIn(started=started, next=joined.next)

    async def tidy(self) -> int:
        """Forget sign-ins that were begun too long ago, a bounded number at once; how many."""
        return await self.database.transact(openid.tidy, now=self.now(), limit=TIDIED)

    async def _taken(self, state: str, browser: bytes) -> AskedRow:
        digest = secret.digest(state)
        row = None
        if digest is not None:
            # Committed before the provider is asked: whatever it says, this was the only time.
            row = await self.database.transact(openid.take, state=digest, browser=browser, now=self.now())
        if row is None:
            raise StaleSignIn(self.provider.name)
        return row

    async def _person(self, back: Back, row: AskedRow) -> Person:
        if back.error or not 1 <= len(back.code) <= LONGEST_CODE:
            raise ProviderRefused(self.provider.name)
        return await self.provider.redeem(
            back.code,
            verifier=row.verifier,
            nonce=row.nonce,
            asked=row.created,
            is_new=partial(self._is_new, row),
        )

    async def _is_new(self, row: AskedRow, person: Person) -> bool:
        if row.user_id is not None or not self.newcomers.is_open:
            return False
        known = await self.database.ask(identities.of_subject, issuer=person.issuer, subject=person.subject)
        return known is None

    async def _receive(self, person: Person, row: AskedRow, browser: Browser, asked: datetime) -> Outcome:
        if row.user_id is not None:
            return await self._link(person, row, browser)
        user_id = await self.database.transact(
            identities.use, issuer=person.issuer, subject=person.subject, now=asked
        )
        if user_id is None:
            return Unnamed(secret=await self.newcomers.keep(person, row.next))
        started = await self._recognised(user_id, person.has_mfa, browser, asked)
        return SignedIn(started=started, next=row.next)

    async def _link(self, person: Person, row: AskedRow, browser: Browser) -> Linked:
        if browser.session is None or browser.session.user_id != row.user_id:
            raise StaleSignIn(self.provider.name)
        provider = self.provider.name
        link = Link(issuer=person.issuer, subject=person.subject, called=person.called, provider=provider)
        await self.links.add(browser.session, link, address=browser.address)
        return Linked(next=row.next)

    async def _recognised(self, user_id: int, has_mfa: bool, browser: Browser, asked: datetime) -> Started:
        is_whole = has_mfa and self.trusts_mfa
        try:
            return await self.entrance.recognised(
                user_id, by=BY, asked=asked, browser=browser, is_whole=is_whole
            )
        except WrongCredentials:
            raise AccountClosed(self.provider.name) from None
