"""Making accounts and tokens, and recognising their owners."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import frozen

from pypi.accounts import addresses, issued, tokens
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import (
    AddressTaken,
    NameTaken,
    NoCredentials,
    NoSuchUser,
    TokenNeeded,
    UnusableAddress,
    UnusableName,
    UnusablePassword,
    WrongCredentials,
)
from pypi.accounts.issued import Wish
from pypi.accounts.passwords import MAX_LENGTH, MIN_LENGTH, Passwords
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import projects, second_factors, users
from pypi.db.queries import tokens as stored_tokens
from pypi.db.queries.tokens import ScopeRow
from pypi.db.queries.users import UserLine
from pypi.domain.errors import NoSuchProject
from pypi.domain.names import normalize
from pypi.domain.permissions import OPERATOR, TOKEN_USER, Credentials, Identity

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,48}[A-Za-z0-9])?", re.ASCII)


def is_usable(name: str) -> bool:
    """Whether an account may have that name."""
    return _NAME.fullmatch(name) is not None and name.lower() != TOKEN_USER


@frozen(kw_only=True, eq=False)
class Accounts:
    """All there is to know and to change about accounts.

    Attributes:
        used: is told the id of each token that gets somebody in.
    """

    database: Database
    passwords: Passwords
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    used: Callable[[str], None] = lambda _: None

    async def authenticate(self, credentials: Credentials | None) -> Identity:
        """Who is asking, be it a program: it cannot show a second factor.

        Raises:
            NoCredentials: the request does not say.
            WrongCredentials: unknown, expired, revoked, inactive or simply wrong.
            TokenNeeded: the password is right, and not all the account asks for.
        """
        if credentials is None:
            raise NoCredentials()
        if credentials.name == TOKEN_USER:
            return await self._by_token(credentials.password)
        identity = await self.by_password(credentials)
        assert identity.user_id is not None
        factors = await self.database.ask(second_factors.of_user, identity.user_id)
        if factors is not None and (factors.totp or factors.passkeys):
            raise TokenNeeded()
        return identity

    async def _by_token(self, text: str) -> Identity:
        token = tokens.parse(text)
        row = None if token is None else await self.database.read(stored_tokens.by_id, token.id)
        if token is None or row is None or not token.matches(row.secret_sha256):
            raise WrongCredentials()
        if row.expires is not None and row.expires <= self.now():
            raise WrongCredentials()
        self.used(row.id)
        return Identity(
            user_id=row.user_id,
            name=row.user_name,
            token_id=row.id,
            project_id=row.project_id,
            is_read_only=row.is_read_only,
        )

    async def by_password(self, credentials: Credentials) -> Identity:
        """Whose password this is; a second factor may be owed yet.

        Raises:
            WrongCredentials: nobody's.
        """
        row = None
        if _NAME.fullmatch(credentials.name):
            row = await self.database.read(users.by_name, credentials.name)
        usable = row is not None and row.is_active
        matches = await self.passwords.verify(row.password_hash if row else None, credentials.password)
        if row is None or not usable or not matches:
            raise WrongCredentials()
        return Identity(user_id=row.id, name=row.name)

    async def add_user(self, name: str, *, email: str, password: str | None, is_admin: bool = False) -> None:
        """Make an account whose address counts as verified, since the operator vouches for it.

        Args:
            password: ``None`` for an account that can only use tokens.

        Raises:
            Refusal: name, address or password cannot be used, or belong to somebody else.
        """
        if not is_usable(name):
            raise UnusableName(name)
        if addresses.why_not(email) is not None:
            raise UnusableAddress(email)
        if password is not None and not MIN_LENGTH <= len(password) <= MAX_LENGTH:
            raise UnusablePassword(MIN_LENGTH, MAX_LENGTH)
        hashed = None if password is None else await self.passwords.hash(password)
        await self.database.transact(_add_user, name, email, hashed, is_admin, self.now())

    async def named(self, name: str) -> Identity:
        """The account of that name, for an operator who acts in its place.

        Raises:
            NoSuchUser: there is none.
        """
        row = await self.database.read(users.by_name, name)
        if row is None:
            raise NoSuchUser(name)
        return Identity(user_id=row.id, name=row.name)

    async def everybody(self) -> list[UserLine]:
        """All accounts, by name."""
        return await self.database.read(users.everybody)

    async def add_token(
        self,
        user: str,
        *,
        project: str | None = None,
        lifetime: timedelta | None = None,
        description: str = "",
        is_read_only: bool = False,
    ) -> str:
        """Make an API token in an account's place, as whoever runs the index does.

        Args:
            project: the only project it shall be good for.
            is_read_only: whether it shall be good for reading alone.
            lifetime: ``None`` for ever.

        Returns:
            the token, which is shown this once and never again.

        Raises:
            NoSuchUser, NoSuchProject: they do not exist.
        """
        token = tokens.make(self.random_bytes)
        wish = Wish(
            description=description[:100], project=project, is_read_only=is_read_only, lifetime=lifetime
        )
        await self.database.transact(_add_token, user, token, wish, now=self.now())
        return str(token)


async def _add_user(
    cursor: Cursor, name: str, email: str, password_hash: str | None, is_admin: bool, now: datetime
) -> None:
    user_id = await users.add(cursor, name=name, password_hash=password_hash, is_admin=is_admin, now=now)
    if user_id is None:
        raise NameTaken(name)
    is_free = await users.add_email(
        cursor, user_id=user_id, address=email, is_primary=True, verified=now, now=now
    )
    if not is_free:
        raise AddressTaken(email)


async def _add_token(cursor: Cursor, user: str, token: tokens.Token, wish: Wish, *, now: datetime) -> None:
    owner = await users.by_name(cursor, user)
    if owner is None:
        raise NoSuchUser(user)
    scope = None
    if wish.project is not None:
        project = await projects.by_name(cursor, normalize(wish.project))
        if project is None:
            raise NoSuchProject(wish.project)
        scope = ScopeRow(project.id, project.name, project.normalized)
    event = Event(kind=Kind.TOKEN_ADDED, user_id=owner.id, actor=OPERATOR.name)
    await issued.keep(cursor, token, wish, scope, event, now=now)
