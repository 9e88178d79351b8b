"""How much there is, and what is newest."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_twisted
from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from pypi.db.database import Database
from pypi.db.queries.statistics import LargeRow, TotalsRow
from pypi.index.statistics import MANY, RARELY, Counted, Statistics, months_until
from tests.support.databases import ask

NOW = datetime(2026, 3, 7, 12, tzinfo=UTC)

FILL = """
    INSERT INTO projects (name, normalized, look_alike, status, created) VALUES
        ('Old', 'old', '', 'active', '2024-01-01'), ('New', 'new', '', 'active', '2026-02-02'),
        ('Bad', 'bad', '', 'quarantined', '2026-03-03'), ('none', 'none', '', 'active', '2026-03-04');
    INSERT INTO releases (project_id, version, canonical, is_prerelease, summary, metadata, yanked, created)
        SELECT p.id, v, c, false, p.name || ' ' || v, '{}', y::timestamptz, at::timestamptz
          FROM (VALUES ('Old', '1.0', '1', NULL, '2024-01-01'), ('Old', '2.0', '2', NULL, '2026-03-05'),
                       ('Old', '2.1', '2.1', '2026-03-06', '2026-03-06'),
                       ('Old', '1.1', '1.1', NULL, '2025-04-01 00:00+00'),
                       ('New', '1', '1', NULL, '2026-02-28 23:59+00'), ('Bad', '1', '1', NULL, '2026-03-03')
               ) AS given (project, v, c, y, at) JOIN projects p ON p.name = project;
    INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,
                       blake2_256, uploaded)
        SELECT r.project_id, r.id, r.id || kind, kind, 'py3', size, repeat('a', 32), repeat('b', 64),
               lpad(r.id::text || length(kind)::text, 64, '0'), now()
          FROM (VALUES ('Old', '1.0', 'sdist', 10), ('Old', '2.0', 'sdist', 20), ('New', '1', 'sdist', 5),
                       ('New', '1', 'bdist_wheel', 6000000000), ('Bad', '1', 'sdist', 1000)
               ) AS given (project, v, kind, size)
          JOIN projects p ON p.name = project JOIN releases r ON r.project_id = p.id AND r.version = v;
    INSERT INTO search SELECT * FROM search_documents;
    INSERT INTO journal (serial, action, tags, at) VALUES (1, 'create', '{}', now());"""


@pytest_twisted.async_yield_fixture
async def statistics(database_url: str) -> AsyncIterator[Statistics]:
    """Of an index on which nobody has done anything."""
    database = Database(database_url, reactor, size=1)
    yield Statistics(database, lambda: NOW)
    await database.stop()


@pytest.fixture
def filled(statistics: Statistics) -> Statistics:
    """Of an index with some projects, one of them in quarantine, and one without a release."""
    ask(statistics.database.dsn, FILL)
    return statistics


async def test_nothing(statistics: Statistics) -> None:
    """Of nothing there is nothing."""
    news = await statistics.news()
    assert (news.serial, [*news.latest], [*news.new_projects]) == (0, [], [])
    summary = await statistics.summary()
    assert summary.totals == await statistics.totals(0) == TotalsRow(0, 0, 0, 0, 0, 0)
    assert [*summary.largest] == []
    assert {month.releases for month in summary.months} == {0}


async def test_news(filled: Statistics) -> None:
    """The newest releases and projects, each project once, without what is yanked or in quarantine."""
    news = await filled.news()
    assert [(new.name, new.version, new.created.day) for new in news.latest] == [
        ("Old", "2.0", 5),
        ("New", "1", 28),
    ]
    assert [(new.name, new.version, new.summary) for new in news.new_projects] == [
        ("New", "1", "New 1"),
        ("Old", "2.0", "Old 2.0"),
    ]
    assert news.serial == 1


async def test_summary(filled: Statistics) -> None:
    """All is counted but what is in quarantine; months without a release count, too."""
    summary = await filled.summary()
    assert summary.totals == TotalsRow(1, 3, 5, 4, 1, 6_000_000_035)
    assert [*summary.largest] == [LargeRow("New", 2, 6_000_000_005), LargeRow("Old", 2, 30)]
    assert [month.begins for month in summary.months] == months_until(NOW)
    assert [month.releases for month in summary.months] == [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2]
    assert summary.counted == NOW


async def test_at_once(filled: Statistics) -> None:
    """A change is counted as soon as its serial is known; what happens without one is none."""
    assert (await filled.totals(1)).releases == 5
    ask(filled.database.dsn, "DELETE FROM releases WHERE version = '1.1'")
    assert (await filled.totals(1)).releases == 5
    ask(filled.database.dsn, "INSERT INTO journal (serial, action, tags, at) VALUES (2, 'x', '{}', now())")
    assert (await filled.totals(2)).releases == 4
    assert (await filled.summary()).totals.releases == 4


async def test_forgotten() -> None:
    """What must not be counted any more is counted anew, be it in a count that is under way."""
    counts: list[Deferred[tuple[int, TotalsRow]]] = []

    def count() -> Deferred[tuple[int, TotalsRow]]:
        counts.append(Deferred())
        return counts[-1]

    counted = Counted(count, Clock().seconds)
    totals = TotalsRow(serial=1, projects=1, releases=1, files=MANY, wheels=0, size=0)
    first = ensureDeferred(counted.get(1))
    counted.forget()
    counts[0].callback((1, totals))
    assert await first == 1
    second = ensureDeferred(counted.get(1))
    counts[1].callback((2, totals))
    assert await second == await counted.get(1) == 2
    counted.forget()
    third = ensureDeferred(counted.get(1))
    counts[2].callback((3, totals))
    assert await third == 3


@pytest.mark.parametrize(("files", "expected"), [(MANY - 1, [1, 2, 3, 3, 4]), (MANY, [1, 1, 1, 1, 2])])
def test_many_are_counted_rarely(files: int, expected: list[int]) -> None:
    """What takes long to count is counted every few minutes at most; anything else after each change."""
    clock, serial = Clock(), 0
    row = TotalsRow(0, 0, 0, files, 0, 0)

    async def count() -> tuple[int, TotalsRow]:
        nonlocal row
        row = evolve(row, serial=serial, projects=row.projects + 1)
        return row.projects, row

    counted = Counted(count, clock.seconds)

    def ask(now_at: int, after: float = 0.0) -> int:
        nonlocal serial
        serial = now_at
        clock.advance(after)
        return ensureDeferred(counted.get(serial)).result

    assert [ask(0), ask(1), ask(2), ask(2, RARELY - 1), ask(2, 1)] == expected


def test_months() -> None:
    """The last twelve, over the turn of the year."""
    begins = months_until(datetime(2026, 1, 31, 23, 59, tzinfo=UTC))
    assert (len(begins), begins[0], begins[-1]) == (
        12,
        datetime(2025, 2, 1, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
    )
