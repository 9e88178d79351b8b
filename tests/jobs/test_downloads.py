"""Keeping downloads: added once each, whatever becomes of the database; what is recent stays so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults

from pypi.db.database import Database, DatabaseDown
from pypi.domain.downloads import Popular, Totals
from pypi.http import downloaded
from pypi.http.downloaded import Downloaded
from pypi.index.downloads import Popularity
from pypi.jobs import downloads as job
from pypi.jobs import once
from pypi.jobs.downloads import KeepDownloads, TendDownloads
from tests.jobs.test_usage import SaysNothing, away
from tests.support.databases import ask
from tests.support.index import reactor

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
A_SDIST, A_WHEEL, B_WHEEL, UNKNOWN = ("1" * 64, "2" * 64, "3" * 64, "4" * 64)

CATALOGUE = """
    INSERT INTO projects (name, normalized, look_alike, created)
        SELECT initcap(name), name, '', now() FROM unnest('{a,b}'::text[]) AS name;
    INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created)
        SELECT id, '1.0', '1', false, '{}', now() FROM projects;
    INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,
                       blake2_256, uploaded)
        SELECT project_id, r.id, filename, 'sdist', '', 1, repeat('0', 32), repeat(digit, 64),
               repeat(digit, 64), now()
          FROM (VALUES ('a', '1', 'a.tar.gz'), ('a', '2', 'a.whl'), ('b', '3', 'b.whl'))
            AS given (name, digit, filename)
          JOIN projects p ON p.normalized = given.name JOIN releases r ON r.project_id = p.id;
    INSERT INTO findable (project_id, release_id, name, normalized, squashed, created, labels, words)
        SELECT p.id, r.id, p.name, p.normalized, p.normalized, r.created, '{}', ''
          FROM projects p JOIN releases r ON r.project_id = p.id"""

KEPT = """
    SELECT normalized, day::text, count FROM downloads JOIN projects ON projects.id = project_id
     ORDER BY 1, 2"""

DIE_AT_COMMIT = """
    CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT OR UPDATE ON downloads
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()"""


@define
class Worker:
    """A worker that counts, adds what it has counted, and is asked."""

    url: str
    kind: type[Database] = Database
    now: datetime = NOON
    downloaded: Downloaded = field(init=False)
    database: Database = field(init=False)
    job: KeepDownloads = field(init=False)
    tend: TendDownloads = field(init=False)
    popularity: Popularity = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.downloaded = Downloaded(lambda: self.now)
        self.database = self.kind(self.url, reactor, size=2)
        self.job = KeepDownloads(self.downloaded, self.database, reactor)
        self.tend = TendDownloads(database=self.database, now=lambda: self.now)
        self.popularity = Popularity(self.database, lambda: self.now)

    def count(self, digest: str = A_WHEEL, times: int = 1) -> None:
        """Some files were sent."""
        for _ in range(times):
            self.downloaded.count(digest)

    async def keep(self, digest: str, times: int, *, days_ago: int = 0) -> None:
        """Some files were sent on a day, and the counts were added on that day."""
        self.now = NOON - timedelta(days=days_ago)
        self.count(digest, times)
        await self.job.run()
        self.now = NOON

    def kept(self) -> list[tuple[object, ...]]:
        """What is in the database."""
        return ask(self.url, KEPT)


@pytest.fixture
def catalogue_url(database_url: str) -> str:
    """A database with two projects, and three files."""
    ask(database_url, CATALOGUE)
    return database_url


@pytest_twisted.async_yield_fixture
async def worker(catalogue_url: str) -> AsyncIterator[Worker]:
    made = Worker(catalogue_url)
    yield made
    await made.database.stop()


async def test_counts_are_added(worker: Worker) -> None:
    """They are added by project and day, by file, and to the sums; files nobody knows count for nothing."""
    worker.count(A_WHEEL, 2)
    worker.count(A_SDIST)
    worker.count(B_WHEEL, 4)
    worker.count(UNKNOWN, 8)
    await worker.job.run()
    await worker.job.run()
    worker.count(A_WHEEL)
    await worker.job.run()
    assert worker.kept() == [("a", "2026-11-21", 4), ("b", "2026-11-21", 4)]
    assert await worker.popularity.of_release("A", "1") == [("a.tar.gz", 1), ("a.whl", 3)]
    assert await worker.popularity.top(9) == [Popular("A", "a", 4), Popular("B", "b", 4)]
    assert await worker.popularity.totals() == Totals(8, 8, date(2026, 11, 21))


async def test_workers_add_to_the_same_rows(catalogue_url: str) -> None:
    """All workers add at once, each its own counts, and none is lost."""
    workers = [Worker(catalogue_url) for _ in range(4)]
    for _ in range(5):
        for one in workers:
            one.count(A_WHEEL, 10)
            one.count(B_WHEEL, 1)
        await gatherResults([Deferred.fromCoroutine(one.job.run()) for one in workers])
    assert workers[0].kept() == [("a", "2026-11-21", 200), ("b", "2026-11-21", 20)]
    assert await workers[0].popularity.top(1) == [Popular("A", "a", 200)]
    for one in workers:
        await one.database.stop()


async def test_many_files_are_added_in_batches(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run adds all that waits, some of it at a time."""
    monkeypatch.setattr(downloaded, "MOST_TAKEN", 1)
    for digest in (A_WHEEL, B_WHEEL, A_SDIST):
        worker.count(digest)
    await worker.job.run()
    assert worker.kept() == [("a", "2026-11-21", 2), ("b", "2026-11-21", 1)]


