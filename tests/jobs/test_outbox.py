"""The outbox: every errand of a committed change is done at least once, and none is dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.logger import LogEvent, LogLevel, globalLogPublisher

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import outbox
from pypi.db.queries.outbox import Errand
from pypi.jobs.outbox import CLAIM, Follow, Handler, Outbox, Stats
from tests.support.archives import wheel, wheel_filename
from tests.support.databases import ask
from tests.support.index import eventually, reactor, running

START = datetime(2026, 5, 1, tzinfo=UTC)


class Die:
    """Jitter that tests choose."""

    def __init__(self, thrown: float) -> None:
        self.random = lambda: thrown


@define(eq=False)
class Post:
    """An outbox on a database, with what was done and a clock that tests turn.

    Attributes:
        done: (serial, payload) of the errands done, in order.
        calls: serials of each batch.
        fails: serials of errands whose batch fails.
        asks: seconds a failure asks to be left alone.
        slow: seconds each batch takes.
        batch: errands in one go.
        follow: what errands become.
    """

    database: Database
    url: str
    time: datetime = START
    done: list[tuple[int, object]] = field(factory=list)
    calls: list[list[int]] = field(factory=list)
    fails: set[int] = field(factory=set)
    asks: float | None = None
    slow: float = 0.0
    batch: int = 1
    jitter: float = 1.0
    follow: Follow | None = None
    job: Outbox = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.job = self.another()

    def another(self) -> Outbox:
        """The job, as another worker has it."""
        return Outbox(
            database=self.database,
            reactor=reactor,
            now=lambda: self.time,
            handlers={"purge": Handler(do=self.purge, batch=self.batch)},
            random=Die(self.jitter),  # type: ignore[arg-type]
        )

    async def purge(self, errands: Sequence[Errand]) -> Follow | None:
        """Do a batch of errands."""
        self.calls.append([errand.serial for errand in errands])
        if self.slow:
            await deferLater(reactor, self.slow)
        if self.fails & {errand.serial for errand in errands}:
            error = ConnectionError("the cache is away")
            error.retry_after = self.asks  # type: ignore[attr-defined]
            raise error
        self.done += [(errand.serial, dict(errand.payload)) for errand in errands]
        return self.follow

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
    post.batch = 256
    await post.ask_for(*range(600))
    await post.another().run()
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
        post.time += timedelta(days=1)
        await post.job.run()
        assert post.left == [(2, attempts, pause)]
    post.fails = set()
    post.time += timedelta(seconds=8)
    await post.job.run()
    assert [serial for serial, _ in post.done] == [1, 3, 2]
    assert post.left == []


async def test_longest_pause(post: Post) -> None:
    """However often an errand failed, it is tried again within a minute, for ever."""
    post.fails = {1}
    await post.ask_for(1)
    for attempts, pause in ((5, 32.0), (6, 60.0), (50, 60.0), (100_000, 60.0)):
        ask(post.url, f"UPDATE outbox SET attempts = {attempts}")
        post.time += timedelta(days=1)
        await post.job.run()
        assert post.left == [(1, attempts + 1, pause)]


@pytest.mark.parametrize(("jitter", "asks", "pause"), [(0.0, None, 2.0), (0.5, 3.5, 3.5), (1.0, 9e9, 60.0)])
async def test_pauses_differ(post: Post, jitter: float, asks: float | None, pause: float) -> None:
    """Up to half of a pause is left to chance; what failed may ask for a longer one, within reason."""
    post.jitter, post.asks, post.fails = jitter, asks, {1}
    await post.ask_for(1)
    ask(post.url, "UPDATE outbox SET attempts = 2")
    await post.another().run()
    assert post.left == [(1, 3, pause)]


async def test_in_one_go(post: Post) -> None:
    """Errands of a kind that is done in batches are done so; a batch that fails is tried again, whole."""
    post.batch, post.fails = 3, {5}
    job = post.another()
    await post.ask_for(1, 2, 3, 4, 5, 6, 7)
    await job.run()
    assert post.calls == [[1, 2, 3], [4, 5, 6], [7]]
    assert post.left == [(4, 1, 1.0), (5, 1, 1.0), (6, 1, 1.0)]


async def test_followed_by_another(post: Post) -> None:
    """An errand may become one of another kind, due later, of which nothing is known yet."""
    post.follow = Follow(kind="purge-again", after=timedelta(seconds=2))
    post.fails = {1}
    await post.ask_for(1)
    await post.job.run()
    post.fails, post.time = set(), START + timedelta(seconds=1)
    await post.job.run()
    assert ask(post.url, "SELECT kind FROM outbox") == [("purge-again",)]
    assert post.left == [(1, 0, 2.0)]


async def test_nothing_is_locked_meanwhile(post: Post) -> None:
    """While an errand is being done, however long that takes, no transaction is open and no row is locked."""
    post.slow = 0.5
    await post.ask_for(1)
    running_job = Deferred.fromCoroutine(post.job.run())
    await eventually(lambda: post.calls)
    ask(post.url, "SET lock_timeout = '1s'; UPDATE outbox SET payload = payload")
    others = ask(
        post.url,
        "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    assert {state for (state,) in others} == {"idle"}
    assert not running_job.called
    await running_job
    assert post.left == []


async def test_a_claim_is_kept(post: Post) -> None:
    """Nobody else does what somebody is at, even if that takes longer than a claim holds."""
    post.slow = 2.5
    await post.ask_for(1)
    slow = Deferred.fromCoroutine(post.job.run())
    await eventually(lambda: post.calls)
    post.time += CLAIM - timedelta(seconds=0.1)
    await eventually(lambda: post.left == [(1, 0, CLAIM.total_seconds())])
    post.time += timedelta(seconds=1)
    await post.another().run()
    await slow
    assert post.calls == [[1]]


async def test_a_claim_of_the_dead(post: Post) -> None:
    """What somebody claimed and did not do is soon done by somebody else."""
    await post.ask_for(1)
    claimed = await post.database.transact(
        outbox.claim, "purge", now=post.time, until=post.time + CLAIM, limit=10
    )
    assert [errand.serial for errand in claimed] == [1]
    await post.job.run()
    assert post.calls == []
    post.time += CLAIM
    await post.job.run()
    assert (post.calls, post.left) == ([[1]], [])


async def test_stopped_in_the_middle(post: Post) -> None:
    """Whoever is stopped breaks off what hangs; it is not forgotten, and has not failed."""
    post.slow = 60.0
    await post.ask_for(1)
    hanging = Deferred.fromCoroutine(post.job.run())
    await eventually(lambda: post.calls)
    await post.job.stop()
    await hanging
    assert post.left == [(1, 0, CLAIM.total_seconds())]


async def test_told_of_what_is_left(post: Post) -> None:
    """How much is left, and for how long, can be read; the operator is told after a minute, once a minute."""
    post.fails = {1, 2}
    await post.ask_for(1, 2)
    with alarms() as told:
        await post.another().run()
        post.time += timedelta(seconds=59)
        assert told == []
        post.time += timedelta(seconds=1)
        job = post.another()
        await job.run()
        await job.run()
    assert [(one["waiting"], one["age_seconds"]) for one in told] == [(2, 60.0)]
    assert job.stats() == Stats(waiting=2, age=60.0, done=0, failed=2)
    post.time += timedelta(seconds=5)
    assert job.stats().age == 65.0


@contextmanager
def alarms() -> Iterator[list[LogEvent]]:
    """What the operator is told as critical."""
    told: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical:
            told.append(event)

    observer: Any = observe
    globalLogPublisher.addObserver(observer)
    try:
        yield told
    finally:
        globalLogPublisher.removeObserver(observer)


async def test_two_workers(post: Post) -> None:
    """Two who empty one outbox at once do each errand once, and wait for each other never."""
    post.slow = 0.005
    await post.ask_for(*range(20))
    await gatherResults([Deferred.fromCoroutine(post.another().run()) for _ in range(2)])
    assert sorted(serial for serial, _ in post.done) == list(range(20))
    assert post.left == []


async def test_emptied_by_the_running_index(database_url: str, tmp_path: Path) -> None:
    """The index empties its outbox by itself, moments after an upload."""
    async with running(database_url, tmp_path, scheduled=True) as index:
        assert (await index.upload(wheel(), wheel_filename())).status == 200
        await eventually(lambda: not index.sql("SELECT 1 FROM outbox"))
