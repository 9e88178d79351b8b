"""Purges as errands: many changes in one call, everything twice, nothing lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest_twisted
from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults

from caching.purge import SECOND_AFTER, SECOND_AFTER_ALL, PurgeFailed
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import outbox
from pypi.jobs.outbox import Outbox
from pypi.jobs.purge import Purge, Purges
from tests.support.databases import ask
from tests.support.index import reactor

START = datetime(2026, 5, 1, tzinfo=UTC)
TWICE = timedelta(seconds=SECOND_AFTER)


@define(eq=False)
class Recorder:
    """An edge that notes what it is told.

    Attributes:
        calls: the tags of each purge that was acknowledged; ``None`` for one of everything.
        away: whether it fails.
    """

    calls: list[list[str] | None] = field(factory=list)
    away: bool = False

    async def purge(self, tags: Sequence[str], *, hard: bool = False) -> None:
        """Note tags."""
        self._note(["hard", *tags] if hard else list(tags))

    async def purge_all(self) -> None:
        """Note that everything goes."""
        self._note(None)

    def _note(self, call: list[str] | None) -> None:
        if self.away:
            raise PurgeFailed("away")
        self.calls.append(call)


@define(eq=False)
class Shop:
    """An outbox with its edge, and a clock that tests turn."""

    database: Database
    url: str
    edge: Recorder = field(factory=Recorder)
    time: datetime = START
    job: Outbox = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.job = self.worker()

    def worker(self) -> Outbox:
        """The job, as each worker has it."""
        return Outbox(
            database=self.database,
            reactor=reactor,
            now=lambda: self.time,
            handlers=Purge(purger=self.edge).handlers(),
        )

    @property
    def purges(self) -> Purges:
        """Who asks for purges that no change asks for."""
        return Purges(database=self.database, now=lambda: self.time, edge=True)

    async def change(self, *tags: str, payload: object = None) -> None:
        """Commit a change that can be seen under these tags."""

        async def write(cursor: Cursor) -> None:
            given = {"tags": list(tags)} if payload is None else payload
            await outbox.add(cursor, serial=1, kind="purge", payload=given, now=self.time)  # type: ignore[arg-type]

        await self.database.transact(write)

    @property
    def left(self) -> list[tuple[object, ...]]:
        """(kind, attempts) of what is still to be done."""
        return ask(self.url, "SELECT kind, attempts FROM outbox ORDER BY id")


@pytest_twisted.async_yield_fixture
async def shop(database_url: str) -> AsyncIterator[Shop]:
    database = Database(database_url, reactor)
    yield Shop(database, database_url)
    await database.stop()


async def test_twice(shop: Shop) -> None:
    """A change is purged at once, and again two seconds later; then it is done."""
    await shop.change("project/a", "all-projects")
    await shop.job.run()
    assert (shop.edge.calls, shop.left) == ([["project/a", "all-projects"]], [("purge-again", 0)])
    shop.time += TWICE - timedelta(milliseconds=1)
    await shop.job.run()
    assert len(shop.edge.calls) == 1
    shop.time += timedelta(milliseconds=1)
    await shop.job.run()
    assert (shop.edge.calls, shop.left) == ([["project/a", "all-projects"]] * 2, [])


async def test_many_changes_in_one_call(shop: Shop) -> None:
    """Changes that are due together are purged together, each tag once."""
    for name in "abca":
        await shop.change(f"project/{name}", "all-projects")
    await shop.job.run()
    assert shop.edge.calls == [["project/a", "all-projects", "project/b", "project/c"]]


async def test_changes_in_short_order(shop: Shop) -> None:
    """A change between the two purges of another has two of its own."""
    await shop.change("project/a")
    await shop.job.run()
    shop.time += TWICE / 2
    await shop.change("project/a")
    await shop.job.run()
    for _ in range(4):
        shop.time += TWICE / 2
        await shop.job.run()
    assert (shop.edge.calls, shop.left) == ([["project/a"]] * 4, [])


async def test_edge_away_in_between(shop: Shop) -> None:
    """An edge that fails the second purge gets that one again, not the first."""
    await shop.change("project/a")
    await shop.job.run()
    shop.time, shop.edge.away = shop.time + TWICE, True
    await shop.job.run()
    assert shop.left == [("purge-again", 1)]
    shop.time, shop.edge.away = shop.time + timedelta(minutes=1), False
    await shop.job.run()
    assert (len(shop.edge.calls), shop.left) == (2, [])


async def test_everything(shop: Shop) -> None:
    """A purge of everything is sent twice, half a minute apart; asked for twice, it is still one call."""
    errands = [await shop.purges.ask_for_all() for _ in range(2)]
    await shop.job.run()
    assert shop.edge.calls == [None]
    assert not await shop.purges.is_done(errands[0])
    shop.time += timedelta(seconds=SECOND_AFTER_ALL)
    await shop.job.run()
    assert (shop.edge.calls, shop.left) == ([None, None], [])
    assert await shop.purges.is_done(errands[0])


async def test_asked_for_by_hand(shop: Shop) -> None:
    """What nobody's change asks for is purged the same way."""
    errand = await shop.purges.ask(["project/a"])
    for _ in range(2):
        assert not await shop.purges.is_done(errand)
        await shop.job.run()
        shop.time += TWICE
    assert (shop.edge.calls, await shop.purges.is_done(errand)) == ([["project/a"]] * 2, True)


async def test_hard(shop: Shop) -> None:
    """What is withheld is purged hard, twice, and what else changed softly; a tag of both is purged hard."""
    await shop.change(payload={"tags": ["project/a", "all-projects", "withheld"], "hard": True})
    await shop.change("project/b", "all-projects")
    await shop.job.run()
    first = [["hard", "project/a", "all-projects", "withheld"], ["project/b"]]
    assert shop.edge.calls == first
    shop.time += TWICE
    await shop.job.run()
    assert (shop.edge.calls, shop.left) == (first * 2, [])
    await shop.purges.ask(["project/c"], hard=True)
    await shop.job.run()
    assert shop.edge.calls[-1] == ["hard", "project/c"]


async def test_strange_payload(shop: Shop) -> None:
    """An errand that names no tags keeps no other from being done."""
    await shop.change(payload={"other": 1})
    await shop.change("project/a")
    await shop.job.run()
    assert shop.edge.calls == [["project/a"]]


async def test_several_workers(shop: Shop) -> None:
    """Workers that empty one outbox together purge each change twice, and no more."""
    for number in range(50):
        await shop.change(f"project/{number}")
    for _ in range(2):
        workers = [shop.worker() for _ in range(4)]
        await gatherResults([Deferred.fromCoroutine(worker.run()) for worker in workers])
        shop.time += TWICE
    sent = sorted(tag for call in shop.edge.calls for tag in call or ())
    assert sent == sorted([f"project/{number}" for number in range(50)] * 2)
    assert shop.left == []
