"""Throttles: so many tries, and a refusal that says when to try again."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults

from pypi.accounts.throttle import Act, Throttle, Throttled
from pypi.db.database import DatabaseDown
from tests.accounts.conftest import Kept
from tests.support.databases import ask


@pytest.fixture
def throttle(kept: Kept) -> Throttle:
    """Throttles of an index."""
    return Throttle(database=kept.accounts.database, now=kept.clock.now)


async def tried(throttle: Throttle, act: Act = Act.SIGN_IN, *, account: str = "", address: str = "") -> int:
    """Seconds to wait, 0 for a try that was let through."""
    try:
        await throttle.take(act, account=account, address=address)
    except Throttled as refusal:
        return refusal.seconds
    return 0


async def test_an_account(kept: Kept, throttle: Throttle) -> None:
    """An account is tried ten times in five minutes, from wherever, and then every half minute."""
    for number in range(10):
        assert await tried(throttle, account="Ada", address=f"192.0.2.{number}") == 0
    assert await tried(throttle, account=" ada", address="192.0.2.99") == 30
    assert await tried(throttle, account="eve", address="192.0.2.99") == 0
    kept.clock.advance(timedelta(seconds=29))
    assert await tried(throttle, account="ada", address="192.0.2.99") == 1
    kept.clock.advance(timedelta(seconds=1))
    assert await tried(throttle, account="ada", address="192.0.2.99") == 0
    assert await tried(throttle, account="ada", address="192.0.2.99") == 30


@pytest.mark.parametrize(
    ("here", "there", "elsewhere"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.2"),
        ("2001:db8::1", "2001:db8::ffff:1:1:1", "2001:db8:0:1::1"),
        ("fe80::1%eth0", "fe80::2%eth0", "fe80:0:0:1::1"),
        ("a socket", "a socket", "another"),
    ],
)
async def test_an_address(throttle: Throttle, here: str, there: str, elsewhere: str) -> None:
    """An address tries ten accounts, or one ten times; a network that is one customer's is one address."""
    for number in range(10):
        assert await tried(throttle, account=str(number), address=(here, there)[number % 2]) == 0
    assert await tried(throttle, account="next", address=here) == 30
    assert await tried(throttle, account="next", address=there) == 30
    assert await tried(throttle, account="next", address=elsewhere) == 0


async def test_everybody(kept: Kept, throttle: Throttle) -> None:
    """All together try a thousand times in five minutes."""
    await tried(throttle, account="ada", address="192.0.2.1")
    ask(kept.url, "UPDATE throttles SET tokens = 1 WHERE key LIKE '%everybody%'")
    assert await tried(throttle, account="eve", address="192.0.2.2") == 0
    assert await tried(throttle, account="bob", address="192.0.2.3") == 1
    assert dict(Act.SIGN_IN.limits[2:]).popitem()[1].amount == 1000


async def test_second_factor(kept: Kept, throttle: Throttle) -> None:
    """A second factor is tried five times in five minutes, twenty in an hour, fifty in a day."""
    granted = []
    for _ in range(3 * 24 * 60):
        if not await tried(throttle, Act.SECOND_FACTOR, account="1"):
            granted.append(kept.clock.time)
        kept.clock.advance(timedelta(minutes=1))
        if len(granted) > 80:
            break
    for count, window in ((5, 5), (20, 60), (50, 24 * 60)):
        # A bucket that was full gives what it held, and what flows in.
        for first, last in zip(granted, granted[2 * count :], strict=False):
            assert last - first >= timedelta(minutes=window)
    assert len(granted) >= 60


