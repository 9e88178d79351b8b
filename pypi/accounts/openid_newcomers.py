"""Newcomers: whom a provider of OpenID Connect knows and nobody here does, until they have chosen a name.

Who has an account already is none: an address that is the same does not make two people one, and whoever has
the account's password says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from attrs import field, frozen

from pypi.accounts import audit, openid_links, secret
from pypi.accounts.accounts import is_usable
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import NameTaken, UnusableName
from pypi.accounts.openid_errors import AddressKnown, NobodyHere, StaleSignIn, WrongDomain
from pypi.accounts.openid_links import Link
from pypi.accounts.throttle import Act, Throttle
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import emails, openid, users
from pypi.db.queries.openid import NewcomerRow

if TYPE_CHECKING:
    from pypi.accounts.openid_tokens import Person

LASTS = timedelta(minutes=10)
"""How long somebody has for choosing a name."""

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+", re.ASCII)


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


@frozen(kw_only=True)
class Joined:
    """Somebody who has an account now.

    Attributes:
        has_mfa: whether they showed a second factor to the provider.
        next: where they wanted to go; empty for nowhere.
    """

    user_id: int
    has_mfa: bool
    next: str


@frozen(kw_only=True, eq=False)
class Newcomers:
    """Those who have come, each known by the digest of a secret in their browser's cookie.

    Attributes:
        provider: what people call it.
        is_open: whether they get accounts.
        domains: of e-mail addresses, one of which they need for that; empty where they need none.
    """

    database: Database
    throttle: Throttle
    provider: str
    now: Callable[[], datetime] = field(repr=False)
    random_bytes: Callable[[int], bytes] = field(repr=False)
    is_open: bool = False
    domains: frozenset[str] = frozenset()

    async def keep(self, person: Person, next: str) -> str:
        """Remember somebody until they have chosen a name.

        Returns:
            a secret for their browser in place of the one it had: who put that there is not to have what
            comes now.

        Raises:
            NobodyHere, WrongDomain, AddressKnown: there is no account for them.
        """
        if not self.is_open:
            raise NobodyHere(self.provider)
        domain = (person.email or "").rpartition("@")[2].lower()
        if self.domains and domain not in self.domains:
            raise WrongDomain(self.provider)
        text = secret.make(self.random_bytes)
        await self.database.transact(_keep, text, person, next, self.provider, now=self.now())
        return text

    async def look(self, browser: bytes) -> Newcomer:
        """Who has yet to choose a name in a browser.

        Raises:
            StaleSignIn: nobody has, or no longer.
        """
        row = await self.database.ask(openid.look, browser=browser, now=self.now())
        if row is None:
            raise StaleSignIn(self.provider)
        name = await self.database.read(_free_name, row.about["wish"])
        return Newcomer(called=row.about["called"], email=row.about["email"], name=name)

    async def join(self, browser: bytes, name: str, *, address: str) -> Joined:
        """Make the account of a newcomer.

        Args:
            address: the network address they are at.

        Raises:
            UnusableName, NameTaken: they have to choose another.
            AddressKnown, IdentityTaken: somebody was faster.
            StaleSignIn: it took too long.
            Throttled: too many of late.
        """
        if not is_usable(name):
            raise UnusableName(name)
        await self.throttle.take(Act.REGISTER, address=address)
        user_id, row = await self.database.transact(
            _join, browser, name, self.provider, address, now=self.now()
        )
        return Joined(user_id=user_id, has_mfa=row.about["has_mfa"], next=row.about["next"])


async def _keep(
    cursor: Cursor, text: str, person: Person, next: str, provider: str, *, now: datetime
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
    browser = secret.digest(text)
    assert browser is not None
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
    link = Link(issuer=row.issuer, subject=row.subject, called=row.about["called"], provider=provider)
    await openid_links.make(cursor, link, user_id=user_id, actor=name, address=address, now=now)
    return user_id, row


async def _free_name(cursor: Cursor, wish: str) -> str:
    """A name like the one they wish for that nobody has; empty where that is none."""
    plain = _NOT_IN_NAMES.sub("-", wish)[:46].strip("._-")
    for name in (plain, *(f"{plain}{number}" for number in range(2, 10))) if plain else ():
        if is_usable(name) and not await users.is_taken(cursor, name):
            return name
    return ""
