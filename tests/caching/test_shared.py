"""The shared store on a real Redis: one maker at a time, nothing outdated, and no trouble for anybody."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
import pytest_twisted
from attrs import asdict, evolve
from redis import ConnectionError
from redis import Redis as PlainRedis
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from caching import shared
from caching.packing import pack, plain
from caching.redis import Redis
from caching.shared import LARGEST, LONGEST, MOST_TAGS, RedisStore
from caching.store import Entry, Turn
from caching.tags import Known
from pypi.embedded import Servers, Urls
from tests.caching.test_packing import PAGE
from tests.caching.test_redis import process_of, until

_numbers = count(1)

KEY = "/simple/cheese/\ntext/html"


def connection(url: str) -> Redis:
    """A generous one: these machines are busy, and slowness is not what is tested."""
    return Redis(url, reactor, timeout=60.0, jitter=lambda: 0.0)


@pytest_twisted.async_yield_fixture
async def redis(servers: Urls) -> AsyncIterator[Redis]:
    """Connected to the Redis of all tests."""
    made = connection(servers.redis)
    await made.start()
    await until(lambda: made._factory.size == made.connections)
    yield made
    await made.stop()


@pytest.fixture
def plain_redis(servers: Urls) -> Iterator[PlainRedis]:
    """Redis as others may use it, who know nothing of entries."""
    with closing(PlainRedis(unix_socket_path=servers.redis.removeprefix("unix://"))) as made:
        yield made


@pytest.fixture
def store(redis: Redis) -> RedisStore:
    """A store of its own."""
    return RedisStore(redis, Known(), name=f"test-{next(_numbers)}", version="1")


def beside(store: RedisStore, **changed: Any) -> RedisStore:
    """The same store, as another process has it, which has heard of no change."""
    return evolve(store, **{"known": Known(), **changed})


def page(serial: int, body: bytes = b"page", tags: tuple[str, ...] = ("project/cheese", "journal")) -> Entry:
    """A page made from a snapshot at ``serial``."""
    return evolve(PAGE, serial=serial, body=body, tags=tags)


async def test_what_one_stores_another_finds(store: RedisStore) -> None:
    """An entry comes back as it was stored, whoever asks."""
    assert await store.put(KEY, page(7), 60)
    found = await beside(store).get(KEY)
    assert isinstance(found, Entry)
    assert asdict(found) == asdict(page(7))
    assert (store.counts.puts, store.counts.hits) == (1, 0)


@pytest.mark.parametrize("body", [b"", b"\xff\x00\r\n" * 75_000, b"1" * LARGEST])
async def test_any_body(store: RedisStore, body: bytes) -> None:
    """Empty, binary and large ones."""
    assert await store.put(KEY, page(7, body), 60)
    found = await store.get(KEY)
    assert isinstance(found, Entry)
    assert found.body == body


@pytest.fixture
def long_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's turn ends while a machine that is busy comes to the next line."""
    monkeypatch.setattr(shared, "LEASE", 60_000)


@pytest.mark.usefixtures("long_turns")
async def test_one_makes_it_the_others_wait(store: RedisStore) -> None:
    """Of many who miss the same entry one gets the turn; what it stores ends the waiting."""
    assert await store.get(KEY) is Turn.OURS
    turns = await gatherResults([Deferred.fromCoroutine(beside(store).get(KEY)) for _ in range(20)])
    assert set(turns) == {Turn.THEIRS}
    await store.put(KEY, page(7), 60)
    assert isinstance(await beside(store).get(KEY), Entry)


async def test_a_maker_that_dies_holds_nobody_up(store: RedisStore, plain_redis: PlainRedis) -> None:
    """A turn that is not used ends by itself, in two seconds at most."""
    assert await store.get(KEY) is Turn.OURS
    (lease,) = plain_redis.keys(f"{store._prefix}l:*")
    assert 0 < plain_redis.pttl(lease) <= 2000
    plain_redis.delete(lease)
    assert await store.get(KEY) is Turn.OURS


async def test_a_turn_ends_when_its_result_is_refused(store: RedisStore) -> None:
    """A maker overtaken by a change makes room at once for one who sees the change."""
    assert await store.get(KEY) is Turn.OURS
    await beside(store).touch(8, ("project/cheese",))
    assert not await store.put(KEY, page(7), 60)
    assert await beside(store).get(KEY) is Turn.OURS


async def test_a_change_outdates_what_is_there(store: RedisStore) -> None:
    """An entry older than the last change of one of its tags is not there any more; a younger one is."""
    await store.put(KEY, page(7), 60)
    await beside(store).touch(8, ("project/bread", "other"))
    assert isinstance(await store.get(KEY), Entry)
    await beside(store).touch(8, ("project/cheese",))
    assert await store.get(KEY) is Turn.OURS
    assert await store.put(KEY, page(8), 60)
    assert isinstance(await store.get(KEY), Entry)


