"""Limits on a real Redis: nobody gets more than his share, few look into it, and none suffers without it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from itertools import count

import pytest
import pytest_twisted
from attrs import define, evolve
from redis import Redis as PlainRedis
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from caching import limiter as module
from caching.limiter import MOST_AT_HAND, MOST_KEYS, Limiter, Verdict
from caching.rate import Rate
from caching.redis import Redis
from pypi.embedded import Urls
from tests.caching.test_redis import until

_numbers = count(1)

ADA, BOB = "192.0.2.1", "192.0.2.2"


@define
class Clock:
    """Our clock; that of Redis goes on by itself."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is let through because this process stood still for a moment."""
    monkeypatch.setattr(module, "PATIENCE", 60.0)


@pytest_twisted.async_yield_fixture
async def redis(servers: Urls) -> AsyncIterator[Redis]:
    """Connected to the Redis of all tests, with patience: these machines are busy."""
    made = Redis(servers.redis, reactor, timeout=60.0, jitter=lambda: 0.0)
    await made.start()
    await until(lambda: made._factory.size == made.connections)
    yield made
    await made.stop()


@pytest.fixture
def plain_redis(servers: Urls) -> Iterator[PlainRedis]:
    with closing(PlainRedis(unix_socket_path=servers.redis.removeprefix("unix://"))) as made:
        yield made


def limiter(redis: Redis, clock: Clock, rate: str = "10/day") -> Limiter:
    """One that shares its buckets with nobody; of a rate that gives nothing back while a test runs."""
    return Limiter(f"test-{next(_numbers)}", Rate.of(rate), redis, clock)


def beside(other: Limiter) -> Limiter:
    """The same limit, as another process has it."""
    return evolve(other)


async def test_as_many_as_the_bucket_holds(redis: Redis, clock: Clock) -> None:
    """A caller gets all tokens of his bucket at once, if he likes, and then none; others have their own."""
    limits = limiter(redis, clock)
    verdicts = [await limits.take(ADA) for _ in range(11)]
    assert [one.allowed for one in verdicts] == [True] * 10 + [False]
    assert [one.remaining for one in verdicts] == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]
    assert (await limits.take(BOB)).allowed
    assert (limits.taken, limits.refused) == (11, 1)


async def test_what_is_said(redis: Redis, clock: Clock) -> None:
    """A verdict tells when all tokens are back, and, where it refuses, when there is one."""
    limits = limiter(redis, clock, "2/day")
    first, second, refused = [await limits.take(ADA) for _ in range(3)]
    assert first == Verdict(True, 1, 43200, 0)
    assert second == Verdict(True, 0, second.reset_seconds, 0)
    assert (refused.allowed, refused.remaining) == (False, 0)
    # Time goes on meanwhile.
    assert 86300 <= second.reset_seconds <= 86400
    assert 43100 <= refused.retry_seconds <= 43200


async def test_costs(redis: Redis, clock: Clock) -> None:
    """Several tokens are taken all or none; who asks for more than there are takes a full bucket."""
    limits = limiter(redis, clock)
    assert (await limits.take(ADA, 7)).remaining == 3
    assert not (await limits.take(ADA, 4)).allowed
    assert (await limits.take(ADA, 3)).remaining == 0
    assert (await limits.take(BOB, 1000)).remaining == 0
    assert not (await limits.take(BOB)).allowed


async def test_a_refusal_of_much_is_none_of_little(redis: Redis, clock: Clock) -> None:
    """Who was refused ten tokens may still have the two there are."""
    limits = limiter(redis, clock)
    await limits.take(ADA, 8)
    assert not (await limits.take(ADA, 10)).allowed
    assert (await limits.take(ADA, 2)).allowed


async def test_all_processes_share(redis: Redis, clock: Clock) -> None:
    """Tokens taken in one process are missing in the others."""
    one = limiter(redis, clock)
    other = beside(one)
    for _ in range(5):
        assert (await one.take(ADA)).allowed
        assert (await other.take(ADA)).allowed
    assert not (await one.take(ADA)).allowed
    assert not (await other.take(ADA)).allowed


async def test_tokens_come_back(redis: Redis, clock: Clock) -> None:
    """A bucket fills evenly, and is never fuller than full."""
    limits = limiter(redis, clock, "200/second")
    while (verdict := await limits.take(ADA, 100)).allowed:
        pass
    assert verdict.retry_seconds == 1
    refused = limits.refused
    clock.now += 0.6  # Redis has a clock of its own
    while not (await limits.take(ADA, 100)).allowed:
        clock.now += 0.6
    assert limits.refused >= refused
    clock.now += 100
    assert (await limits.take(ADA)).remaining is not None


async def test_few_trips(redis: Redis, clock: Clock) -> None:
    """The faster a caller is, the more is fetched for him at once; for who asks seldom, single tokens."""
    limits = limiter(redis, clock, "100000/day")
    for _ in range(1000):
        assert (await limits.take(ADA)).allowed
    assert limits.trips < 25
    trips = limits.trips
    for _ in range(10):
        clock.now += 60
        await limits.take(BOB)
    assert limits.trips == trips + 10


