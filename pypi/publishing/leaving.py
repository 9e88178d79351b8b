"""Leaving for good: an account is deleted by its owner, once nothing needs it; what it published stays.

Its name is given to nobody else, who would be taken for who had it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.accounts import audit
from pypi.accounts.administration import LastOperator
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import SessionOver
from pypi.accounts.sessions import Sessions
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import emails, leaving, operators, projects, roles
from pypi.db.queries import sessions as stored_sessions
from pypi.db.queries.leaving import HeldRow
from pypi.db.queries.sessions import SessionRow
from pypi.domain.changes import AccountChanged, Change, RoleRemoved
from pypi.domain.errors import Conflict, Invalid
from pypi.domain.permissions import Identity
from pypi.mail import letters
from pypi.publishing import record
from pypi.publishing.record import Recorded
from pypi.publishing.told import Act, conclude, tell


@frozen
class NotTyped(Invalid):
    """What was typed is not the account's name."""

    name: str

    def __str__(self) -> str:
        return f"Type {self.name} to delete this account."


@frozen
class StillNeeded(Conflict):
    """Projects would be without an owner."""

    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"You alone own {', '.join(self.names)}. Give them to somebody else, or delete them, first."


class Overtaken(Conflict):
    """The account was given something while it was deleted."""

    def __str__(self) -> str:
        return "Your roles changed just now. Look at them, and try again."


@frozen(kw_only=True, eq=False)
class Leaving:
    """Deletes accounts.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards.
    """

    database: Database
    sessions: Sessions
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)

    async def held(self, user_id: int) -> list[HeldRow]:
        """What an account has a role in."""
        return await self.database.ask(leaving.held, user_id)

    async def delete(self, session: SessionRow, typed: str, *, address: str) -> None:
        """Delete the account that is signed in: its sessions, tokens, addresses and roles go with it.

        Args:
            typed: its name once more.
            address: the network address it is done from.

        Raises:
            NotTyped: that is not its name.
            StillNeeded: it is the only owner of projects.
            LastOperator: nobody else runs the index.
            SessionOver: it was ended in the meantime.
            Overtaken: its roles changed meanwhile.
        """
        if typed.strip() != session.name:
            raise NotTyped(session.name)
        act = Act(
            identity=Identity(user_id=session.user_id, name=session.name), now=self.now(), address=address
        )
        ended, done = await self.database.transact(_delete, act, session)
        await self.sessions.forget(ended)
        await self.announce(done.serial, done.tags)


async def _delete(cursor: Cursor, act: Act, session: SessionRow) -> tuple[list[bytes], Recorded]:
    """The digests of the sessions that ended, and what became of it."""
    user_id = session.user_id
    held = await _given_up(cursor, session)
    if session.is_admin and await operators.operators(cursor) == {user_id}:
        raise LastOperator()
    await tell(cursor, [user_id], letters.AccountDeleted(user=""), now=act.now)
    ended = await stored_sessions.end_all(cursor, user_id=user_id)
    for one in held:
        await roles.remove(cursor, project_id=one.id, user_id=user_id)
    event = Event(
        kind=Kind.ACCOUNT_DELETED,
        user_id=None,
        actor=session.name,
        address=act.address,
        about={"name": session.name},
    )
    await audit.write(cursor, event, now=act.now)
    told = [_left(one, act) for one in held]
    gone = AccountChanged(users=(session.name,))
    await leaving.delete(cursor, user_id, now=act.now)
    if not told:
        return ended, await record.conclude(cursor, [gone], now=act.now)
    return ended, await conclude(cursor, act, *told, also=[gone])


async def _given_up(cursor: Cursor, session: SessionRow) -> list[HeldRow]:
    """What the account has a role in, and may leave; nobody changes that until the transaction ends."""
    before = await leaving.held(cursor, session.user_id)
    for one in before:
        await projects.locked(cursor, one.normalized)
    await leaving.lock(cursor, session.user_id)
    if await emails.by_id(cursor, session.user_id) is None:
        raise SessionOver()
    if await stored_sessions.by_digest(cursor, session.digest) is None:
        raise SessionOver()
    held = await leaving.held(cursor, session.user_id)
    if [one.id for one in held] != [one.id for one in before]:
        raise Overtaken()
    if alone := tuple(one.name for one in held if one.is_alone):
        raise StillNeeded(alone)
    return held


def _left(held: HeldRow, act: Act) -> tuple[Change, Event]:
    name = act.identity.name
    change = RoleRemoved(project=held.normalized, name=held.name, actor=name, role=held.role, user=name)
    return change, act.event(Kind.ROLE_TAKEN, held.normalized, user=name, role=held.role)