async def test_an_older_entry_does_not_replace_a_newer(store: RedisStore) -> None:
    """Of two makers the one with the newer snapshot wins, in whatever order they come."""
    assert await store.put(KEY, page(9, b"new"), 60)
    assert not await store.put(KEY, page(8, b"old"), 60)
    assert await store.put(KEY, page(9, b"same"), 60)
    found = await store.get(KEY)
    assert isinstance(found, Entry)
    assert found.body == b"same"


async def test_serials_only_grow(store: RedisStore) -> None:
    """Changes that are told out of order, or twice, leave the latest."""
    for serial in (9, 12, 10, 9):
        await store.touch(serial, ("project/cheese",))
    assert not await store.put(KEY, page(11), 60)
    assert await store.put(KEY, page(12), 60)


async def test_serials_are_compared_as_numbers(store: RedisStore) -> None:
    """Ten is more than nine, also where numbers are written out."""
    await store.put(KEY, page(9), 60)
    await beside(store).touch(10, ("project/cheese",))
    assert await beside(store).get(KEY) is Turn.OURS
    large = 2**53 - 2
    await store.touch(large, ("project/cheese",))
    assert not await beside(store).put(KEY, page(large - 1), 60)
    assert await beside(store).put(KEY, page(large), 60)


@pytest.mark.parametrize("touched_first", [True, False])
async def test_a_slow_maker_loses_the_race(store: RedisStore, touched_first: bool) -> None:
    """An old entry that arrives before or after the word of a change is found by nobody."""
    if touched_first:
        await beside(store).touch(8, ("project/cheese",))
    kept = await beside(store).put(KEY, page(7), 60)
    if not touched_first:
        await beside(store).touch(8, ("project/cheese",))
    assert kept is not touched_first
    assert await beside(store).get(KEY) is Turn.OURS


async def test_many_races(store: RedisStore) -> None:
    """Makers and changes in any order and at once: what is found has seen every change told before."""
    random = Random(7)
    serial = 0

    async def write() -> None:
        nonlocal serial
        for _ in range(60):
            serial += 1
            await beside(store).touch(serial, ("project/cheese",))

    async def make() -> None:
        for _ in range(60):
            snapshot = serial
            await deferLater(reactor, random.random() / 500)
            await beside(store).put(KEY, page(snapshot), 60)

    told: list[tuple[int, int]] = []

    async def read() -> None:
        for _ in range(120):
            before = serial - 1  # the last one may be on its way
            found = await beside(store).get(KEY)
            if isinstance(found, Entry):
                told.append((found.serial, before))

    await gatherResults(list(map(Deferred.fromCoroutine, [write(), make(), make(), read(), read()])))
    assert all(found >= before for found, before in told)
    assert await beside(store).put(KEY, page(serial), 60)


@pytest.mark.usefixtures("long_turns")
async def test_lost_serials_do_no_harm(store: RedisStore, plain_redis: PlainRedis) -> None:
    """When Redis has forgotten a change, this process has not: what is older counts as missing."""
    store.known.touch(8, ("project/cheese",))
    for key in plain_redis.keys(f"{store._prefix}*"):
        plain_redis.delete(key)
    assert await beside(store).put(KEY, page(7), 60)  # by a process which has not heard of it yet
    assert await store.get(KEY) is Turn.OURS
    assert await store.get(KEY) is Turn.THEIRS
    assert not await store.put(KEY, page(7), 60)
    assert store.counts.outdated == 2
    assert await store.put(KEY, page(8), 60)
    assert isinstance(await store.get(KEY), Entry)


async def test_what_comes_meanwhile_is_taken(store: RedisStore) -> None:
    """An entry that replaces one of no use while that is being looked at is found."""
    await beside(store).put(KEY, page(7), 60)
    store.known.touch(8, ("project/cheese",))
    first = await store._get(KEY)
    assert isinstance(first, bytes)
    await beside(store).put(KEY, page(8), 60)
    assert await store._get(KEY, instead_of=first) == pack(KEY, page(8))


def poisons() -> Iterator[bytes]:
    """What may stand where an entry should be."""
    good = pack(KEY, page(7))
    yield from (b"", b"x", b"\x80\x04]\x94.", b"null", b"0" * 500, b"9" * 500, os.urandom(300))
    yield from (good[:-1], good + b"x", good[:60], b"{}" + good)
    yield pack("/simple/other/\ntext/html", page(7))
    yield b"%016d%06d" % (9, 2) + b"[[" + b"x" * 50
    yield b"%016d%06d" % (9, 5) + b"[[1]]" + b"x" * 50
    yield b"%016d%06d" % (9, 99) + b"[" * 99 + b"x" * 50


