"""Keeping the use of features: added once a minute, once each, whatever becomes of the database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from attrs import define, field
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT
from twisted.internet.defer import Deferred, gatherResults

from caching.stats import Routes
from pypi.db.database import Database, DatabaseDown, OutcomeUnknown
from pypi.db.queries import usage as kept
from pypi.db.queries.fate import fate, transaction
from pypi.db.queries.usage import Added
from pypi.domain.usage import Use
from pypi.http.log_lines import Combined
from pypi.http.overheard import Overheard
from pypi.http.usage import Usage
from pypi.jobs import once
from pypi.jobs.usage import ForgetUsage, KeepUsage
from tests.support.databases import ask
from tests.support.index import reactor

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PIP = b"pip/24.0"
ROWS = "SELECT day::text, feature, family, count FROM usage ORDER BY 1, 2, 3"

DIE_AT_COMMIT = """
    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON usage
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"""


class SaysNothing(Database):
    """A database that commits, and is lost before it can say so."""

    async def transact(self, function: Any, *args: Any, **kwargs: Any) -> Any:
        """Commit, and say nothing."""
        await super().transact(function, *args, **kwargs)
        raise OutcomeUnknown()


@define
class Worker:
    """A worker that counts, and adds what it has counted."""

    url: str
    kind: type[Database] = Database
    now: datetime = NOON
    usage: Usage = field(init=False)
    database: Database = field(init=False)
    job: KeepUsage = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.usage = Usage(Routes(), Overheard(Combined()), lambda: None, lambda: self.now)
        self.database = self.kind(self.url, reactor, size=2)
        self.job = KeepUsage(self.usage, self.database, reactor)

    def count(self, feature: str = "json.project", agent: bytes = PIP, times: int = 1) -> None:
        """Some requests are over."""
        for _ in range(times):
            self.usage.count((feature,), agent)

    def kept(self) -> list[tuple[object, ...]]:
        """What is in the database."""
        return ask(self.url, ROWS)


@pytest_twisted.async_yield_fixture
async def worker(database_url: str) -> AsyncIterator[Worker]:
    made = Worker(database_url)
    yield made
    await made.database.stop()


@contextmanager
def away(url: str) -> Iterator[None]:
    """The database takes nobody, and ends whoever is there."""
    name = url.partition("?")[0].rpartition("/")[2]
    connection = psycopg2.connect(url.replace(f"/{name}?", "/postgres?"))
    connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    cursor = connection.cursor()
    try:
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        yield
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    finally:
        connection.close()


async def test_counts_are_added(worker: Worker) -> None:
    """What was counted since the last time is added to what is there; where nothing was, nothing is done."""
    worker.count(times=2)
    worker.count("simple.html", b"curl/8")
    await worker.job.run()
    await worker.job.run()
    worker.count()
    await worker.job.run()
    assert worker.kept() == [
        ("2026-11-21", "json.project", "pip 24", 3),
        ("2026-11-21", "simple.html", "curl", 1),
    ]
    assert ask(worker.url, "SELECT DISTINCT last_seen FROM usage") == [(NOON,)]


async def test_workers_add_to_the_same_rows(database_url: str) -> None:
    """All workers add at once, each its own counts, and none is lost."""
    workers = [Worker(database_url) for _ in range(4)]
    for number in range(5):
        for one in workers:
            one.count(times=10)
            one.count("simple.html", b"pip/%d" % number, times=3)
        await gatherResults([Deferred.fromCoroutine(one.job.run()) for one in workers])
    rows = workers[0].kept()
    assert rows[0] == ("2026-11-21", "json.project", "pip 24", 200)
    assert [row[3] for row in rows[1:]] == [12] * 5
    for one in workers:
        await one.database.stop()


async def test_the_database_goes_away_and_comes_back(worker: Worker) -> None:
    """What cannot be added waits, with what is counted meanwhile, and is added when the database is back."""
    worker.count(times=2)
    await worker.job.run()
    with away(worker.url):
        for _ in range(2):
            worker.count(times=5)
            with pytest.raises(DatabaseDown):
                await worker.job.run()
        worker.now += timedelta(days=1)
        worker.count()
    await worker.job.run()
    assert worker.kept() == [
        ("2026-11-21", "json.project", "pip 24", 12),
        ("2026-11-22", "json.project", "pip 24", 1),
    ]


async def test_a_commit_that_did_not_happen(worker: Worker) -> None:
    """Where a connection is lost while committing, the database is asked, and what it lost is added."""
    ask(worker.url, DIE_AT_COMMIT)
    worker.count(times=3)
    await worker.job.run()
    assert worker.kept() == []
    ask(worker.url, "DROP TRIGGER at_commit ON usage")
    worker.count()
    await worker.job.run()
    assert worker.kept() == [("2026-11-21", "json.project", "pip 24", 4)]


async def test_a_commit_that_happened_unheard(database_url: str) -> None:
    """What was committed all the same is not added twice."""
    worker = Worker(database_url, SaysNothing)
    for _ in range(3):
        worker.count()
        await worker.job.run()
    assert worker.kept() == [("2026-11-21", "json.project", "pip 24", 3)]
    await worker.database.stop()


async def test_a_transaction_of_another_server(worker: Worker) -> None:
    """A database that was set back knows nothing of the transaction: it did not happen."""
    assert await worker.database.ask(fate, str((1 << 60) + 99)) == "aborted"
    number = await worker.database.transact(transaction)
    assert await worker.database.ask(fate, number) == "committed"


async def test_stopping(worker: Worker) -> None:
    """A worker that ends adds what it counted last."""
    worker.count()
    await worker.job.stop()
    assert worker.kept() == [("2026-11-21", "json.project", "pip 24", 1)]


async def test_stopping_without_a_database(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ends waits for no database for long."""
    monkeypatch.setattr(once, "PATIENCE", 0.05)
    with away(worker.url):
        worker.count()
        await worker.job.stop()
    assert worker.kept() == []


