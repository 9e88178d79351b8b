"""Hints of changes are lost, Redis forgets, processes lag behind: nobody goes on showing what is outdated.

Each process here has what a worker has of it: a listener, a look every second, a memory, the shared store,
and a way to fill both from the database that may be slow. PostgreSQL, Redis and all connections are real.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

import pytest
import pytest_twisted
from attrs import define, evolve, field
from redis import Redis as PlainRedis
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from caching.invalidations import Invalidations
from caching.redis import Redis
from caching.shared import RedisStore
from caching.store import Entry, Turn
from caching.tags import Known
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.notify import Notifications
from pypi.db.queries import journal, projects
from pypi.domain.cache_tags import all_tags
from pypi.domain.changes import Change, FileAdded
from pypi.domain.names import normalize
from pypi.embedded import Urls
from tests.caching.test_packing import PAGE
from tests.caching.test_redis import until
from tests.db.test_notify import CUT
from tests.support.databases import ask

reactor: Any = _reactor

NOW = datetime(2026, 5, 1, tzinfo=UTC)
NAMES = tuple(f"cheese-{number}" for number in range(24))
FEW = NAMES[:3]
_numbers = count(1)


def added(name: str) -> Change:
    """A file was published."""
    where: dict[str, Any] = {"project": normalize(name), "name": name, "actor": "ada"}
    return FileAdded(**where, version="1", filename="f", python_version="source")


async def publish(cursor: Cursor, name: str, fail: bool) -> int:
    """A transaction that changes a project; of some the end is that they never were."""
    serial = await journal.write(cursor, [added(name)] * 2, now=NOW)
    if fail:
        raise LookupError
    return serial


async def look(cursor: Cursor, name: str) -> bytes:
    """A project's page: its own last serial."""
    project = await projects.by_name(cursor, normalize(name))
    assert project is not None
    return b"%d" % project.last_serial


@define(eq=False)
class Worker:
    """One process.

    Attributes:
        memory: name → page, as long as it is not outdated.
    """

    database: Database
    store: RedisStore
    random: Random
    memory: dict[str, Entry] = field(factory=dict)
    healthy: bool = False
    invalidations: Invalidations = field(init=False)
    notifications: Notifications = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.invalidations = Invalidations(
            clock=reactor,
            known=self.known,
            since=lambda serial, limit: self.database.read(journal.changes_since, serial, limit),
            last=lambda: self.database.read(journal.last_serial),
            forget=self.forget,
            forget_all=self.memory.clear,
            shared=self.store,
            on_health=lambda healthy: setattr(self, "healthy", healthy),
        )
        self.notifications = Notifications(
            self.database.dsn, reactor, hear=self.invalidations.hear, hint=self.invalidations.hint
        )

    @property
    def known(self) -> Known:
        """What it knows of changes."""
        return self.store.known

    async def start(self) -> None:
        """As a worker does."""
        await self.invalidations.start()
        await self.notifications.start()

    async def stop(self) -> None:
        """As a worker does."""
        await self.notifications.stop()
        await self.invalidations.stop()

    def forget(self, serial: int, tags: Sequence[str]) -> None:
        """Take out of memory what a change outdates."""
        for name, entry in tuple(self.memory.items()):
            if entry.serial < serial and set(entry.tags) & set(tags):
                del self.memory[name]

    async def page(self, name: str) -> Entry:
        """From memory, the shared store, or the database."""
        if name in self.memory:
            return self.memory[name]
        found = await self.store.get(name)
        if not isinstance(found, Entry):
            found = await self.fill(name)
        if self.known.admits(found.serial, found.tags):
            self.memory[name] = found
        return found

    async def fill(self, name: str) -> Entry:
        """From the database; and then something takes its time."""
        serial = self.known.last
        body = await self.database.read(look, name)
        entry = evolve(PAGE, body=body, serial=serial, tags=all_tags([added(name)])[2:3])
        assert entry.tags == (f"project/{name}",)
        await deferLater(reactor, self.random.random() ** 4 / 5)
        await self.store.put(name, entry, 60)
        return entry

    async def publish(self, name: str, fail: bool = False) -> int:
        """Change a project; when this returns, it is acknowledged."""
        try:
            serial = await self.database.transact(publish, name, fail)
        except LookupError:
            return 0
        await self.invalidations.announce(serial, all_tags([added(name)]))
        return serial


@define(eq=False)
class Town:
    """Some processes on one database and one Redis, and what has been acknowledged.

    Attributes:
        acknowledged: name → serial of its last acknowledged change.
        pages: how many were looked at.
    """

    workers: list[Worker]
    url: str
    redis: PlainRedis
    random: Random
    acknowledged: dict[str, int] = field(factory=lambda: dict.fromkeys(NAMES, 0))
    pages: int = 0
    going: bool = True

    async def write(self, worker: Worker) -> None:
        """Change things, and look at once at what was changed."""
        while self.going:
            name = self.random.choice(NAMES)
            serial = await worker.publish(name, fail=self.random.random() < 0.2)
            self.acknowledged[name] = max(self.acknowledged[name], serial)
            page = await worker.page(name)
            assert int(page.body) >= serial, "whoever has the answer is shown something older"
            await deferLater(reactor, self.random.random() ** 2 / 20)

    async def read(self, worker: Worker) -> None:
        """Look at pages, which fills memory and the shared store with whatever there is."""
        while self.going:
            await worker.page(self.random.choice(NAMES))
            self.pages += 1
            await deferLater(reactor, self.random.random() / 100)

    async def disturb(self) -> None:
        """Cut listeners, forget all of Redis, or what it knows of changes."""
        while self.going:
            await deferLater(reactor, self.random.random() / 5)
            match self.random.randrange(3):
                case 0 | 1:
                    ask(self.url, CUT)
                case 2:
                    self.redis.flushdb()

    async def comes_to_rest(self) -> None:
        """Wait until every process has caught up with what was committed."""
        last = await self.workers[0].database.read(journal.last_serial)
        await until(lambda: all(one.healthy and one.known.last == last for one in self.workers))

    async def shows_nothing_old(self) -> None:
        """Every process shows every project as it was acknowledged last, or later."""
        for worker in self.workers:
            assert worker.healthy
            for name in NAMES:
                page = await worker.page(name)
                assert int(page.body) >= self.acknowledged[name], worker


