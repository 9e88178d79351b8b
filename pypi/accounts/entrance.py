"""Signing in: from what somebody shows to a session, which owes the second factor where there is one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from attrs import field, frozen

from pypi.accounts import audit
from pypi.accounts.accounts import Accounts, is_usable
from pypi.accounts.audit import Event, Kind
from pypi.accounts.browsers import Browser
from pypi.accounts.confirming import Confirming
from pypi.accounts.errors import WrongCredentials
from pypi.accounts.even import refusing_evenly
from pypi.accounts.second_factor import SecondFactors
from pypi.accounts.sessions import Sessions, Started
from pypi.accounts.throttle import Act, Throttle
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import users
from pypi.domain.permissions import Credentials, Identity


@frozen(kw_only=True, eq=False)
class Entrance:
    """Begins sessions."""

    database: Database
    accounts: Accounts
    sessions: Sessions
    second_factors: SecondFactors
    confirming: Confirming
    throttle: Throttle
    now: Callable[[], datetime] = field(repr=False)
    reactor: Any = field(repr=False)

    async def by_password(self, name: str, password: str, browser: Browser) -> Started:
        """Sign in who knows a password.

        Raises:
            Throttled: too many wrong ones of late.
            WrongCredentials: which part of it is wrong, nobody is told, nor by how long it took.
        """
        asked = self.now()
        await self.throttle.take(Act.SIGN_IN, account=name, address=browser.address)
        looking = self._look(name, password, browser.address)
        identity = await refusing_evenly(self.reactor, looking, WrongCredentials)
        await self.throttle.give_back(Act.SIGN_IN, account=name, address=browser.address)
        assert identity.user_id is not None
        return await self.recognised(identity.user_id, by="password", asked=asked, browser=browser)

    async def _look(self, name: str, password: str, address: str) -> Identity:
        try:
            return await self.accounts.by_password(Credentials(name, password))
        except WrongCredentials:
            await self.database.transact(_failed, name, address, now=self.now())
            raise

    async def recognised(
        self, user_id: int, *, by: str, asked: datetime, browser: Browser, is_whole: bool = False
    ) -> Started:
        """Begin the session of somebody who was recognised.

        Args:
            by: what they were recognised by, for the security log.
            asked: when that was begun to be looked at.
            is_whole: whether what they showed stands for a second factor as well.

        Raises:
            WrongCredentials: the account is not active, or its password was changed in between.
        """
        factors = await self.second_factors.of(user_id)
        is_asked = not factors.is_set_up and await self.confirming.is_due(user_id, by, browser)
        started = await self.sessions.begin(
            user_id,
            asked=asked,
            by=by,
            address=browser.address,
            agent=browser.agent,
            is_partial=is_asked or (factors.is_set_up and not is_whole),
            second_factor=is_whole,
            instead_of=browser.session,
            browser=browser.known,
        )
        return await self.confirming.ask(started.session, by, browser) if is_asked else started


async def _failed(cursor: Cursor, name: str, address: str, *, now: datetime) -> None:
    """Note it in the log of the account; what else was typed may be a password, and is written nowhere."""
    row = await users.by_name(cursor, name) if is_usable(name) else None
    if row is not None:
        event = Event(
            kind=Kind.SIGN_IN_FAILED,
            user_id=row.id,
            actor=row.name,
            address=address,
            about={"reason": "password"},
        )
        await audit.write(cursor, event, now=now)
