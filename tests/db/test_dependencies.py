"""Who needs whom: read off the release that is shown, and kept true by whatever changes which one that is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import dependencies, projects, releases, search
from pypi.domain.names import normalize
from tests.search.catalogue import NOW
from tests.support.databases import ask

DIFFERING = """
    SELECT count(*) FROM dependencies d FULL JOIN dependencies_meant m USING (project_id, normalized)
     WHERE to_jsonb(d) IS DISTINCT FROM to_jsonb(m)"""


@pytest_twisted.async_yield_fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    made = Database(database_url, reactor, size=1)
    yield made
    await made.stop()


async def add(cursor: Cursor, name: str, version: str, *lines: str) -> int:
    """A release that requires these, of a project that is made if it is not there."""
    project = await projects.add(cursor, name, now=NOW) or await projects.locked(cursor, normalize(name))
    assert project is not None
    metadata: dict[str, Any] = {"requires_dist": list(lines)} if lines else {}
    made = await releases.add(
        cursor, project_id=project.id, version=version, summary=f"Of {name}", metadata=metadata, now=NOW
    )
    await search.refresh(cursor, project.id)
    await dependencies.refresh(cursor, project.id)
    return made.id


async def needed(database: Database) -> list[tuple[Any, ...]]:
    """All rows, by their names."""

    async def look(cursor: Cursor) -> list[tuple[Any, ...]]:
        return await cursor.tuples(
            "SELECT dependent, normalized, requirements, is_optional FROM dependencies"
            " ORDER BY dependent, normalized"
        )

    return await database.read(look)


async def fill(database: Database, *given: tuple[str, str, Sequence[str]]) -> None:
    """Add releases, in that order."""
    for name, version, lines in given:
        await database.transact(add, name, version, *lines)


async def test_names_and_extras(database: Database) -> None:
    """There is one row for each project that is required, however it is spelled; oneself is none."""
    lines = [
        "Wine.Red>=1 ; python_version < '3.9'",
        "wine_red >=2;\n python_version>='3.9'",
        "bread[crust,soft] (>=1.0)",
        "salt@ https://salt.example/salt.whl ; extra == 'party'",
        'knife; extra=="party"',
        'knife; extra == "work" and os_name == "nt"',
        "extra-large; os_name == 'nt'",
        "Gouda[party]; extra == 'all'",
        "!!",
        "",
    ]
    await fill(database, ("Gouda", "1.0", lines), ("brie", "1.0", []))
    assert await needed(database) == [
        ("gouda", "bread", "bread[crust,soft] (>=1.0)", False),
        ("gouda", "extra-large", "extra-large; os_name == 'nt'", False),
        ("gouda", "knife", 'knife; extra=="party"\nknife; extra == "work" and os_name == "nt"', True),
        ("gouda", "salt", "salt@ https://salt.example/salt.whl ; extra == 'party'", True),
        (
            "gouda",
            "wine-red",
            "Wine.Red>=1 ; python_version < '3.9'\nwine_red >=2; python_version>='3.9'",
            False,
        ),
    ]


@pytest.mark.parametrize(
    "name", ["a", "A.b", "a--b__c..d", "a-", "-a", "ä", "a b", "1", "zope.interface", "a" * 300, " x"]
)
async def test_every_name(database_url: str, name: str) -> None:
    """A name is read from a line as the standard reads and normalizes it."""
    [(found,)] = ask(database_url, f"SELECT requirement_name('{name} >= 1')")
    word = name.split()[0].strip("-").encode("ascii", "ignore").decode()
    expected = normalize(word) if word and not name.startswith("-") else None
    assert found == expected


async def test_the_release_that_is_shown(database: Database) -> None:
    """Rows are those of the release a reader means who names none: a yank brings the other's back."""
    await fill(database, ("gouda", "1.0", ["milk"]))
    newer = await database.transact(add, "gouda", "2.0", "salt>1", "Milk<3")
    await database.transact(add, "gouda", "3.0rc1", "nothing")
    assert [row[1:3] for row in await needed(database)] == [("milk", "Milk<3"), ("salt", "salt>1")]

    async def yank(cursor: Cursor) -> None:
        await releases.yank(cursor, [newer], reason="", now=NOW)
        project_id = int(await cursor.value("SELECT id FROM projects"))
        await search.refresh(cursor, project_id)
        await dependencies.refresh(cursor, project_id)

    await database.transact(yank)
    assert [row[1:3] for row in await needed(database)] == [("milk", "milk")]


async def test_who_needs_it(database: Database, database_url: str) -> None:
    """Dependents are counted and come by name, a page at a time; what is in quarantine is none of them."""
    await fill(
        database,
        *((name, "1.0", [f"milk>={number}"]) for number, name in enumerate(["Brie", "edam", "Comté"[:4]])),
        ("cheddar", "1.0", ["milk; extra == 'm'"]),
        ("vegan", "1.0", ["oats"]),
        ("milk", "1.0", ["water"]),
    )
    ask(database_url, "UPDATE projects SET status = 'quarantined' WHERE name = 'edam'")
    milk = normalize("milk")
    assert await database.ask(dependencies.count, milk) == 3
    found = await database.ask(dependencies.dependents, milk, limit=2)
    assert [(row.name, row.version, row.summary, row.requirements, row.is_optional) for row in found] == [
        ("Brie", "1.0", "Of Brie", "milk>=0", False),
        ("cheddar", "1.0", "Of cheddar", "milk; extra == 'm'", True),
    ]
    rest = await database.ask(dependencies.dependents, milk, limit=2, offset=2)
    assert [row.name for row in rest] == ["Comt"]
    assert await database.ask(dependencies.count, normalize("nobody")) == 0
    names = [normalize(name) for name in ("milk", "brie", "edam", "water")]
    assert await database.ask(dependencies.here, names) == {"milk": "milk", "brie": "Brie"}


async def test_the_migration_fills_the_table(database: Database, database_url: str) -> None:
    """What is written with each change is what is said of all projects at once; what goes takes its rows."""
    await fill(
        database,
        ("a", "1.0", ["b", "c>1"]),
        ("a", "1.1", ["c>2", "d; extra == 'x'"]),
        ("b", "1.0", ["a"]),
        ("c", "1.0", []),
    )
    assert ask(database_url, DIFFERING) == [(0,)]
    ask(database_url, "DELETE FROM projects WHERE name = 'a'")
    assert await needed(database) == [("b", "a", "a", False)]