async def test_rows_of_a_day_are_bounded(worker: Worker) -> None:
    """What is new on a day that has enough rows counts as other clients; what is there goes on."""

    async def add(most: int, *families: str, day: str = "2026-11-21") -> None:
        rows = [Added(day, "json.project", family, 2, NOON) for family in families]
        await worker.database.transact(kept.add, rows, most)

    await add(3, "a", "b")
    await add(3, "a", "c", "d", "e")
    await add(3, "f", "a")
    await add(3, "f", day="2026-11-22")
    rows = [(str(day)[-2:], family, count) for day, _, family, count in worker.kept()]
    assert sorted(count for day, _, count in rows if day == "21") == [2, 2, 6, 6]
    assert ("21", "a", 6) in rows
    assert ("21", "other", 6) in rows
    assert rows[-1] == ("22", "f", 2)


async def test_reading(worker: Worker) -> None:
    """The uses of some days are sums over them, and with them comes the first day of all."""
    for days, family in ((0, "a"), (1, "a"), (2, "b"), (40, "c")):
        seen = NOON - timedelta(days=days)
        row = Added(seen.date().isoformat(), "json.project", family, 5, seen)
        await worker.database.transact(kept.add, [row])
    uses, first = await worker.job.since(date(2026, 11, 19))
    assert uses == [
        Use("json.project", "a", 10, NOON),
        Use("json.project", "b", 5, NOON - timedelta(days=2)),
    ]
    assert first == date(2026, 10, 12)


async def test_old_days_are_forgotten(worker: Worker) -> None:
    """What was used more than 400 days ago is forgotten."""
    for days in (399, 400, 401, 1000):
        day = (NOON - timedelta(days=days)).date().isoformat()
        await worker.database.transact(kept.add, [Added(day, "json.project", "a", 1, NOON)])
    await ForgetUsage(database=worker.database, now=lambda: NOON).run()
    assert [row[0] for row in worker.kept()] == ["2025-10-17", "2025-10-18"]
    assert ForgetUsage.every == 24 * 3600