async def test_the_database_goes_away_and_comes_back(worker: Worker) -> None:
    """What cannot be added waits, under its day, and is added when the database is back."""
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
    assert worker.kept() == [("a", "2026-11-21", 12), ("a", "2026-11-22", 1)]


async def test_a_commit_that_did_not_happen(worker: Worker) -> None:
    """Where a connection is lost while committing, the database is asked, and what it lost is added."""
    ask(worker.url, DIE_AT_COMMIT)
    worker.count(times=3)
    for _ in range(2):
        await worker.job.run()
    assert worker.kept() == []
    ask(worker.url, "DROP TRIGGER at_commit ON downloads")
    worker.count()
    await worker.job.run()
    assert worker.kept() == [("a", "2026-11-21", 4)]


async def test_a_commit_that_happened_unheard(catalogue_url: str) -> None:
    """What was committed all the same is not added twice."""
    worker = Worker(catalogue_url, SaysNothing)
    for _ in range(3):
        worker.count()
        await worker.job.run()
    assert worker.kept() == [("a", "2026-11-21", 3)]
    await worker.database.stop()


async def test_stopping(worker: Worker) -> None:
    """A worker that ends adds what it counted last."""
    worker.count()
    await worker.job.stop()
    assert worker.kept() == [("a", "2026-11-21", 1)]