@pytest.mark.parametrize("poison", list(poisons()))
async def test_anything_else_is_no_entry(store: RedisStore, plain_redis: PlainRedis, poison: bytes) -> None:
    """Garbage, old forms, cut ones and another key's entry are misses, and are gone the next time."""
    place = store._places(KEY)[0]
    plain_redis.set(place, poison)
    assert await store.get(KEY) is Turn.OURS
    assert await store.put(KEY, page(7), 60)
    assert isinstance(await store.get(KEY), Entry)
    assert store.counts.unreadable == bool(poison)
    assert store.counts.failures == 0


async def test_things_of_another_kind(store: RedisStore, plain_redis: PlainRedis) -> None:
    """Lists where entries, and hashes where serials should be, count as nothing, and are replaced."""
    place, _ = store._places(KEY)
    plain_redis.lpush(place, b"x")
    plain_redis.hset(store._tag("project/cheese"), "a", "b")
    plain_redis.set(store._tag("journal"), b"many")
    plain_redis.lpush(store._newest, b"x")
    assert await store.get(KEY) is Turn.OURS
    assert await store.put(KEY, page(7), 60)
    assert isinstance(await store.get(KEY), Entry)
    await beside(store).touch(8, ("project/cheese", "journal"))
    assert await store.get(KEY) is Turn.OURS
    assert store.counts.failures == 0


async def test_other_versions_keep_apart(store: RedisStore) -> None:
    """Entries made by other software, or by another installation, are never found."""
    await store.put(KEY, page(7), 60)
    assert await beside(store, version="2").get(KEY) is Turn.OURS
    assert await beside(store, name="somebody-else").get(KEY) is Turn.OURS
    assert isinstance(await beside(store).get(KEY), Entry)


async def test_everything_ends(store: RedisStore, plain_redis: PlainRedis) -> None:
    """Every key has an end, and the serial of a tag outlasts all entries."""
    await store.get("another")
    await store.put(KEY, page(7), 60)
    await store.put("long", page(7), 10 * LONGEST)
    await store.touch(7, ("project/cheese",))
    lives = {key.decode()[len(store._prefix) :]: plain_redis.ttl(key) for key in keys(store, plain_redis)}
    assert len(lives) == 5
    assert 50 < lives[f"e:{plain(KEY)}"] <= 60
    assert max(life for key, life in lives.items() if key[0] == "e") <= LONGEST
    assert min(life for key, life in lives.items() if key[0] in "tn") > LONGEST


def keys(store: RedisStore, plain_redis: PlainRedis) -> list[bytes]:
    """All that is the store's own."""
    return list(plain_redis.scan_iter(f"{store._prefix}*"))


async def test_keys_are_plain(store: RedisStore, plain_redis: PlainRedis) -> None:
    """Whatever addresses and tags are made of, keys are short and mean nothing to Redis."""
    odd = ("ü" * 500, "a b\r\n*{}", "", "*")
    for name in odd:
        await store.put(name, page(7, tags=odd), 60)
        assert isinstance(await store.get(name), Entry)
    await beside(store).touch(8, (odd[0],))
    assert [await store.get(name) for name in odd] == [Turn.OURS] * len(odd)
    assert all(len(key) < 260 and key.isascii() for key in keys(store, plain_redis))
    assert not any(set(key) & set(b" \r\n*{}") for key in keys(store, plain_redis))


@pytest.mark.parametrize(
    ("entry", "seconds"),
    [
        (page(7, b"x" * (LARGEST + 1)), 60),
        (page(7, tags=tuple(map(str, range(MOST_TAGS + 1)))), 60),
        (page(2**53), 60),
        (page(7), 0),
    ],
)
async def test_what_is_not_for_sharing(store: RedisStore, entry: Entry, seconds: float) -> None:
    """Too large, too many tags, a serial beyond comparing, or of no use: none is stored, none is an error."""
    assert not await store.put(KEY, entry, seconds)
    assert store.counts.refused == 1
    assert not isinstance(await store.get(KEY), Entry)


async def test_forgetting_all(store: RedisStore, plain_redis: PlainRedis) -> None:
    """Everything of this store goes, serials too, and nothing of others."""
    other = beside(store, name="other-installation")
    await other.put(KEY, page(7), 60)
    for number in range(1200):
        plain_redis.set(f"{store._prefix}e:{number}", b"x")
    await store.put(KEY, page(7), 60)
    await store.touch(9, ("project/cheese",))
    assert await store.newest() == 9
    assert await store.forget_all()
    assert keys(store, plain_redis) == []
    assert await store.newest() == 0
    assert await store.put(KEY, page(1), 60)
    assert isinstance(await other.get(KEY), Entry)


