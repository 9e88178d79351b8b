"""Passkeys: keys of an authenticator that sign what this index asks, and only on its own pages.

A passkey stands in for a second factor or, since its user is verified each time, for the password as well.
Each challenge is remembered where it was asked, for five minutes, and is forgotten by the first answer,
whether that is right or not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING

from attrs import frozen
from twisted.internet.threads import deferToThread

from pypi.accounts import audit
from pypi.accounts.audit import Kind
from pypi.accounts.factor_errors import (
    CopiedPasskey,
    NoSuchPasskey,
    PasskeyKnown,
    PasskeysImpossible,
    StaleChallenge,
    TooManyPasskeys,
    UnusablePasskey,
    WrongPasskey,
)
from pypi.accounts.one_line import one_line
from pypi.accounts.owner import Owner, has_added
from pypi.accounts.relying import RelyingParty
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import passkeys as stored
from pypi.db.queries import second_factors
from pypi.db.queries.passkeys import PasskeyLine, PasskeyRow

if TYPE_CHECKING:
    from pypi.accounts.ceremonies import Claim, Known, Made

MOST = 20
"""Passkeys of one account."""

LIFETIME = timedelta(minutes=5)
"""How long an answer may take."""

_TO_MAKE, _TO_SHOW = b"\1", b"\2"
"""What a challenge is for: who may be asked to show a passkey has not proven yet that they may make one."""

_MAX_NAME = 100
_MAX_ID = 1023
_MAX_KEY = 4096


@frozen
class Shown:
    """A passkey that was just shown, and whose it is."""

    user_id: int
    user_name: str
    name: str


@frozen(kw_only=True, eq=False)
class Passkeys:
    """The passkeys of accounts.

    A session is named by its digest; so is the browser of somebody who has not signed in, by the digest of a
    secret in a cookie of its own. An answer counts only from where the question was asked.

    Attributes:
        site: this index; passkeys are good for no other.
    """

    database: Database
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    site: RelyingParty

    # --- one more of them -------------------------------------------------------------------------------

    async def ask_for_new(self, session: bytes, user_id: int, user_name: str) -> str:
        """What the browser of a session is asked to make a passkey, as JSON.

        Raises:
            TooManyPasskeys: the account has as many as it may have.
            StaleChallenge: the session is over.
            PasskeysImpossible: not at this address.
        """
        known = await self.database.ask(stored.of_user, user_id)
        if len(known) >= MOST:
            raise TooManyPasskeys(MOST)
        challenge = await self._ask(session, user_id, _TO_MAKE)
        asked: str = (await self._ceremonies()).creation(
            self.site, challenge=challenge, user_id=user_id, user_name=user_name, known=_known(known)
        )
        return asked

    async def add(self, session: bytes, owner: Owner, answer: str, *, name: str) -> None:
        """Give an account the passkey that its browser made.

        Args:
            answer: of the browser, as JSON.
            name: what its owner calls it.

        Raises:
            StaleChallenge: the session was asked nothing, too long ago, or answered already.
            UnusablePasskey: the answer is not what was asked for.
            PasskeyKnown: it belongs to an account already.
            TooManyPasskeys: the account has as many as it may have.
        """
        challenge = await self._taken(session, owner.user_id, _TO_MAKE)
        ceremonies = await self._ceremonies()
        try:
            made = ceremonies.made(self.site, answer, challenge=challenge)
        except ceremonies.Untrue:
            raise UnusablePasskey() from None
        if len(made.id) > _MAX_ID or len(made.public_key) > _MAX_KEY:
            raise UnusablePasskey()
        await self.database.transact(_add, owner, made, _tidy(name), self.now())

    # --- one of them shown --------------------------------------------------------------------------------

    async def ask_for_one(self, session: bytes, user_id: int) -> str:
        """What the browser of a session is asked to show a passkey of the account, as JSON.

        Raises:
            NoSuchPasskey: the account has none.
            StaleChallenge: the session is over.
            PasskeysImpossible: not at this address.
        """
        known = await self.database.ask(stored.of_user, user_id)
        if not known:
            raise NoSuchPasskey()
        challenge = await self._ask(session, user_id, _TO_SHOW)
        asked: str = (await self._ceremonies()).request(self.site, challenge=challenge, known=_known(known))
        return asked

    async def use(self, session: bytes, user_id: int, answer: str) -> Shown:
        """Accept a passkey of the account as its second factor.

        Raises:
            StaleChallenge: the session was asked nothing, too long ago, or answered already.
            WrongPasskey: the answer proves nothing of this account.
            CopiedPasskey: the passkey was used more often than this copy of it.
        """
        challenge = await self._taken(session, user_id, _TO_SHOW)
        return await self._proven(await self._claimed(answer), answer, challenge, user_id)

    async def ask_anybody(self, browser: bytes) -> str:
        """What the browser of somebody who has not signed in is asked, as JSON: any passkey it has for here.

        Each call leaves a row behind for five minutes: the callers see that nobody calls all the time.

        Raises:
            PasskeysImpossible: not at this address.
        """
        ceremonies = await self._ceremonies()
        now = self.now()
        challenge = _challenge(self.random_bytes, now + LIFETIME, _TO_SHOW)
        await self.database.transact(
            stored.ask_anybody, _key(browser, challenge), now=now, expires=now + LIFETIME
        )
        asked: str = ceremonies.request(self.site, challenge=challenge, known=())
        return asked

    async def sign_in(self, browser: bytes, answer: str) -> Shown:
        """Recognise somebody by a passkey alone; it counts as the second factor, too.

        Raises:
            StaleChallenge: that browser was not asked this, or too long ago, or answered already.
            WrongPasskey: the answer proves nothing, or its account is inactive.
            CopiedPasskey: the passkey was used more often than this copy of it.
        """
        claim = await self._claimed(answer)
        now = self.now()
        if not await self.database.transact(
            stored.take_from_anybody, _key(browser, claim.challenge), now=now
        ):
            raise StaleChallenge()
        if claim.user_id is None:
            raise WrongPasskey()
        return await self._proven(claim, answer, claim.challenge, claim.user_id)

    # --- all of them ----------------------------------------------------------------------------------------

    async def of(self, user_id: int) -> list[PasskeyLine]:
        """All passkeys of an account, oldest first."""
        return await self.database.ask(stored.lines, user_id)

    async def rename(self, owner: Owner, passkey: bytes, name: str) -> None:
        """Call a passkey something else.

        Raises:
            NoSuchPasskey: the account has no such one.
        """
        await self.database.transact(_rename, owner, passkey, _tidy(name), self.now())

    # --- how ------------------------------------------------------------------------------------------------

    async def _ask(self, session: bytes, user_id: int, purpose: bytes) -> bytes:
        await self._ceremonies()
        now = self.now()
        challenge = _challenge(self.random_bytes, now + LIFETIME, purpose)
        if not await self.database.transact(
            stored.ask_session, session, user_id=user_id, challenge=challenge, now=now
        ):
            raise StaleChallenge()
        return challenge

    async def _taken(self, session: bytes, user_id: int, purpose: bytes) -> bytes:
        # Committed before the answer is looked at: a wrong one uses the challenge up, too.
        now = self.now()
        challenge = await self.database.transact(stored.take_from_session, session, user_id=user_id, now=now)
        if challenge is None or _expires(challenge) <= now.timestamp() or _purpose(challenge) != purpose:
            raise StaleChallenge()
        return challenge

    async def _claimed(self, answer: str) -> Claim:
        ceremonies = await self._ceremonies()
        try:
            claim: Claim = ceremonies.claimed(answer)
        except ceremonies.Untrue:
            raise WrongPasskey() from None
        return claim

    async def _proven(self, claim: Claim, answer: str, challenge: bytes, user_id: int) -> Shown:
        ceremonies = await self._ceremonies()
        row = await self.database.ask(stored.by_id, claim.id)
        if row is None or row.user_id != user_id or claim.user_id not in (None, user_id):
            raise WrongPasskey()
        try:
            count = ceremonies.counted(self.site, answer, challenge=challenge, public_key=row.public_key)
        except ceremonies.Untrue:
            raise WrongPasskey() from None
        if not await self.database.transact(
            stored.mark_used, row.id, user_id=user_id, sign_count=count, now=self.now()
        ):
            raise CopiedPasskey(user_id, row.name)
        return Shown(user_id, row.user_name, row.name)

    async def _ceremonies(self) -> ModuleType:
        if not self.site.may_have_passkeys:
            raise PasskeysImpossible(self.site.origin)
        # Heavy, and not every worker ever sees a passkey. The first time takes 50 ms: in a thread, so that
        # readers need not wait. Ever after it gives the module there is.
        return await deferToThread(import_module, "pypi.accounts.ceremonies")


async def _add(cursor: Cursor, owner: Owner, made: Made, name: str, now: datetime) -> None:
    factors = await second_factors.locked(cursor, owner.user_id)
    if factors is None or factors.passkeys >= MOST:
        raise TooManyPasskeys(MOST)
    is_new = await stored.add(
        cursor,
        passkey=made.id,
        user_id=owner.user_id,
        public_key=made.public_key,
        sign_count=made.sign_count,
        name=name,
        transports=made.transports,
        now=now,
    )
    if not is_new:
        raise PasskeyKnown()
    await has_added(cursor, owner, Kind.PASSKEY_ADDED, f"passkey “{name}”", now=now, name=name)


async def _rename(cursor: Cursor, owner: Owner, passkey: bytes, name: str, now: datetime) -> None:
    if not await stored.rename(cursor, passkey, user_id=owner.user_id, name=name):
        raise NoSuchPasskey()
    await audit.write(cursor, owner.event(Kind.PASSKEY_RENAMED, name=name), now=now)


def _known(rows: Sequence[PasskeyRow]) -> list[Known]:
    from pypi.accounts.ceremonies import Known

    return [Known(row.id, row.transports) for row in rows]


def _challenge(random_bytes: Callable[[int], bytes], expires: datetime, purpose: bytes) -> bytes:
    """32 bytes: what it is for, the second from which it is too late, and 192 random bits."""
    return purpose + int(expires.timestamp()).to_bytes(7, "big") + random_bytes(24)


def _purpose(challenge: bytes) -> bytes:
    return challenge[:1]


def _expires(challenge: bytes) -> int:
    return int.from_bytes(challenge[1:8], "big")


def _key(browser: bytes, challenge: bytes) -> str:
    return f"passkey/{hashlib.sha256(browser + challenge).hexdigest()}"


def _tidy(name: str) -> str:
    return one_line(name, longest=_MAX_NAME) or "Passkey"