async def test_nothing_much_is_lost(redis: Redis, clock: Clock) -> None:
    """All that one process has at hand and does not use is a small share of the bucket."""
    limits = limiter(redis, clock, "6400/day")
    for _ in range(500):
        await limits.take(ADA)
    other, taken = beside(limits), 0
    while (await other.take(ADA)).allowed:
        taken += 1
    assert 6400 - 500 - MOST_AT_HAND <= taken <= 6400 - 500


async def test_who_is_refused_costs_nothing(redis: Redis, clock: Clock) -> None:
    """A caller who goes on after a refusal makes no trips until there can be a token."""
    limits = limiter(redis, clock, "1/hour")
    await limits.take(ADA)
    assert not (await limits.take(ADA)).allowed
    trips = limits.trips
    for _ in range(100):
        assert not (await limits.take(ADA)).allowed
    assert limits.trips == trips
    clock.now += 3601
    await limits.take(ADA)
    assert limits.trips == trips + 1


async def test_many_at_once(redis: Redis, clock: Clock) -> None:
    """Calls that come together share trips, and get no more than there is."""
    limits = limiter(redis, clock, "100/day")
    verdicts = await gatherResults([Deferred.fromCoroutine(limits.take(ADA)) for _ in range(300)])
    assert sum(one.allowed for one in verdicts) == 100
    assert limits.taken == 100


async def test_one_who_leaves(redis: Redis, clock: Clock) -> None:
    """A caller who hangs up while a trip is under way takes nothing from those who wait for it, too."""
    limits = limiter(redis, clock)
    gone = Deferred.fromCoroutine(limits.take(ADA))
    stays = Deferred.fromCoroutine(limits.take(ADA))
    gone.addErrback(lambda _: None)
    gone.cancel()
    assert (await stays).allowed


async def test_without_redis(clock: Clock) -> None:
    """Where Redis does not answer nobody is refused, and nobody says how much is left."""
    limits = limiter(Redis("unix:///nowhere/redis.sock", reactor), clock)
    for _ in range(20):
        assert await limits.take(ADA) == Verdict(True)
    assert (limits.failures, limits.taken) == (20, 0)


async def test_rubbish_in_redis(redis: Redis, clock: Clock, plain_redis: PlainRedis) -> None:
    """A bucket nobody can read is a full one."""
    limits = limiter(redis, clock)
    place = f"cheeseshop:rate:{limits.name}:{ADA}"
    for rubbish in (b"", b"\xff", b"1 2 3", b"many soon"):
        plain_redis.set(place, rubbish)
        assert (await beside(limits).take(ADA)).remaining == 9
    plain_redis.delete(place)
    plain_redis.lpush(place, "a list")
    assert (await beside(limits).take(ADA)).remaining == 9


async def test_buckets_go_away(redis: Redis, clock: Clock, plain_redis: PlainRedis) -> None:
    """A bucket is kept until it would be full anyway, and no longer."""
    limits = limiter(redis, clock, "10/minute")
    await limits.take(ADA)
    kept = plain_redis.pttl(f"cheeseshop:rate:{limits.name}:{ADA}")
    assert 50_000 < kept <= 61_000


async def test_no_limit(redis: Redis, clock: Clock) -> None:
    """Without a rate nobody is refused, and nobody counts."""
    limits = Limiter("test", Rate.scaled("3600/hour", 0), redis, clock)
    for _ in range(10):
        assert await limits.take(ADA, 1_000_000) == Verdict(True)
    assert limits.trips == 0


async def test_bounded_memory(clock: Clock) -> None:
    """So many callers are remembered, and those who came last."""
    limits = limiter(Redis("unix:///nowhere/redis.sock", reactor), clock)
    for number in range(MOST_KEYS + 10):
        await limits.take(str(number))
    assert len(limits._hands) == MOST_KEYS
    assert "0" not in limits._hands
    assert str(MOST_KEYS) in limits._hands


def test_figures(clock: Clock) -> None:
    """What was counted can be shown."""
    limits = limiter(Redis("unix:///nowhere/redis.sock", reactor), clock)
    assert [one.name for one in limits.figures()] == [
        *("rate_limit_taken", "rate_limit_refused", "rate_limit_trips", "rate_limit_failures")
    ]
    assert "10/day" in repr(limits)


@pytest.mark.parametrize(
    ("text", "factor", "rate"),
    [
        ("3600/hour", 1, Rate(3600, 3600)),
        ("3600/hour", 0.5, Rate(1800, 3600)),
        ("5/second", 0.01, Rate(1, 1)),
        ("10/day", 2.5, Rate(25, 86400)),
        ("3600/hour", 0, None),
        ("off", 1, None),
    ],
)
def test_rates(text: str, factor: float, rate: Rate | None) -> None:
    """A rate is written as people say it, and can be scaled, but never to less than one."""
    assert Rate.scaled(text, factor) == rate
    assert rate is None or Rate.of(str(rate)) == rate


@pytest.mark.parametrize("text", ["", "0/hour", "5", "5/week", "-1/hour", "5 /hour"])
def test_what_is_no_rate(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="no rate"):
        Rate.of(text)