async def test_stopping_without_a_database(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ends waits for no database for long."""
    monkeypatch.setattr(once, "PATIENCE", 0.05)
    with away(worker.url):
        worker.count()
        await worker.job.stop()
    assert worker.kept() == []


async def test_days_in_a_row(worker: Worker) -> None:
    """Each of the last days has its number, today's last; other days and projects are not among them."""
    for days_ago, digest in (
        (0, A_WHEEL),
        (1, A_SDIST),
        (1, A_WHEEL),
        (4, A_WHEEL),
        (5, A_WHEEL),
        (2, B_WHEEL),
    ):
        await worker.keep(digest, 10 + days_ago, days_ago=days_ago)
    assert await worker.popularity.daily("A", 5) == (14, 0, 0, 22, 10)
    assert await worker.popularity.daily_of_all(5) == (14, 0, 12, 22, 10)
    assert len(await worker.popularity.daily("A")) == 90
    assert await worker.popularity.daily("unknown", 3) == (0, 0, 0)


async def test_days_pass(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was downloaded more than 30 days ago makes nobody popular; it stays in all other sums."""
    monkeypatch.setattr(job, "SUMMED", 1)
    for days_ago, digest in ((31, A_WHEEL), (30, B_WHEEL), (29, B_WHEEL), (0, B_WHEEL)):
        await worker.keep(digest, 1 + days_ago, days_ago=days_ago)
    assert await worker.popularity.top(9) == [Popular("B", "b", 62), Popular("A", "a", 32)]
    await worker.tend.run()
    assert await worker.popularity.top(9) == [Popular("B", "b", 31)]
    assert await worker.popularity.of_release("b", "1.0.0") == [("b.whl", 62)]
    assert await worker.popularity.totals() == Totals(31, 94, date(2026, 10, 21))
    await worker.keep(A_WHEEL, 5)
    await worker.tend.run()
    assert await worker.popularity.top(9) == [Popular("B", "b", 31), Popular("A", "a", 5)]


async def test_searches_know(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches are told how popular projects are, small numbers exactly, others to a sixteenth."""

    async def told() -> list[object]:
        await worker.tend.run()
        return [count for (count,) in ask(worker.url, "SELECT downloads FROM findable ORDER BY name")]

    monkeypatch.setattr(job, "TOLD", 1)
    for digest, times, expected in (
        (A_WHEEL, 1, [1, 0]),
        (B_WHEEL, 16, [1, 16]),
        (A_WHEEL, 1, [2, 16]),
        (B_WHEEL, 1, [2, 16]),
        (B_WHEEL, 1, [2, 18]),
    ):
        await worker.keep(digest, times)
        assert await told() == expected
    worker.now = NOON + timedelta(days=30)
    assert await told() == [0, 0]
    monkeypatch.setattr(job, "MOST_TOLD", 1)
    worker.count(A_WHEEL, 1)
    worker.count(B_WHEEL, 2)
    await worker.job.run()
    assert await told() == [0, 2]
    assert await told() == [1, 2]


async def test_old_days_are_forgotten(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days of projects are known for a year and some; sums ever stay."""
    monkeypatch.setattr(job, "FORGOTTEN", 1)
    for days_ago in (399, 400, 401, 402, 1000):
        await worker.keep(A_WHEEL, 1, days_ago=days_ago)
    await worker.tend.run()
    assert [day for _, day, _ in worker.kept()] == ["2025-10-17", "2025-10-18"]
    assert (await worker.popularity.totals()).ever == 5
    assert await worker.popularity.of_release("a", "1") == [("a.tar.gz", 0), ("a.whl", 5)]


async def test_what_is_gone_is_forgotten(worker: Worker) -> None:
    """Nothing is left of projects and files that were deleted, but in the sums of everything."""
    for digest in (A_SDIST, A_WHEEL, B_WHEEL):
        await worker.keep(digest, 1)
    ask(worker.url, "DELETE FROM projects WHERE normalized = 'b'; DELETE FROM files WHERE filename = 'a.whl'")
    await worker.tend.run()
    for table, left in (("downloads", 1), ("popularity", 1), ("file_downloads", 1)):
        assert ask(worker.url, f"SELECT count(*) FROM {table}") == [(left,)]
    assert (await worker.popularity.totals()).ever == 3


async def test_quarantined_projects(worker: Worker) -> None:
    """A project in quarantine is among no others, and has no files."""
    await worker.keep(A_WHEEL, 1)
    ask(worker.url, "UPDATE projects SET status = 'quarantined'")
    assert await worker.popularity.top(9) == []
    assert await worker.popularity.of_release("a", "1.0") == []


async def test_where_nobody_counts(worker: Worker) -> None:
    """Nothing is said of downloads, rather than that there are none."""
    await worker.keep(A_WHEEL, 1)
    popularity = Popularity(worker.database, lambda: NOON, counts=False)
    assert await popularity.daily("a") == await popularity.daily_of_all() == await popularity.top(9) == ()
    assert await popularity.totals() == Totals()
    assert await popularity.of_release("a", "1") == [("a.tar.gz", -1), ("a.whl", -1)]
