"""Signing in with a provider of OpenID Connect: who is sent there, and what becomes of who comes back.

Somebody comes back to the browser they were sent from, once, within minutes. Who they are is what the
provider calls them, issuer and subject: of an account that is linked to it, a session begins; who is unknown
chooses a name for an account of their own. What the account owes besides, such as a second factor, it owes
here as anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from attrs import field, frozen

from pypi.accounts import audit, openid_links, secret
from pypi.accounts.accounts import is_usable
from pypi.accounts.audit import Event, Kind
from pypi.accounts.entrance import Browser, Entrance
from pypi.accounts.errors import NameTaken, UnusableName, WrongCredentials
from pypi.accounts.openid_errors import (
    ENDS,
    REASONS,
    AccountClosed,
    AddressKnown,
    NobodyHere,
    ProviderRefused,
    StaleSignIn,
    WrongDomain,
)
from pypi.accounts.openid_links import Link, Links
from pypi.accounts.openid_provider import LONGEST_CODE, Provider
from pypi.accounts.sessions import Started
from pypi.accounts.throttle import Act, Throttle
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import emails, identities, openid, users
from pypi.db.queries.openid import AskedRow, NewcomerRow

if TYPE_CHECKING:
    from pypi.accounts.openid_tokens import Person

LASTS = timedelta(minutes=10)
"""How long somebody has at the provider, and for choosing a name."""

BY = "openid"
"""What the security log says they were recognised by."""

TIDIED = 1000
"""Of each kind, in one transaction."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


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


@frozen(kw_only=True)
class Newcomer:
    """Somebody who is about to have an account.

    Attributes:
        called: what the provider calls them.
        email: a verified address, which the account will have; ``None`` if it will have none.
        name: one that they may like; empty where there is none to suggest.
    """

    called: str
    email: str | None
    name: str


@frozen(kw_only=True, eq=False)
class OpenId:
    """Sign-ins with one provider.

    A browser is known by the digest of the secret in its cookie, be that of its session or of its visit.

    Attributes:
        makes_accounts: whether somebody unknown gets one.
        domains: of e-mail addresses, one of which they need for that; empty where they need none.
        trusts_mfa: whether a second factor that was shown to the provider counts here.
    """

    provider: Provider
    links: Links
    database: Database
    entrance: Entrance
    throttle: Throttle
    now: Callable[[], datetime] = field(repr=False)
    random_bytes: Callable[[int], bytes] = field(repr=False)
    makes_accounts: bool = False
    domains: frozenset[str] = frozenset()
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
            state=_digest(state),
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

    async def newcomer(self, digest: bytes) -> Newcomer:
        """Who has yet to choose a name in a browser.

        Raises:
            StaleSignIn: nobody has, or no longer.
        """
        row = await self.database.ask(openid.look, browser=digest, now=self.now())
        if row is None:
            raise StaleSignIn(self.provider.name)
        name = await self.database.read(_free_name, row.about["wish"])
        return Newcomer(called=row.about["called"], email=row.about["email"], name=name)

    async def join(self, digest: bytes, name: str, browser: Browser) -> SignedIn:
        """Make the account of a newcomer, and sign them in.

        Raises:
            UnusableName, NameTaken: they have to choose another.
            AddressKnown, IdentityTaken: somebody was faster.
            StaleSignIn: it took too long.
            Throttled: too many of late.
        """
        asked = self.now()
        if not is_usable(name):
            raise UnusableName(name)
        await self.throttle.take(Act.REGISTER, address=browser.address)
        user_id, row = await self.database.transact(
            _join, digest, name, self.provider.name, browser.address, now=asked
        )
        started = await self._recognised(user_id, row.about["has_mfa"], browser, asked)
        return SignedIn(started=started, next=row.about["next"])

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
        if row.user_id is not None or not self.makes_accounts:
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
            return await self._unnamed(person, row)
        started = await self._recognised(user_id, person.has_mfa, browser, asked)
        return SignedIn(started=started, next=row.next)

    async def _link(self, person: Person, row: AskedRow, browser: Browser) -> Linked:
        if browser.session is None or browser.session.user_id != row.user_id:
            raise StaleSignIn(self.provider.name)
        link = _link_to(person.issuer, person.subject, person.called, self.provider.name)
        await self.links.add(browser.session, link, address=browser.address)
        return Linked(next=row.next)

    async def _unnamed(self, person: Person, row: AskedRow) -> Unnamed:
        if not self.makes_accounts:
            raise NobodyHere(self.provider.name)
        domain = (person.email or "").rpartition("@")[2].lower()
        if self.domains and domain not in self.domains:
            raise WrongDomain(self.provider.name)
        # Another secret than before: who put that one into this browser is not to have what comes now.
        text = secret.make(self.random_bytes)
        await self.database.transact(
            _arrive, _digest(text), person, row.next, self.provider.name, now=self.now()
        )
        return Unnamed(secret=text)

    async def _recognised(self, user_id: int, has_mfa: bool, browser: Browser, asked: datetime) -> Started:
        is_whole = has_mfa and self.trusts_mfa
        try:
            return await self.entrance.recognised(
                user_id, by=BY, asked=asked, browser=browser, is_whole=is_whole
            )
        except WrongCredentials:
            raise AccountClosed(self.provider.name) from None


async def _arrive(
    cursor: Cursor, browser: bytes, person: Person, next: str, provider: str, *, now: datetime
) -> None:
    if person.email is not None and await emails.is_taken(cursor, person.email):
        raise AddressKnown(provider)
    about = {
        "called": person.called,
        "email": person.email,
        "wish": person.wish,
        "has_mfa": person.has_mfa,
        "next": next,
    }
    await openid.arrive(
        cursor,
        browser=browser,
        issuer=person.issuer,
        subject=person.subject,
        about=about,
        expires=now + LASTS,
    )


async def _join(
    cursor: Cursor, browser: bytes, name: str, provider: str, address: str, *, now: datetime
) -> tuple[int, NewcomerRow]:
    row = await openid.join(cursor, browser=browser, now=now)
    if row is None:
        raise StaleSignIn(provider)
    user_id = await users.add(cursor, name=name, password_hash=None, is_admin=False, now=now)
    if user_id is None:
        raise NameTaken(name)
    email = row.about["email"]
    if email is not None and not await emails.verify(cursor, user_id=user_id, address=email, now=now):
        raise AddressKnown(provider)
    event = Event(kind=Kind.REGISTERED, user_id=user_id, actor=name, address=address)
    await audit.write(cursor, event, now=now)
    link = _link_to(row.issuer, row.subject, row.about["called"], provider)
    await openid_links.make(cursor, link, user_id=user_id, actor=name, address=address, now=now)
    return user_id, row


async def _free_name(cursor: Cursor, wish: str) -> str:
    """A name like the one they wish for that nobody has; empty where that is none."""
    plain = _NOT_IN_NAMES.sub("-", wish)[:46].strip("._-")
    for name in (plain, *(f"{plain}{number}" for number in range(2, 10))) if plain else ():
        if is_usable(name) and not await users.is_taken(cursor, name):
            return name
    return ""


def _link_to(issuer: str, subject: str, called: str, provider: str) -> Link:
    return Link(issuer=issuer, subject=subject, called=called, provider=provider)


def _digest(text: str) -> bytes:
    digest = secret.digest(text)
    assert digest is not None
    return digest
