"""Second factors together: what is owed, which codes do, and which factor may go."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

import pytest
from twisted.internet.defer import Deferred, gatherResults

from pypi.accounts.errors import NoSuchUser
from pypi.accounts.factor_errors import LastFactor, NoSuchPasskey, NoTotp, WrongCode
from pypi.accounts.recovery import COUNT, RecoveryCodes
from pypi.accounts.second_factor import Factor, Factors, Need, SecondFactors, remove_all_of
from pypi.domain.errors import Refusal
from tests.accounts.conftest import Kept, owner
from tests.accounts.test_totp import account, set_up, totp_of
from tests.support.databases import ask

NOW = datetime(2026, 5, 1, tzinfo=UTC)
KEY, OTHER = b"key", b"other key"


def factors_of(kept: Kept) -> SecondFactors:
    return SecondFactors(database=kept.accounts.database, now=kept.clock.now)


async def recovery_codes(kept: Kept, user_id: int) -> list[str]:
    codes = RecoveryCodes(
        database=kept.accounts.database, now=kept.clock.now, random_bytes=secrets.token_bytes
    )
    return await codes.renew(owner(user_id))


def with_passkey(kept: Kept, user_id: int, passkey: bytes = KEY) -> None:
    ask(
        kept.url,
        "INSERT INTO passkeys (id, user_id, public_key, created) "
        f"VALUES ('\\x{passkey.hex()}', {user_id}, '', '2026-01-01')",
    )


def as_operator(kept: Kept) -> None:
    ask(kept.url, "UPDATE users SET is_admin = true")


async def refusal(asking: Awaitable[object]) -> str:
    """Its type, or nothing."""
    try:
        await asking
    except Refusal as refused:
        return type(refused).__name__
    return ""


# Owed


def test_owed_without_any() -> None:
    """Who has no second factor owes none, but for operators, who have to set one up."""
    for shown in (None, NOW):
        assert Factors(False, False, 0, 0).need(shown, now=NOW) is Need.NOTHING
        assert Factors(True, False, 0, COUNT).need(shown, now=NOW) is Need.SET_UP


@pytest.mark.parametrize("factors", [Factors(False, True, 0, 0), Factors(True, False, 1, 0)])
def test_owed(factors: Factors) -> None:
    """Who has one shows it once in a session, and again before what is dangerous."""
    recent = timedelta(minutes=10)
    assert factors.need(None, now=NOW) is Need.SHOW
    assert factors.need(NOW - timedelta(days=5), now=NOW) is Need.NOTHING
    assert factors.need(NOW - recent, now=NOW, within=recent) is Need.NOTHING
    assert factors.need(NOW - recent - timedelta(seconds=1), now=NOW, within=recent) is Need.SHOW


def test_usable() -> None:
    """What will do is what there is; recovery codes alone are no factor."""
    assert Factors(False, False, 0, COUNT).usable == frozenset()
    assert Factors(False, True, 0, 0).usable == {Factor.TOTP}
    assert Factors(False, True, 2, 1).usable == set(Factor)


async def test_counted(kept: Kept) -> None:
    """What counts is what is in use: no app that is being set up, no recovery code that was used."""
    ada, bob = await account(kept), await account(kept, "bob")
    await totp_of(kept).begin(ada, "ada")
    assert await factors_of(kept).of(ada) == Factors(False, False, 0, 0)
    with_passkey(kept, ada)
    [code, *_] = await recovery_codes(kept, ada)
    assert await factors_of(kept).of(ada) == Factors(False, False, 1, COUNT)
    assert await factors_of(kept).use_code(ada, code) is Factor.RECOVERY_CODE
    assert await factors_of(kept).of(ada) == Factors(False, False, 1, COUNT - 1)
    assert await factors_of(kept).of(bob) == Factors(False, False, 0, 0)
    with pytest.raises(NoSuchUser):
        await factors_of(kept).of(10**9)


# Shown


async def test_codes(kept: Kept) -> None:
    """One field takes codes of the app and recovery codes, each once."""
    user_id = await account(kept)
    app = await set_up(kept, user_id)
    [recovery, *_] = await recovery_codes(kept, user_id)
    factors, code = factors_of(kept), app.at(kept.clock.time)
    assert await factors.use_code(user_id, code) is Factor.TOTP
    assert await factors.use_code(user_id, f" {recovery.upper()} ") is Factor.RECOVERY_CODE
    for again in (code, recovery, "", "000000x", "x" * 10_000, "\0"):
        with pytest.raises(WrongCode):
            await factors.use_code(user_id, again)


# Removed


async def test_removed(kept: Kept) -> None:
    """Factors may go, and with the last of them the recovery codes."""
    user_id = await account(kept)
    await set_up(kept, user_id)
    with_passkey(kept, user_id)
    await recovery_codes(kept, user_id)
    factors = factors_of(kept)
    await factors.remove_totp(owner(user_id))
    assert await factors.of(user_id) == Factors(False, False, 1, COUNT)
    await factors.remove_passkey(owner(user_id), KEY)
    assert await factors.of(user_id) == Factors(False, False, 0, 0)
    assert await refusal(factors.remove_totp(owner(user_id))) == "NoTotp"
    assert await refusal(factors.remove_passkey(owner(user_id), KEY)) == "NoSuchPasskey"


async def test_removed_while_set_up(kept: Kept) -> None:
    """What was begun of an app may go, and takes nothing with it."""
    user_id = await account(kept)
    as_operator(kept)
    with_passkey(kept, user_id)
    await recovery_codes(kept, user_id)
    await totp_of(kept).begin(user_id, "ada")
    await factors_of(kept).remove_totp(owner(user_id))
    assert await factors_of(kept).of(user_id) == Factors(True, False, 1, COUNT)
    with pytest.raises(NoTotp):
        await totp_of(kept).pending(user_id, "ada")


async def test_of_another(kept: Kept) -> None:
    """Nobody removes a factor of somebody else."""
    ada, bob = await account(kept), await account(kept, "bob")
    with_passkey(kept, ada)
    with pytest.raises(NoSuchPasskey):
        await factors_of(kept).remove_passkey(owner(bob), KEY)
    assert (await factors_of(kept).of(ada)).passkeys == 1


async def test_operators_keep_one(kept: Kept) -> None:
    """An operator keeps the last factor, whichever it is, and all that belongs to it."""
    user_id = await account(kept)
    app = await set_up(kept, user_id)
    as_operator(kept)
    with_passkey(kept, user_id)
    await recovery_codes(kept, user_id)
    factors = factors_of(kept)
    await factors.remove_passkey(owner(user_id), KEY)
    with pytest.raises(LastFactor):
        await factors.remove_totp(owner(user_id))
    assert await factors.use_code(user_id, app.at(kept.clock.time)) is Factor.TOTP
    with_passkey(kept, user_id)
    await factors.remove_totp(owner(user_id))
    with pytest.raises(LastFactor):
        await factors.remove_passkey(owner(user_id), KEY)
    assert await factors.of(user_id) == Factors(True, False, 1, COUNT)


async def test_race_for_the_last(kept: Kept) -> None:
    """An operator who removes all factors at once keeps one."""
    user_id = await account(kept)
    await set_up(kept, user_id)
    as_operator(kept)
    with_passkey(kept, user_id)
    with_passkey(kept, user_id, OTHER)
    factors = factors_of(kept)
    tries = [
        factors.remove_totp(owner(user_id)),
        factors.remove_passkey(owner(user_id), KEY),
        factors.remove_passkey(owner(user_id), OTHER),
    ]
    told = await gatherResults([Deferred.fromCoroutine(refusal(one)) for one in tries])
    assert sorted(told) == ["", "", "LastFactor"]
    assert (await factors.of(user_id)).is_set_up


async def test_all_removed(kept: Kept) -> None:
    """Somebody who lost everything starts afresh, an operator too; nobody else loses anything."""
    ada, bob = await account(kept), await account(kept, "bob")
    as_operator(kept)
    await set_up(kept, ada)
    with_passkey(kept, ada)
    with_passkey(kept, bob, OTHER)
    await recovery_codes(kept, ada)
    assert await kept.accounts.database.transact(remove_all_of, ada)
    assert not await kept.accounts.database.transact(remove_all_of, ada)
    assert await factors_of(kept).of(ada) == Factors(True, False, 0, 0)
    assert await factors_of(kept).of(bob) == Factors(True, False, 1, 0)
    assert (await factors_of(kept).of(ada)).need(NOW, now=NOW) is Need.SET_UP
