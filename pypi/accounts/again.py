"""Proving once more that it is you, before an account is changed: a browser left open is not its owner."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

from attrs import frozen

from pypi.accounts import audit
from pypi.accounts.audit import Event, Kind
from pypi.accounts.errors import SessionOver
from pypi.accounts.owner import Owner
from pypi.accounts.passwords import Passwords
from pypi.accounts.second_factor import Need, SecondFactors
from pypi.accounts.throttle import Act, Throttle
from pypi.db.database import Database
from pypi.db.queries import emails
from pypi.db.queries.sessions import SessionRow
from pypi.domain.errors import Forbidden

LATELY = timedelta(minutes=15)
"""For how long a second factor that was shown, or a sign-in without a password, is proof enough."""


class Ask(Enum):
    """What proves that it is you."""

    NOTHING = "nothing"
    PASSWORD = "password"  # noqa: S105  # what is asked for
    FACTOR = "factor"
    SIGN_IN = "sign-in"


class NotAgain(Forbidden):
    """The password is another one."""

    def __str__(self) -> str:
        return "This is not your password."


class ProveFirst(Forbidden):
    """There is no password to ask for, and nothing else was shown lately."""

    def __str__(self) -> str:
        return "Prove first that it is you: show your second factor, or sign in again."


@frozen(kw_only=True, eq=False)
class Again:
    """Asks for proof, where there is none of late."""

    database: Database
    passwords: Passwords
    second_factors: SecondFactors
    throttle: Throttle
    now: Callable[[], datetime]

    async def asks(self, session: SessionRow) -> Ask:
        """What somebody has to show before going on."""
        return (await self._known(session))[0]

    def is_recent(self, session: SessionRow) -> bool:
        """Whether a second factor was shown in it of late."""
        return session.second_factor is not None and self.now() - session.second_factor <= LATELY

    async def check(self, session: SessionRow, password: str, *, address: str) -> None:
        """Make sure that it is them.

        Args:
            password: of the account, where that is asked for.
            address: the network address they are at.

        Raises:
            NotAgain: it is another one.
            ProveFirst: no password will do.
            Throttled: too many wrong ones.
            SessionOver: the account is not in use any more.
        """
        ask, hashed = await self._known(session)
        if ask is Ask.NOTHING:
            return
        if ask is not Ask.PASSWORD:
            raise ProveFirst()
        await self.throttle.take(Act.PASSWORD, account=str(session.user_id))
        if not await self.passwords.verify(hashed, password):
            await self.database.transact(audit.write, _failed(session, address), now=self.now())
            raise NotAgain()
        await self.throttle.give_back(Act.PASSWORD, account=str(session.user_id))

    async def _known(self, session: SessionRow) -> tuple[Ask, str | None]:
        """What is asked for, and what a password is compared with."""
        now = self.now()
        factors = await self.second_factors.of(session.user_id)
        shown = factors.need(session.second_factor, now=now, within=LATELY) is Need.NOTHING
        if factors.is_set_up and shown:
            return Ask.NOTHING, None
        holder = await self.database.ask(emails.by_id, session.user_id)
        if holder is None:
            raise SessionOver()
        if holder.password_hash is not None:
            return Ask.PASSWORD, holder.password_hash
        if factors.is_set_up:
            return Ask.FACTOR, None
        return Ask.NOTHING if now - session.created <= LATELY else Ask.SIGN_IN, None


def _failed(session: SessionRow, address: str) -> Event:
    return Owner.of(session, address).event(Kind.SIGN_IN_FAILED, reason="password asked for again")