@pytest_twisted.async_yield_fixture
async def town(database_url: str, servers: Urls) -> AsyncIterator[Town]:
    """Three processes and some projects."""
    random = Random(9)
    redis = Redis(servers.redis, reactor, timeout=0.5)
    await redis.start()
    await until(lambda: redis._factory.size == redis.connections)
    name = f"hints-{next(_numbers)}"
    workers = [
        Worker(Database(database_url, reactor), RedisStore(redis, Known(), name=name), random)
        for _ in range(3)
    ]
    for project in NAMES:
        await workers[0].database.transact(projects.add, project, now=NOW)
    for worker in workers:
        await worker.start()
    with closing(PlainRedis(unix_socket_path=servers.redis.removeprefix("unix://"))) as plain_redis:
        yield Town(workers, database_url, plain_redis, random)
    for worker in workers:
        await worker.stop()
        await worker.database.stop()
    await redis.stop()


@pytest.mark.parametrize("seconds", [2.0, pytest.param(60.0, marks=pytest.mark.long)])
async def test_hints_are_lost(town: Town, seconds: float) -> None:
    """Listeners are cut and Redis is emptied while all read and write; then nothing outdated is left.

    All the while, whoever acknowledged a change shows nothing older.
    """
    work = [
        *map(town.write, town.workers),
        *map(town.read, town.workers),
        *map(town.read, town.workers),
        town.disturb(),
    ]
    working = gatherResults(list(map(Deferred.fromCoroutine, work)), consumeErrors=True)
    await deferLater(reactor, seconds)
    await until(lambda: max(worker.notifications.connected for worker in town.workers) > 1)
    town.going = False
    await working
    await town.comes_to_rest()
    await town.shows_nothing_old()
    assert any(town.acknowledged.values())
    last = await town.workers[0].database.read(journal.last_serial)
    assert {worker.known.last for worker in town.workers} == {last}


async def test_without_any_hint(town: Town) -> None:
    """With nobody listening at all, every process finds a change by itself, and shows it."""
    for worker in town.workers:
        await worker.notifications.stop()
    for name in FEW:
        for worker in town.workers:
            await worker.page(name)
        town.acknowledged[name] = await town.workers[0].publish(name)
    await town.comes_to_rest()
    await town.shows_nothing_old()


async def test_the_announcer_dies_before_it_says_so(town: Town) -> None:
    """A process that dies between commit and announcement leaves nothing old in memory or Redis."""
    first, *others = town.workers
    name = NAMES[0]
    for worker in town.workers:
        await worker.page(name)
    serial = await first.database.transact(publish, name, False)
    await first.stop()
    town.workers = others
    town.acknowledged[name] = serial
    await until(lambda: all(worker.known.last == serial for worker in others))
    await town.shows_nothing_old()
    await first.start()


async def test_a_slow_render_loses(town: Town) -> None:
    """A page that was read before a change and is ready after it is kept nowhere, however it is timed."""
    writer, slow, _ = town.workers
    for name in FEW * 4:
        filling = Deferred.fromCoroutine(slow.fill(name))
        town.acknowledged[name] = await writer.publish(name)
        await filling
        found = await writer.store.get(name)
        assert isinstance(found, Turn) or int(found.body) >= town.acknowledged[name]
        await until(lambda: slow.known.last == writer.known.last)
    await town.shows_nothing_old()


async def test_two_changes_in_a_moment(town: Town) -> None:
    """The second of two changes that follow each other closely is not lost in the wake of the first."""
    for turn in range(30):
        name = FEW[turn % 3]
        one, other, third = town.workers
        reading = Deferred.fromCoroutine(third.page(name))
        serials = await gatherResults(
            [
                Deferred.fromCoroutine(one.publish(name)),
                Deferred.fromCoroutine(other.publish(name)),
                reading.addCallback(lambda _: 0),
            ]
        )
        town.acknowledged[name] = max(serials)
        await until(lambda: all(worker.known.last >= max(serials) for worker in town.workers))  # noqa: B023
        await town.shows_nothing_old()


async def test_lagging_behind(town: Town) -> None:
    """A process that was not told of a change finds in the shared store at most what is true."""
    writer, lagging, _ = town.workers
    await lagging.notifications.stop()
    await lagging.invalidations.stop()
    for name in FEW:
        await writer.page(name)
        serial = await writer.publish(name)
        found = await lagging.store.get(name)
        assert isinstance(found, Turn) or int(found.body) >= serial
    await lagging.start()
