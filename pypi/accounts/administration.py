"""What those who run the index do to accounts, and see of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from attrs import field, frozen

from pypi.accounts import audit, browsers, shown
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import NoSuchUser
from pypi.accounts.mailed import tell
from pypi.accounts.second_factor import remove_all_of
from pypi.accounts.sessions import Sessions
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import operators, sessions
from pypi.db.queries.operators import AccountLine, Counts
from pypi.domain.errors import Conflict
from pypi.domain.permissions import Identity
from pypi.mail.letters import FactorsRemoved

PAGE = 50
"""Accounts on a page."""

LATELY = timedelta(days=30)

LONGEST_REASON = 400
"""Characters."""


class LastOperator(Conflict):
    """Somebody has to run the index."""

    def __str__(self) -> str:
        return "This is the last account that runs the index. Give another one that first."


class NotYourself(Conflict):
    """Nobody locks themselves out by a slip."""

    def __str__(self) -> str:
        return "This is your own account. Another operator can do this to it."


@frozen(kw_only=True)
class Act:
    """Who does something to whose account, and why.

    Attributes:
        by: an operator, on a page or at the command line.
        name: of the account.
        address: the network address it is done from.
        reason: for the log.
    """

    by: Identity
    name: str
    address: str = ""
    reason: str = ""


@frozen(kw_only=True, eq=False)
class Administration:
    """Looks after accounts."""

    database: Database
    sessions: Sessions
    now: Callable[[], datetime] = field(repr=False)

    async def look_for(
        self, words: str = "", *, page: int = 1, only_operators: bool = False
    ) -> Sequence[AccountLine]:
        """Accounts by name, one more than ``PAGE`` where there are more.

        Args:
            words: what their name or one of their addresses contains.
        """
        return await self.database.ask(
            operators.found,
            words=words.strip().lower(),
            only_operators=only_operators,
            offset=(page - 1) * PAGE,
            limit=PAGE + 1,
        )

    async def look_at(self, name: str) -> AccountLine:
        """One account.

        Raises:
            NoSuchUser: there is none of that name.
        """
        found = await self.database.ask(operators.named, name)
        if found is None:
            raise NoSuchUser(name)
        return found

    async def counts(self) -> Counts:
        """How many accounts there are."""
        return await self.database.ask(operators.counts, since=self.now() - LATELY)

    async def disable(self, act: Act) -> None:
        """Sign an account out everywhere, and let nobody use it, nor any of its tokens.

        Raises:
            NoSuchUser: there is none.
            NotYourself, LastOperator: it is needed.
        """
        await self.sessions.forget(await self.database.transact(_disable, act, now=self.now()))

    async def enable(self, act: Act) -> None:
        """Let an account be used again."""
        await self.database.transact(_enable, act, now=self.now())

    async def give_admin(self, act: Act) -> None:
        """Let an account run the index; it does so once it has a second factor."""
        await self.sessions.forget(await self.database.transact(_give_admin, act, now=self.now()))

    async def take_admin(self, act: Act) -> None:
        """Let an account run the index no longer.

        Raises:
            NoSuchUser: there is none.
            NotYourself, LastOperator: it is needed.
        """
        await self.sessions.forget(await self.database.transact(_take_admin, act, now=self.now()))

    async def end_sessions(self, act: Act) -> int:
        """Sign an account out everywhere; out of how many browsers."""
        ended = await self.database.transact(_end_sessions, act, now=self.now())
        await self.sessions.forget(ended)
        return len(ended)

    async def remove_factors(self, act: Act) -> None:
        """Let somebody in by the password alone who has lost all second factors; they are told by mail.

        Raises:
            NoSuchUser: there is none.
            NotYourself: whoever is here has not lost theirs.
        """
        await self.sessions.forget(await self.database.transact(_remove_factors, act, now=self.now()))


async def _of(cursor: Cursor, act: Act) -> AccountLine:
    found = await operators.named(cursor, act.name)
    if found is None:
        raise NoSuchUser(act.name)
    return found


async def _spared(cursor: Cursor, act: Act) -> AccountLine:
    """The account, if the index does without it as an operator."""
    found = await _of(cursor, act)
    if found.id == act.by.user_id:
        raise NotYourself()
    if await operators.operators(cursor) == {found.id}:
        raise LastOperator()
    return found


async def _note(cursor: Cursor, act: Act, account: AccountLine, kind: Kind, now: datetime) -> None:
    about = {name: act.reason for name in kind.about if name == "reason"}
    event = Event(kind=kind, user_id=account.id, actor=act.by.name, address=act.address, about=about)
    await audit.write(cursor, event, now=now)


async def _disable(cursor: Cursor, act: Act, *, now: datetime) -> list[bytes]:
    account = await _spared(cursor, act)
    if await operators.set_active(cursor, account.id, is_active=False):
        await _note(cursor, act, account, Kind.ACCOUNT_DISABLED, now)
    ended = await sessions.end_all(cursor, user_id=account.id)
    await shown.changed(cursor, account.name, now=now)
    return ended


async def _enable(cursor: Cursor, act: Act, *, now: datetime) -> None:
    account = await _of(cursor, act)
    if await operators.set_active(cursor, account.id, is_active=True):
        await _note(cursor, act, account, Kind.ACCOUNT_ENABLED, now)


async def _give_admin(cursor: Cursor, act: Act, *, now: datetime) -> list[bytes]:
    account = await _of(cursor, act)
    if await operators.set_admin(cursor, account.id, is_admin=True):
        await _note(cursor, act, account, Kind.ADMIN_GIVEN, now)
    # Signed in anew, since a session that may do more is another one.
    return await sessions.end_all(cursor, user_id=account.id)


async def _take_admin(cursor: Cursor, act: Act, *, now: datetime) -> list[bytes]:
    account = await _spared(cursor, act)
    if await operators.set_admin(cursor, account.id, is_admin=False):
        await _note(cursor, act, account, Kind.ADMIN_TAKEN, now)
    return await sessions.end_all(cursor, user_id=account.id)


async def _end_sessions(cursor: Cursor, act: Act, *, now: datetime) -> list[bytes]:
    account = await _of(cursor, act)
    ended = await sessions.end_all(cursor, user_id=account.id)
    await browsers.forget(cursor, account.id)
    event = Event(
        kind=Kind.SESSIONS_ENDED,
        user_id=account.id,
        actor=act.by.name,
        address=act.address,
        about={"count": len(ended)},
    )
    await audit.write(cursor, event, now=now)
    return ended


async def _remove_factors(cursor: Cursor, act: Act, *, now: datetime) -> list[bytes]:
    account = await _of(cursor, act)
    if account.id == act.by.user_id:
        raise NotYourself()
    if await remove_all_of(cursor, account.id):
        await tell(cursor, account.id, FactorsRemoved(user=account.name), now=now)
    await _note(cursor, act, account, Kind.FACTORS_REMOVED, now)
    return await sessions.end_all(cursor, user_id=account.id)
