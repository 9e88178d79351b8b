"""The outbox: every errand of a committed change is done at least once, and none is dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest_twisted
from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import outbox
from pypi.db.queries.outbox import Errand
from pypi.jobs.outbox import Outbox
from tests.support.archives import wheel, wheel_filename
from tests.support.databases import ask
from tests.support.index import eventually, running

START = datetime(2026, 5, 1, tzinfo=UTC)


@define(eq=False)
class Post:
    """An outbox on a database, with what was done and a clock that tests turn.

    Attributes:
        done: (serial, payload) of the errands done, in order.
        fails: serials of errands that fail.
        slow: seconds each errand takes.
    """

    database: Database
    url: str
    time: datetime = START
    done: list[tuple[int, object]] = field(factory=list)
    fails: set[int] = field(factory=set)
    slow: float = 0.0

    @property
    def job(self) -> Outbox:
        """The job, with one kind it can do."""
        return Outbox(database=self.database, now=lambda: self.time, handlers={"purge": self.purge})

    async def purge(self, errand: Errand) -> None:
        """Do an errand."""
        if self.slow:
            await deferLater(reactor, self.slow)  # type: ignore[arg-type]
        if errand.serial in self.fails:
            raise ConnectionError("the cache is away")
        self.done.append((errand.serial, dict(errand.payload)))

    async def ask_for(self, *serials: int, kind: str = "purge", fail: bool = False) -> None:
        """Commit a change that asks for errands."""

        async def change(cursor: Cursor) -> None:
            for serial in serials:
                await outbox.add(
                    cursor, serial=serial, kind=kind, payload={"tags": [f"{serial}"]}, now=self.time
                )
            if fail:
                raise LookupError

        await self.database.transact(change)

    @property
    def left(self) -> list[tuple[object, ...]]:
        """(serial, attempts, seconds until it is due) of what is still to be done."""
        rows = ask(self.url, "SELECT serial, attempts, due FROM outbox ORDER BY id")
        return [
            (serial, attempts, (due - self.time).total_seconds())  # type: ignore[operator]
            for serial, attempts, due in rows
        ]


@pytest_twisted.async_yield_fixture
async def post(database_url: str) -> AsyncIterator[Post]:
    database = Database(database_url, reactor)
    yield Post(database, database_url)
    await database.stop()


async def test_done_in_order(post: Post) -> None:
    """Errands are done, oldest first, and forgotten."""
    await post.ask_for(1, 2)
    await post.ask_for(3)
    await post.job.run()
    assert post.done == [(serial, {"tags": [f"{serial}"]}) for serial in (1, 2, 3)]
    assert post.left == []
    await post.job.run()
    assert len(post.done) == 3


async def test_nothing_uncommitted(post: Post) -> None:
    """A change that was rolled back asks for nothing."""
    with suppress(LookupError):
        await post.ask_for(1, fail=True)
    await post.job.run()
    assert (post.done, post.left) == ([], [])


async def test_many(post: Post) -> None:
    """More errands than one batch holds are done in one run."""
    await post.ask_for(*range(600))
    await post.job.run()
    assert [serial for serial, _ in post.done] == list(range(600))


async def test_errands_for_nobody(post: Post) -> None:
    """An errand of a kind nobody handles is done by doing nothing."""
    await post.ask_for(1, kind="webhook")
    await post.job.run()
    assert (post.done, post.left) == ([], [])


async def test_failing_errand(post: Post) -> None:
    """An errand that fails is tried again, later each time, and keeps no other waiting."""
    post.fails = {2}
    await post.ask_for(1, 2, 3)
    await post.job.run()
    assert [serial for serial, _ in post.done] == [1, 3]
    assert post.left == [(2, 1, 1.0)]
    await post.job.run()
    assert post.left == [(2, 1, 1.0)]
    for attempts, pause in ((2, 2.0), (3, 4.0), (4, 8.0)):
        post.time = START + timedelta(days=attempts)
        await post.job.run()
        assert post.left == [(2, attempts, pause)]
    post.fails = set()
    post.time += timedelta(seconds=8)
    await post.job.run()
    assert [serial for serial, _ in post.done] == [1, 3, 2]
    assert post.left == []


async def test_longest_pause(post: Post) -> None:
    """However often an errand failed, it is tried again within minutes, for ever."""
    post.fails = {1}
    await post.ask_for(1)
    for attempts, pause in ((9, 512.0), (10, 600.0), (50, 600.0), (100_000, 600.0)):
        ask(post.url, f"UPDATE outbox SET attempts = {attempts}")
        post.time += timedelta(days=1)
        await post.job.run()
        assert post.left == [(1, attempts + 1, pause)]


async def test_two_workers(post: Post) -> None:
    """Two who empty one outbox at once do each errand once, and wait for each other never."""
    post.slow = 0.005
    await post.ask_for(*range(20))
    await gatherResults([Deferred.fromCoroutine(post.job.run()) for _ in range(2)])
    assert sorted(serial for serial, _ in post.done) == list(range(20))
    assert post.left == []


async def test_emptied_by_the_running_index(database_url: str, tmp_path: Path) -> None:
    """The index empties its outbox by itself, moments after an upload."""
    async with running(database_url, tmp_path, scheduled=True) as index:
        assert (await index.upload(wheel(), wheel_filename())).status == 200
        await eventually(lambda: not index.sql("SELECT 1 FROM outbox"))