async def test_the_newest_serial(store: RedisStore) -> None:
    """The store knows the largest serial it ever saw, of changes or of entries."""
    assert await store.newest() == 0
    await store.put(KEY, page(7), 60)
    assert await store.newest() == 7
    await store.touch(5, ("a",))
    assert await store.newest() == 7


async def test_scripts_that_redis_forgot(store: RedisStore, plain_redis: PlainRedis) -> None:
    """A Redis that has lost its scripts is told them again, and nobody notices."""
    for _ in range(3):
        await store.put(KEY, page(7), 60)
        assert isinstance(await store.get(KEY), Entry)
    plain_redis.script_flush()
    assert isinstance(await store.get(KEY), Entry)
    assert await store.put(KEY, page(8), 60)
    assert store.counts.failures == 0


async def test_without_redis() -> None:
    """A store without Redis has nothing, keeps nothing and raises nothing."""
    store = RedisStore(connection("unix:///nonexistent/redis.sock"), Known())
    assert await store.get(KEY) is Turn.NOBODYS
    assert not await store.put(KEY, page(7), 60)
    await store.touch(7, ("project/cheese",))
    assert await store.newest() == 0
    assert not await store.forget_all()
    assert (store.counts.failures, store.counts.misses) == (5, 1)
    assert repr(store) == "<RedisStore 0.0 % of 1 hits, 0 kept, 5 failures>"


@pytest_twisted.async_yield_fixture
async def own_server(tmp_path: Path) -> AsyncIterator[str]:
    """A Redis to be hurt."""
    server = Servers(tmp_path, reactor, postgres=False)
    urls = await server.start()
    yield urls.redis
    await server.stop()


@pytest.mark.parametrize("harm", ["flush", "kill", "stop"])
async def test_redis_is_hurt_under_load(own_server: str, harm: str) -> None:
    """Flushed, killed or stopped at random: no call fails, and no process finds what it knows to be old."""
    redis = Redis(own_server, reactor, timeout=0.1, jitter=lambda: 0.0)
    await redis.start()
    await until(lambda: redis._factory.size == redis.connections)
    stores = [RedisStore(redis, Known()) for _ in range(3)]
    random = Random(harm)
    serial = 0
    going = True

    async def write(store: RedisStore) -> None:
        nonlocal serial
        while going:
            serial += 1
            store.known.touch(serial, ("project/cheese",))
            await store.touch(serial, ("project/cheese",))
            await deferLater(reactor, random.random() / 100)

    async def use(store: RedisStore) -> None:
        while going:
            snapshot = serial
            expected = store.known.of(("project/cheese",))
            found = await store.get(KEY)
            assert not isinstance(found, Entry) or found.serial >= expected
            await deferLater(reactor, random.random() / 100)
            await store.put(KEY, page(snapshot), 60)

    # Only the first is told of changes at once; the others hear of them when it suits them.
    async def hear(store: RedisStore) -> None:
        while going:
            await deferLater(reactor, random.random() / 20)
            store.known.touch(serial, ("project/cheese",))

    work = [write(stores[0]), *map(use, stores), *map(hear, stores[1:])]
    working = gatherResults(list(map(Deferred.fromCoroutine, work)))
    for _ in range(1 if harm == "kill" else 3):
        await deferLater(reactor, 0.2)
        await HARMS[harm](own_server)
    going = False
    await working
    await until_it_answers(stores[0])
    stores[0].known.touch(serial, ("project/cheese",))
    for _ in range(300):  # on a busy machine, one of them may still have no answer in time
        if await stores[0].put(KEY, page(serial), 60):
            break
    else:
        pytest.fail("nothing is kept any more")
    await redis.stop()


async def until_it_answers(store: RedisStore) -> None:
    """Redis is back, and no longer left alone."""
    for _ in range(300):
        if await store.get(KEY) is not Turn.NOBODYS:
            return
        await deferLater(reactor, 0.05)
    raise AssertionError("it did not come back")


async def flush(url: str) -> None:
    with closing(PlainRedis(unix_socket_path=url.removeprefix("unix://"))) as plain_redis:
        plain_redis.flushall()


async def kill(url: str) -> None:
    with suppress(ConnectionError):  # it has not come back yet
        os.kill(process_of(url), signal.SIGKILL)


async def stop(url: str) -> None:
    pid = process_of(url)
    os.kill(pid, signal.SIGSTOP)
    try:
        await deferLater(reactor, 0.4)
    finally:
        os.kill(pid, signal.SIGCONT)


HARMS = {"flush": flush, "kill": kill, "stop": stop}
