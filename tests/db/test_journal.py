"""The journal's serial: without gaps, and in the order in which changes become visible."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import journal, projects
from pypi.domain.changes import Change, FileAdded, ProjectCreated
from pypi.domain.names import normalize
from tests.support.databases import Databases

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture
def url(databases: Databases) -> Any:
    made = databases.make()
    yield made
    databases.drop(made)


@pytest_twisted.async_yield_fixture
async def database(url: str) -> AsyncIterator[Database]:
    made = Database(url, reactor, size=10, patience=30)
    yield made
    await made.stop()


def created(name: str) -> Change:
    return ProjectCreated(project=normalize(name), name=name, actor="ada")


async def write(cursor: Cursor, name: str, lines: int, pause: float, fail: bool) -> int:
    await projects.add(cursor, name, now=NOW)
    added = [
        FileAdded(
            project=normalize(name),
            name=name,
            actor="ada",
            version="1",
            filename="f",
            python_version="source",
        )
        for _ in range(lines - 1)
    ]
    serial = await journal.write(cursor, [created(name), *added], now=NOW)
    await deferLater(reactor, pause)
    if fail:
        raise LookupError(name)
    return serial


async def test_serials_have_no_gaps_and_appear_in_order(database: Database) -> None:
    """Eight writers, some of whom fail after their serial was allotted; a reader misses nothing.

    The reader remembers the last serial it saw and asks for what came after: every line that was ever
    committed reaches it, once, in order. With an ordinary sequence it would miss about a third.
    """
    random = Random(4)
    seen: list[int] = []
    writing = True

    async def tail() -> None:
        while True:
            last_round = not writing
            rows = await database.read(journal.since, seen[-1] if seen else 0)
            seen.extend(row.serial for row in rows)
            if last_round and not rows:
                return

    committed = 0

    async def writer(number: int) -> None:
        nonlocal committed
        for turn in range(30):
            lines = random.randint(1, 4)
            fail = random.random() < 0.2
            try:
                await database.transact(write, f"p{number}-{turn}", lines, random.random() / 500, fail)
                committed += lines
            except LookupError:
                pass

    tailing = Deferred.fromCoroutine(tail())
    await gatherResults([Deferred.fromCoroutine(writer(n)) for n in range(8)])
    writing = False
    await tailing
    assert seen == list(range(1, committed + 1))


async def test_a_project_knows_its_last_serial(database: Database) -> None:
    """The serial of a project is that of its last line, not of the index."""
    first = await database.transact(write, "One", 2, 0, False)
    second = await database.transact(write, "Two", 1, 0, False)
    one = await database.read(projects.by_name, normalize("one"))
    assert one is not None
    assert (first, second, one.last_serial) == (2, 3, 2)
    assert await database.read(journal.last_serial) == 3


async def test_lines_read_as_mirrors_expect_them(database: Database) -> None:
    """The words of an action are those of the public index's changelog."""
    await database.transact(write, "One", 2, 0, False)
    rows = await database.read(journal.since, 0)
    assert [(row.name, row.version, row.action, row.actor) for row in rows] == [
        ("One", None, "create", "ada"),
        ("One", "1", "add source file f", "ada"),
    ]


async def test_what_caches_hear_of(database: Database) -> None:
    """Lines after a serial with the tags of what they touched, in order, as many as are asked for."""
    await database.transact(write, "One", 2, 0, False)
    await database.transact(write, "Two", 1, 0, False)
    everything = ["all-projects", "journal", "search"]
    found = await database.read(journal.changes_since, 0, 10)
    assert [(serial, sorted(tags)) for serial, tags in found] == [
        (1, sorted([*everything, "project/one"])),
        (2, sorted([*everything, "project/one"])),
        (3, sorted([*everything, "project/two"])),
    ]
    assert [serial for serial, _ in await database.read(journal.changes_since, 1, 1)] == [2]
    assert await database.read(journal.changes_since, 3, 10) == []


async def test_changes_of_several_projects(database: Database) -> None:
    """Changes made together have serials in the order they were written in; each project has the last."""

    async def both(cursor: Cursor) -> int:
        for name in ("One", "Two"):
            await projects.add(cursor, name, now=NOW)
        return await journal.write(cursor, [created("Two"), created("One"), created("Two")], now=NOW)

    assert await database.transact(both) == 3
    rows = await database.read(journal.since, 0)
    assert [(row.serial, row.name) for row in rows] == [(1, "Two"), (2, "One"), (3, "Two")]
    for name in ("one", "two"):
        project = await database.read(projects.by_name, normalize(name))
        assert project is not None
        assert project.last_serial == 3
