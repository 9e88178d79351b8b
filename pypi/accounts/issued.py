"""Tokens of accounts: which there are, one more of them, one less.

Whoever shows a token, its owner or a stranger who found it, may have it revoked: who has it could do worse.
It is good for nothing from the moment of the answer, since it is looked up anew each time it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen

from pypi.accounts import audit, tokens
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import NoSuchToken, SessionOver, TooManyTokens
from pypi.accounts.mailed import tell
from pypi.accounts.one_line import one_line
from pypi.accounts.throttle import Act, Throttle
from pypi.accounts.tokens import Token
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import emails
from pypi.db.queries import tokens as stored
from pypi.db.queries.sessions import SessionRow
from pypi.db.queries.tokens import HeldRow, ScopeRow, TokenLine
from pypi.domain.errors import NoSuchProject
from pypi.domain.permissions import Identity
from pypi.mail.letters import TokenMade, TokenReported

MOST = 100
"""Tokens of an account, those that have expired among them."""

OFFERED = 1000
"""Projects that are offered for a token to be limited to."""

AT_ONCE = 100
"""Tokens that are reported at once."""

IDLE = timedelta(days=183)
"""After which one is reminded of a token that is not used."""

LONGEST = 100
"""Characters of a description."""


@frozen(kw_only=True)
class Wish:
    """What a token shall be.

    Attributes:
        description: what it is for, in its owner's words.
        project: the normalized name of the only project it shall be good for; ``None`` for all.
        is_read_only: whether it shall be good for reading alone.
        lifetime: ``None`` for ever.
    """

    description: str
    project: str | None = None
    is_read_only: bool = False
    lifetime: timedelta | None = None


@frozen(kw_only=True, eq=False)
class Tokens:
    """All there is to know and to change about the tokens of accounts."""

    database: Database
    throttle: Throttle
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    async def of_user(self, user_id: int) -> list[TokenLine]:
        """An account's tokens, the newest first; what was revoked is none of them."""
        return await self.database.ask(stored.of_user, user_id, limit=10 * MOST)

    async def scopes(self, user_id: int) -> list[ScopeRow]:
        """Projects that a token of an account may be limited to, by name."""
        return await self.database.ask(stored.scopes, user_id, limit=OFFERED)

    async def make(self, session: SessionRow, wish: Wish, *, address: str) -> Token:
        """Make a token, and tell its owner.

        Args:
            address: the network address they are at.

        Returns:
            the token, which is shown this once and never again.

        Raises:
            TooManyTokens: they have as many as they may have.
            NoSuchProject: they have no role in one of that name.
            Throttled: too many of late.
            SessionOver: the account is not in use any more.
        """
        await self.throttle.take(Act.TOKEN, account=str(session.user_id))
        token = tokens.make(self.random_bytes)
        wish = evolve(wish, description=one_line(wish.description, longest=LONGEST))
        await self.database.transact(_make, session, token, wish, address, now=self.now())
        return token

    async def revoke(self, by: Identity, token_id: str, *, address: str = "") -> None:
        """Let a token be good for nothing from now on.

        Args:
            by: its owner, or the operator at the command line.

        Raises:
            NoSuchToken: they have none of that id.
        """
        if not tokens.is_id(token_id):
            raise NoSuchToken()
        await self.database.transact(_revoke, by, token_id, address, now=self.now())

    async def report(self, texts: Sequence[str], *, address: str) -> None:
        """Revoke whatever among these is a token, since strangers have it; its owner is told.

        Nobody is told which of them are tokens.

        Args:
            texts: at most ``AT_ONCE``.
            address: the network address they are shown from.

        Raises:
            Throttled: too many reports of late.
        """
        await self.throttle.take(Act.REPORT, address=address)
        shown = {token.id: token for token in map(tokens.parse, texts[:AT_ONCE]) if token is not None}
        if shown:
            await self.database.transact(_report, shown, address, now=self.now())


def reach(project: str | None, *, is_read_only: bool) -> str:
    """What a token may do, in words that follow “It may”."""
    whose = project or "all your projects"
    return f"read {whose}" if is_read_only else f"publish and manage {whose}"


def is_idle(token: TokenLine, now: datetime) -> bool:
    """Whether a token was not used for so long that nobody may need it any more."""
    return now - (token.last_used or token.created) > IDLE


async def keep(
    cursor: Cursor, token: Token, wish: Wish, scope: ScopeRow | None, event: Event, *, now: datetime
) -> None:
    """Let a token be good from now on, for the account that the event happens to.

    Args:
        scope: the project the wish names.
        event: what is written of it, but for what it is about.
    """
    assert event.user_id is not None
    await stored.add(
        cursor,
        token_id=token.id,
        user_id=event.user_id,
        project_id=scope.id if scope else None,
        secret_sha256=token.digest,
        description=wish.description,
        is_read_only=wish.is_read_only,
        expires=None if wish.lifetime is None else now + wish.lifetime,
        now=now,
    )
    about = {
        "token": token.id,
        "description": wish.description,
        "project": scope.normalized if scope else None,
        "read_only": wish.is_read_only,
    }
    await audit.write(cursor, evolve(event, about=about), now=now)


async def _make(
    cursor: Cursor, session: SessionRow, token: Token, wish: Wish, address: str, *, now: datetime
) -> None:
    if session.is_partial or await emails.holder(cursor, session.user_id) is None:
        raise SessionOver()
    if await stored.count(cursor, session.user_id) >= MOST:
        raise TooManyTokens(MOST)
    scope = None
    if wish.project is not None:
        scope = await stored.scope(cursor, session.user_id, normalized=wish.project)
        if scope is None:
            raise NoSuchProject(wish.project)
    event = Event(kind=Kind.TOKEN_ADDED, user_id=session.user_id, actor=session.name, address=address)
    await keep(cursor, token, wish, scope, event, now=now)
    reaches = reach(scope.name if scope else None, is_read_only=wish.is_read_only)
    letter = TokenMade(user=session.name, token=wish.description, scope=reaches)
    await tell(cursor, session.user_id, letter, now=now)


async def _revoke(cursor: Cursor, by: Identity, token_id: str, address: str, *, now: datetime) -> None:
    held = [
        one for one in await stored.hold(cursor, [token_id]) if by.is_operator or one.user_id == by.user_id
    ]
    if not held:
        raise NoSuchToken()
    await stored.revoke(cursor, [token_id], now=now)
    reason = "operator" if by.is_operator else "owner"
    await audit.write(cursor, _revoked(held[0], by.name, address, reason), now=now)


async def _report(cursor: Cursor, shown: dict[str, Token], address: str, *, now: datetime) -> None:
    held = [
        one for one in await stored.hold(cursor, sorted(shown)) if shown[one.id].matches(one.secret_sha256)
    ]
    if not held:
        return
    await stored.revoke(cursor, [one.id for one in held], now=now)
    # Who shows it is nobody known; the account is the one it happens to.
    told = [_revoked(one, "", address, "reported") for one in held]
    await audit.write_all(cursor, told, now=now)
    for user_id in sorted({one.user_id for one in held}):
        names = ", ".join(one.description or one.id for one in held if one.user_id == user_id)
        await tell(cursor, user_id, TokenReported(user="", token=names), now=now)


def _revoked(token: HeldRow, actor: str, address: str, reason: str) -> Event:
    return Event(
        kind=Kind.TOKEN_REVOKED,
        user_id=token.user_id,
        actor=actor,
        address=address,
        about={"token": token.id, "description": token.description, "reason": reason},
    )
