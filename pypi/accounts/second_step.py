"""The second step of signing in: a code, or a passkey; and passkeys that stand in for both steps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import field, frozen

from pypi.accounts import audit
from pypi.accounts.audit import Event, Kind
from pypi.accounts.browsers import Browser
from pypi.accounts.confirming import Confirming
from pypi.accounts.entrance import Entrance
from pypi.accounts.errors import SessionOver
from pypi.accounts.factor_errors import CopiedPasskey, WrongCode, WrongPasskey
from pypi.accounts.passkeys import Passkeys
from pypi.accounts.second_factor import Factor, Factors, SecondFactors, use_code_of
from pypi.accounts.sessions import Sessions, Started
from pypi.accounts.throttle import Act, Throttle
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import second_factors as stored
from pypi.db.queries.sessions import SessionRow

PASSKEY = "passkey"


@frozen(kw_only=True, eq=False)
class SecondStep:
    """Makes sessions whole, and begins whole ones."""

    database: Database
    entrance: Entrance
    sessions: Sessions
    second_factors: SecondFactors
    passkeys: Passkeys
    confirming: Confirming
    throttle: Throttle
    now: Callable[[], datetime] = field(repr=False)

    async def factors(self, session: SessionRow) -> Factors:
        """Which second factors its owner has."""
        return await self.second_factors.of(session.user_id)

    async def by_code(self, session: SessionRow, code: str, browser: Browser) -> Started:
        """Accept a code of the app, or for recovery.

        Returns:
            the session; one that waits for a letter to be answered, where the browser is a new one.

        Raises:
            WrongCode: it is neither, or was used.
            Throttled: too many wrong ones of late, or too many letters.
            SessionOver: the session was ended in the meantime.
        """
        account = str(session.user_id)
        await self.throttle.take(Act.SECOND_FACTOR, account=account, address=browser.address)
        try:
            factor = await self.database.transact(_use, session, code, browser.address, now=self.now())
        except WrongCode:
            await self._note(session.user_id, session.name, browser.address, "code")
            raise
        await self.throttle.give_back(Act.SECOND_FACTOR, account=account, address=browser.address)
        if session.is_partial and await self.confirming.is_due(session.user_id, factor.value, browser):
            return await self.confirming.ask(session, factor.value, browser)
        return await self._whole(session, factor.value, browser)

    async def ask_passkey(self, session: SessionRow, *, address: str) -> str:
        """What the browser is asked to show a passkey of the account, as JSON.

        Raises:
            Throttled: too often.
            NoSuchPasskey, StaleChallenge, PasskeysImpossible: it cannot be asked.
        """
        await self.throttle.take(Act.PASSKEY, address=address)
        return await self.passkeys.ask_for_one(session.digest, session.user_id)

    async def by_passkey(self, session: SessionRow, answer: str, browser: Browser) -> Started:
        """Accept a passkey of the account.

        Raises:
            StaleChallenge, WrongPasskey, CopiedPasskey: it proves nothing.
            SessionOver: the session was ended in the meantime.
        """
        try:
            await self.passkeys.use(session.digest, session.user_id, answer)
        except WrongPasskey as error:
            await self._note(session.user_id, session.name, browser.address, _method(error))
            raise
        return await self._whole(session, PASSKEY, browser)

    async def ask_anybody(self, visit: bytes, *, address: str) -> str:
        """What the browser of somebody who has not signed in is asked, as JSON.

        Raises:
            Throttled: too often.
            PasskeysImpossible: not at this address.
        """
        await self.throttle.take(Act.PASSKEY, address=address)
        return await self.passkeys.ask_anybody(visit)

    async def recognise(self, visit: bytes, answer: str, browser: Browser) -> Started:
        """Sign in who has a passkey, whoever that is.

        Raises:
            StaleChallenge, WrongPasskey, CopiedPasskey: it proves nothing.
            Throttled: too many wrong ones.
            WrongCredentials: the account is not active any longer.
        """
        asked = self.now()
        await self.throttle.take(Act.PASSKEY, address=browser.address)
        try:
            shown = await self.passkeys.sign_in(visit, answer)
        except CopiedPasskey as error:
            await self._note(error.user_id, "", browser.address, _method(error))
            raise
        return await self.entrance.recognised(
            shown.user_id, by=PASSKEY, asked=asked, browser=browser, is_whole=True
        )

    async def leave(self, session: SessionRow, *, address: str) -> None:
        """Sign out who cannot show it."""
        await self.sessions.end(session, address=address)

    async def _whole(self, session: SessionRow, by: str, browser: Browser) -> Started:
        return await self.sessions.rotate(
            session, second_factor=by, address=browser.address, agent=browser.agent, browser=browser.known
        )

    async def _note(self, user_id: int, actor: str, address: str, method: str) -> None:
        event = Event(
            kind=Kind.SECOND_FACTOR_FAILED,
            user_id=user_id,
            actor=actor,
            address=address,
            about={"method": method},
        )
        await self.database.transact(audit.write, event, now=self.now())


async def _use(cursor: Cursor, session: SessionRow, code: str, address: str, *, now: datetime) -> Factor:
    factor = await use_code_of(cursor, session.user_id, code, now)
    if factor is not Factor.RECOVERY_CODE:
        return factor
    have = await stored.of_user(cursor, session.user_id)
    if have is None:
        raise SessionOver()
    event = Event(
        kind=Kind.RECOVERY_USED,
        user_id=session.user_id,
        actor=session.name,
        address=address,
        about={"left": have.recovery_codes},
    )
    await audit.write(cursor, event, now=now)
    return factor


def _method(error: WrongPasskey) -> str:
    return "copied passkey" if isinstance(error, CopiedPasskey) else PASSKEY
