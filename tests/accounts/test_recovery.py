"""Recovery codes: shown once, good once."""

from __future__ import annotations

import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, gatherResults

from pypi.accounts.factor_errors import NoFactorYet, WrongCode
from pypi.accounts.recovery import COUNT, SIZE, RecoveryCodes, digest, make, normalize
from tests.accounts.conftest import Kept, owner
from tests.accounts.test_totp import account, set_up
from tests.support.databases import ask


def codes_of(kept: Kept) -> RecoveryCodes:
    return RecoveryCodes(
        database=kept.accounts.database, now=kept.clock.now, random_bytes=secrets.token_bytes
    )


async def accepted(kept: Kept, user_id: int, code: str) -> bool:
    """Whether a code is."""
    try:
        await codes_of(kept).use(user_id, code)
    except WrongCode:
        return False
    return True


@given(st.binary(min_size=SIZE, max_size=SIZE))
def test_as_people_type_them(random: bytes) -> None:
    """Strokes, blanks and capitals do not matter, nor 0 for o, 1 for l and 8 for b."""
    code = make(lambda size: random)
    assert len(code) == 19
    for typed in (code, code.upper(), f" {code.replace('-', '')} ", code.replace("-", " - ")):
        assert digest(typed) == digest(code)
    assert digest(code.replace("o", "0").replace("l", "1").replace("b", "8")) == digest(code)


@given(st.text(max_size=80))
def test_what_is_no_code(text: str) -> None:
    """Whatever cannot be a code is none, and is nothing worse."""
    bare = normalize(text)
    assert bare is None or (len(bare) == 16 and bare.isascii())


async def test_each_good_once(kept: Kept) -> None:
    """Each of the ten codes is good once; of them all, nothing but digests is stored."""
    user_id = await account(kept)
    await set_up(kept, user_id)
    codes = await codes_of(kept).renew(owner(user_id))
    assert len(set(codes)) == COUNT
    stored = ask(kept.url, "SELECT encode(digest, 'hex'), used FROM recovery_codes")
    assert {row for row, _ in stored} == {digest(code).hex() for code in codes}
    for code in codes:
        assert await accepted(kept, user_id, code.upper())
        assert not await accepted(kept, user_id, code)
    assert ask(kept.url, "SELECT DISTINCT used FROM recovery_codes") == [(kept.clock.time,)]


async def test_of_another_account(kept: Kept) -> None:
    """The codes of one account are worth nothing for another."""
    ada, bob = await account(kept), await account(kept, "bob")
    await set_up(kept, ada)
    [code, *_] = await codes_of(kept).renew(owner(ada))
    assert not await accepted(kept, bob, code)
    assert await accepted(kept, ada, code)


async def test_renewed(kept: Kept) -> None:
    """New codes are in place of all the old ones, used or not."""
    user_id = await account(kept)
    await set_up(kept, user_id)
    old = await codes_of(kept).renew(owner(user_id))
    assert await accepted(kept, user_id, old[0])
    new = await codes_of(kept).renew(owner(user_id))
    assert not set(old) & set(new)
    assert not await accepted(kept, user_id, old[1])
    assert await accepted(kept, user_id, new[1])


async def test_not_alone(kept: Kept) -> None:
    """An account without a second factor has no recovery codes."""
    user_id = await account(kept)
    with pytest.raises(NoFactorYet):
        await codes_of(kept).renew(owner(user_id))
    assert ask(kept.url, "SELECT count(*) FROM recovery_codes") == [(0,)]


async def test_race(kept: Kept) -> None:
    """Of eight who show the same code at once, one is accepted; of two who renew, one's codes remain."""
    user_id = await account(kept)
    await set_up(kept, user_id)
    [code, *_] = await codes_of(kept).renew(owner(user_id))
    tries = [Deferred.fromCoroutine(accepted(kept, user_id, code)) for _ in range(8)]
    assert sum(await gatherResults(tries)) == 1
    renewed = [Deferred.fromCoroutine(codes_of(kept).renew(owner(user_id))) for _ in range(4)]
    made = await gatherResults(renewed)
    left = {row for (row,) in ask(kept.url, "SELECT encode(digest, 'hex') FROM recovery_codes")}
    assert left in [{digest(code).hex() for code in codes} for codes in made]