async def test_reset(throttle: Throttle) -> None:
    """An address of mail is written to five times a day, and no oftener than thrice an hour for one asker."""
    who = {"account": "ada@people.example"}
    asked = [await tried(throttle, Act.RESET, **who, address="192.0.2.1") for _ in range(4)]
    assert asked == [0, 0, 0, 1200]
    asked = [await tried(throttle, Act.RESET, **who, address="192.0.2.2") for _ in range(3)]
    assert asked == [0, 0, 86400 // 5]


async def test_refused_by_one_means_counted_by_none(kept: Kept, throttle: Throttle) -> None:
    """Who is refused for one reason takes nothing from others, and leaves nothing behind, however often."""
    for number in range(10):
        await tried(throttle, account=f"a{number}", address="192.0.2.1")
    before = ask(kept.url, "SELECT * FROM throttles ORDER BY key")
    for number in range(30):
        assert await tried(throttle, account=f"b{number % 3}", address="192.0.2.1")
    assert ask(kept.url, "SELECT * FROM throttles ORDER BY key") == before


async def test_many_at_once(throttle: Throttle) -> None:
    """Of fifty tries that come at once, ten are let through."""
    tries = [
        Deferred.fromCoroutine(tried(throttle, account="ada", address=f"192.0.2.{number}"))
        for number in range(50)
    ]
    assert Counter(bool(wait) for wait in await gatherResults(tries)) == {False: 10, True: 40}


async def test_different_orders_do_not_meet(throttle: Throttle) -> None:
    """Tries that share buckets in any order end, each counted once."""
    tries = [
        Deferred.fromCoroutine(tried(throttle, account=f"a{n % 5}", address=f"192.0.2.{n * 7 % 5}"))
        for n in range(40)
    ]
    assert await gatherResults(tries) == [0] * 40


async def test_given_back(throttle: Throttle) -> None:
    """Tries that were right do not count, and giving back fills no bucket over."""
    for _ in range(30):
        assert await tried(throttle, account="ada", address="192.0.2.1") == 0
        await throttle.give_back(Act.SIGN_IN, account="ada", address="192.0.2.1")
    for _ in range(5):
        await throttle.give_back(Act.SIGN_IN, account="ada", address="192.0.2.1")
    waits = [await tried(throttle, account="ada", address="192.0.2.1") for _ in range(11)]
    assert waits == [0] * 10 + [30]


async def test_a_factor(throttle: Throttle) -> None:
    """Rates are scaled by one figure, which is never less than one try; and by 0 nothing is counted."""
    twice = evolve(throttle, factor=2.0)
    assert [await tried(twice, account="ada") for _ in range(21)] == [0] * 20 + [15]
    least = evolve(throttle, factor=0.001)
    assert [await tried(least, account="eve", address="192.0.2.1") for _ in range(2)] == [0, 300]
    free = evolve(throttle, factor=0.0)
    assert not any([await tried(free, account="ada") for _ in range(50)])


async def test_acts_are_counted_apart(throttle: Throttle) -> None:
    """What was tried too often of one kind may be tried of another."""
    while not await tried(throttle, Act.RESET, account="ada"):
        pass
    assert await tried(throttle, Act.SIGN_IN, account="ada") == 0


async def test_nothing_is_kept_of_what_was_typed(kept: Kept, throttle: Throttle) -> None:
    """A password typed where a name belongs, an address, or a very long text stands in no table."""
    await tried(throttle, account="correct horse", address="192.0.2.1")
    await tried(throttle, account="x\0\ud800" * 10_000, address="192.0.2.1")
    kept_keys = str(ask(kept.url, "SELECT key FROM throttles"))
    assert "horse" not in kept_keys
    assert "192.0.2" not in kept_keys


async def test_tidy(kept: Kept, throttle: Throttle) -> None:
    """A bucket is forgotten when it is full again, and not before."""
    await tried(throttle, account="ada", address="192.0.2.1")
    for _ in range(9):
        await tried(throttle, account="eve", address="192.0.2.2")
    kept.clock.advance(timedelta(seconds=30))
    assert await throttle.tidy() == 3
    assert await tried(throttle, account="eve", address="192.0.2.3") == 0
    assert await tried(throttle, account="eve", address="192.0.2.3") == 0
    assert await tried(throttle, account="eve", address="192.0.2.3") == 30
    kept.clock.advance(timedelta(hours=1))
    await throttle.tidy()
    assert ask(kept.url, "SELECT * FROM throttles") == []


async def test_a_clock_that_goes_back(kept: Kept, throttle: Throttle) -> None:
    """A clock that goes back gives nobody more tries, and takes none for longer than the bucket fills."""
    for _ in range(10):
        await tried(throttle, account="ada")
    kept.clock.advance(timedelta(hours=-1))
    assert await tried(throttle, account="ada") == 30
    kept.clock.advance(timedelta(hours=1, seconds=30))
    assert await tried(throttle, account="ada") == 0


async def test_without_the_database(kept: Kept, throttle: Throttle) -> None:
    """Where nothing can be counted nothing may be tried."""
    await kept.accounts.database.stop()
    with pytest.raises(DatabaseDown):
        await throttle.take(Act.SIGN_IN, account="ada")


def test_the_refusal() -> None:
    """A refusal says when to try again, to programs and to people."""
    assert Throttled(30).retry_after == 30
    assert str(Throttled(90)) == "That was tried too often. Try again in 90 seconds."
    assert str(Throttled(17280)) == "That was tried too often. Try again in 288 minutes."
