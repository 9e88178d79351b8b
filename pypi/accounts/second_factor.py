"""Second factors: which an account has, what it owes now, and which of them may go."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum

from attrs import frozen

from pypi.accounts import recovery, totp
from pypi.accounts.audit import Kind
from pypi.accounts.errors import NoSuchUser
from pypi.accounts.factor_errors import LastFactor, NoSuchPasskey, NoTotp
from pypi.accounts.owner import Owner, has_removed
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import passkeys, recovery_codes, second_factors
from pypi.db.queries import totp as stored_totp
from pypi.db.queries.second_factors import FactorsRow


class Factor(Enum):
    """What somebody shows besides a password."""

    TOTP = "authenticator app"
    PASSKEY = "passkey"
    RECOVERY_CODE = "recovery code"


class Need(Enum):
    """What somebody has to do before going on."""

    NOTHING = "nothing"
    SHOW = "show a second factor"
    SET_UP = "set up a second factor"


@frozen
class Factors:
    """Which second factors an account has.

    Attributes:
        is_required: whether it must have one, since it runs the index.
        totp: whether an authenticator app is in use.
        recovery_codes: how many are unused; they stand in for the others, and are no factor alone.
    """

    is_required: bool
    totp: bool
    passkeys: int
    recovery_codes: int

    @property
    def usable(self) -> frozenset[Factor]:
        """What will do now."""
        have = {
            Factor.TOTP: self.totp,
            Factor.PASSKEY: self.passkeys > 0,
            Factor.RECOVERY_CODE: self.recovery_codes > 0 and self.is_set_up,
        }
        return frozenset(factor for factor, is_there in have.items() if is_there)

    @property
    def is_set_up(self) -> bool:
        """Whether a password alone does not sign in."""
        return self.totp or self.passkeys > 0

    def need(self, shown: datetime | None, *, now: datetime, within: timedelta | None = None) -> Need:
        """What a session owes.

        Args:
            shown: when a second factor was last shown in it, ``None`` for never.
            within: how recent that has to be, for what is dangerous; ``None`` where once is enough.
        """
        if not self.is_set_up:
            return Need.SET_UP if self.is_required else Need.NOTHING
        if shown is None or (within is not None and now - shown > within):
            return Need.SHOW
        return Need.NOTHING


@frozen(kw_only=True, eq=False)
class SecondFactors:
    """The second factors of accounts, whatever they are; each kind is set up in a module of its own."""

    database: Database
    now: Callable[[], datetime]

    async def of(self, user_id: int) -> Factors:
        """Which an account has.

        Raises:
            NoSuchUser: there is no such account.
        """
        return _factors(await self.database.ask(second_factors.of_user, user_id), user_id)

    async def use_code(self, user_id: int, code: str) -> Factor:
        """Accept a code, be it of the authenticator app or for recovery; it is used up by it.

        Raises:
            WrongCode: it is neither, or was used.
        """
        return await self.database.transact(use_code_of, user_id, code, self.now())

    async def remove_totp(self, owner: Owner) -> None:
        """Remove the authenticator app, or what was begun of one.

        Raises:
            LastFactor: nothing would be left of what the account must have.
            NoTotp: there is none.
        """
        await self.database.transact(_remove_totp, owner, now=self.now())

    async def remove_passkey(self, owner: Owner, passkey: bytes) -> None:
        """Remove a passkey.

        Raises:
            LastFactor: nothing would be left of what the account must have.
            NoSuchPasskey: the account has no such one.
        """
        await self.database.transact(_remove_passkey, owner, passkey, now=self.now())


async def use_code_of(cursor: Cursor, user_id: int, code: str, now: datetime) -> Factor:
    """``SecondFactors.use_code`` within a transaction of the caller's.

    Raises:
        WrongCode: see there.
    """
    # The two have nothing in common but their field in a form: six digits, or sixteen letters.
    if recovery.normalize(code) is None:
        await totp.use(cursor, user_id, code, now)
        return Factor.TOTP
    await recovery.use(cursor, user_id, code, now)
    return Factor.RECOVERY_CODE


async def _remove_totp(cursor: Cursor, owner: Owner, *, now: datetime) -> None:
    user_id = owner.user_id
    before = await _locked(cursor, user_id)
    if before.totp:
        await _take_leave(cursor, user_id, is_last=not before.passkeys, before=before)
    if not await stored_totp.remove(cursor, user_id):
        raise NoTotp()
    if before.totp:  # of one that was only begun nobody was told, either
        await has_removed(cursor, owner, Kind.TOTP_REMOVED, "authenticator app", now=now)


async def _remove_passkey(cursor: Cursor, owner: Owner, passkey: bytes, *, now: datetime) -> None:
    user_id = owner.user_id
    before = await _locked(cursor, user_id)
    name = next((one.name for one in await passkeys.lines(cursor, user_id) if one.id == passkey), None)
    if name is None:
        raise NoSuchPasskey()
    await passkeys.remove(cursor, passkey, user_id=user_id)
    await _take_leave(cursor, user_id, is_last=before.passkeys == 1 and not before.totp, before=before)
    await has_removed(cursor, owner, Kind.PASSKEY_REMOVED, f"passkey “{name}”", now=now, name=name)


async def _take_leave(cursor: Cursor, user_id: int, *, is_last: bool, before: Factors) -> None:
    if is_last and before.is_required:
        raise LastFactor()
    if is_last:
        await recovery_codes.forget(cursor, user_id)


async def remove_all_of(cursor: Cursor, user_id: int) -> bool:
    """Remove all second factors of an account, with the codes that stand in for them.

    Returns:
        whether there were any.

    Raises:
        NoSuchUser: there is no such account.
    """
    before = await _locked(cursor, user_id)
    await stored_totp.remove(cursor, user_id)
    await passkeys.remove_all(cursor, user_id=user_id)
    await recovery_codes.forget(cursor, user_id)
    return before.is_set_up


async def _locked(cursor: Cursor, user_id: int) -> Factors:
    # Two who each remove one of two factors at once would otherwise both find the other one left.
    return _factors(await second_factors.locked(cursor, user_id), user_id)


def _factors(row: FactorsRow | None, user_id: int) -> Factors:
    if row is None:
        raise NoSuchUser(f"#{user_id}")
    return Factors(row.is_admin, row.totp, row.passkeys, row.recovery_codes)
