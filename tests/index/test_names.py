"""The list of all projects: what it holds follows the database, a change at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, gatherResults

from caching.buckets import Format
from pypi.db import database as database_module
from pypi.db.database import DatabaseDown
from pypi.db.queries import projects
from pypi.index import names as module
from pypi.index.names import Listing, Names
from tests.support.databases import ask

TEXT = Format(
    name="text",
    head=lambda serial: b"%d:" % serial,
    lines=lambda lines: "".join(f" {name}@{serial}" for _, name, serial in lines).encode(),
)

Sql = Callable[[str], list[tuple[Any, ...]]]


@pytest.fixture
def sql(database_url: str) -> Sql:
    return lambda text: ask(database_url, text)


def publish(sql: Sql, serial: int, name: str) -> None:
    """What a publication leaves behind, as far as the list is concerned."""
    normalized = name.lower()
    sql(
        "INSERT INTO projects (name, normalized, look_alike, last_serial, created) "
        f"VALUES ('{name}', '{normalized}', '', {serial}, now()) "
        f"ON CONFLICT (normalized) DO UPDATE SET name = '{name}', last_serial = {serial}"
    )
    note(sql, serial, normalized)


def note(sql: Sql, serial: int, normalized: str | None) -> None:
    project = "NULL" if normalized is None else f"'{normalized}'"
    sql(f"INSERT INTO journal VALUES ({serial}, {project}, NULL, NULL, 'x', NULL, '{{}}', now())")


async def text_of(names: Names, listing: Listing | None = None) -> str:
    whole = await names.write(listing or await names.current(), TEXT)
    return b"".join(whole.plain()).decode()


async def test_nothing(names: Names) -> None:
    """An index without projects has an empty list."""
    assert await text_of(names) == "0:"
    assert await text_of(names) == "0:"
    assert repr(names) == "<Names 0 projects at 0>"


async def test_it_follows(names: Names, sql: Sql) -> None:
    """New projects, new files, new spellings and changes of nothing listed are seen by the next who asks."""
    publish(sql, 1, "Brie")
    assert await text_of(names) == "1: Brie@1"
    publish(sql, 2, "Asiago")
    assert await text_of(names) == "2: Asiago@2 Brie@1"
    publish(sql, 3, "BRIE")
    assert await text_of(names) == "3: Asiago@2 BRIE@3"
    note(sql, 4, None)
    assert await text_of(names) == "4: Asiago@2 BRIE@3"


async def test_projects_that_vanish(names: Names, sql: Sql) -> None:
    """A deleted project, and one in quarantine, are no longer listed; the latter may come back."""
    for serial, name in enumerate(["a", "b", "c"], start=1):
        publish(sql, serial, name)
    assert await text_of(names) == "3: a@1 b@2 c@3"
    sql("UPDATE projects SET status = 'quarantined', last_serial = 4 WHERE name = 'a'")
    note(sql, 4, "a")
    sql("DELETE FROM projects WHERE name = 'b'")
    note(sql, 5, "b")
    assert await text_of(names) == "5: c@3"
    sql("UPDATE projects SET status = 'active', last_serial = 6 WHERE name = 'a'")
    note(sql, 6, "a")
    assert await text_of(names) == "6: a@6 c@3"


async def test_the_order(names: Names, sql: Sql) -> None:
    """Whatever the database's language, the order is that of the characters' numbers."""
    for serial, name in enumerate(["a-b", "ab", "a0", "a-a", "b", "a"], start=1):
        publish(sql, serial, name)
        assert (await names.current()).serial == serial
    incremental = await text_of(names)
    assert incremental.split()[1:] == ["a@6", "a-a@4", "a-b@1", "a0@3", "ab@2", "b@5"]
    again = Names(names.database, names.threads)
    assert await text_of(again) == incremental


async def test_only_changes_are_read(names: Names, sql: Sql) -> None:
    """A change reads one line of the list; what was written of the others stays."""
    sql(
        "INSERT INTO projects (name, normalized, look_alike, created) "
        "SELECT 'p' || n, 'p' || n, '', now() FROM generate_series(1, 5000) n"
    )
    publish(sql, 1, "p77")
    before = await names.current()
    await text_of(names, before)
    publish(sql, 2, "p78")
    after = await names.current()
    assert (before.count, after.count) == (5000, 5000)
    assert sum(old is not new for old, new in zip(before.buckets, after.buckets, strict=True)) == 1
    assert "p77@1" in await text_of(names, after)
    assert "p78@2" in await text_of(names, after)
    assert "p78@0" in await text_of(names, before)


async def test_too_many_changes(names: Names, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """After many changes at once all is read again."""
    monkeypatch.setattr(module, "MOST_CHANGES", 3)
    await names.current()
    for serial in range(1, 6):
        publish(sql, serial, f"p{serial}")
    assert await text_of(names) == "5: p1@1 p2@2 p3@3 p4@4 p5@5"


async def test_serials_that_were_taken_back(names: Names, sql: Sql) -> None:
    """A database that was set back to an earlier state is read again."""
    publish(sql, 1, "a")
    publish(sql, 7, "b")
    assert await text_of(names) == "7: a@1 b@7"
    sql("DELETE FROM journal WHERE serial = 7; DELETE FROM projects WHERE name = 'b'")
    assert await text_of(names) == "1: a@1"


async def test_who_asks_together(names: Names, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many who ask at once share two looks at the database, and all of them see what was there before."""
    looks = 0
    original = projects.touched

    async def counting(cursor: Any, serial: int, *, limit: int) -> Any:
        nonlocal looks
        looks += 1
        return await original(cursor, serial, limit=limit)

    await names.current()
    monkeypatch.setattr(projects, "touched", counting)
    early = Deferred.fromCoroutine(names.current())
    publish(sql, 1, "a")
    late = [Deferred.fromCoroutine(names.current()) for _ in range(50)]
    await early
    assert {listing.serial for listing in await gatherResults(late)} == {1}
    assert looks == 2


async def test_a_database_that_is_gone(names: Names, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the database does not answer whoever asks is told so; what is held stays, and grows older."""
    publish(sql, 1, "a")
    held = await names.current()
    assert names.age < 60
    dsn = names.database.dsn
    monkeypatch.setattr(database_module, "TRIES", 1)
    names.database._drop_idle()
    names.database.dsn = "postgresql://nobody@127.0.0.1:1/nothing"
    with pytest.raises(DatabaseDown):
        await names.current()
    assert names.held is held
    assert await text_of(names, held) == "1: a@1"
    names.database.dsn = dsn
    publish(sql, 2, "b")
    assert await text_of(names) == "2: a@1 b@2"


async def test_patience(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for ever for a list that takes too long to read."""
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    blocked: Deferred[Listing] = Deferred()
    monkeypatch.setattr(Names, "_read", lambda self: blocked)
    with pytest.raises(DatabaseDown):
        await names.current()
    blocked.callback(Listing(3, ()))
    assert names.held is not None
