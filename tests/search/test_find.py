"""Searches on a real database: what is found, in which order, and how soon."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from pypi.db.connection import Cursor
from pypi.db.database import Database, DatabaseDown, DeadlineExceeded
from pypi.db.queries import releases
from pypi.db.queries import search as queries
from pypi.db.queries.search import FoundRow
from pypi.domain.permissions import OPERATOR
from pypi.search import find as module
from pypi.search.find import Search, sought
from pypi.search.query import FIELDS, Operator, Query, Wanted, of_fields
from tests.search.catalogue import CATALOGUE, NOW, Project, Release, expected, store
from tests.support.archives import sdist
from tests.support.databases import Databases, ask
from tests.support.index import Index


@frozen
class Plain:
    """A cursor that does not wait, as far as a search uses one."""

    connection: Any

    def found(self, query: Query) -> list[FoundRow]:
        """What the database finds."""
        coroutine = queries.found(self, sought(query))  # type: ignore[arg-type]
        with pytest.raises(StopIteration) as done:
            coroutine.send(None)
        self.connection.rollback()
        found: list[FoundRow] = done.value.value
        return found

    async def rows(self, row: type[FoundRow], sql: str, parameters: Any) -> list[FoundRow]:
        """As a cursor of ours."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return [row(*columns) for columns in cursor.fetchall()]


@pytest.fixture(scope="module")
def small(databases: Databases) -> Iterator[str]:
    """A database with the small catalogue, which no test of this module changes."""
    url = databases.make()
    database = Database(url, reactor)

    async def fill(cursor: Cursor) -> None:
        for project in CATALOGUE:
            await store(cursor, project)

    pytest_twisted.blockon(Deferred.fromCoroutine(database.transact(fill)))
    pytest_twisted.blockon(Deferred.fromCoroutine(database.stop()))
    yield url
    databases.drop(url)


@pytest_twisted.async_yield_fixture
async def search(small: str) -> AsyncIterator[Search]:
    database = Database(small, reactor)
    yield Search(database=database)
    await database.stop()


async def names(search: Search, query: Query) -> list[str]:
    return [hit.name for hit in await search.find(query)]


def pip(*words: str) -> Query:
    """What ``pip search`` asks."""
    return of_fields({"name": list(words), "summary": list(words)}, "or")


# Against the model

WORDS = st.sampled_from(
    [
        *"six SIX zope Zope.Interface zope_interface django milk mil curd whey ada lovelace MIT".split(),
        *"1.0 1. rc1 in 'q ' é ö Café 100% e_d \\ \\2 .example py x i 3 OS rotten nothing extra - .".split(),
        *("six-extra", "line", "Any", "six lines", "in six", "of six", "ilk  c", "it's a"),
    ]
)
SPECS = st.dictionaries(
    st.sampled_from(FIELDS), st.one_of(WORDS, st.lists(WORDS, max_size=3)), min_size=1, max_size=3
)


@pytest.fixture(scope="module")
def plain(small: str) -> Iterator[Plain]:
    """Asks the small catalogue without a reactor, which generated examples cannot wait for."""
    with closing(psycopg2.connect(small)) as connection:
        yield Plain(connection)


@settings(max_examples=300, deadline=None)
@given(spec=SPECS, operator=st.sampled_from(["and", "or"]))
def test_as_it_has_always_been(plain: Plain, spec: Any, operator: str) -> None:
    """Whatever fields are asked for, what is found, and its order, is that of the model."""
    if isinstance(spec.get("description"), str | list):
        spec["description"] = [one for one in ("milk", "mil", "curd whey") if one in spec["description"]]
    query = of_fields(spec, operator)
    if not query.is_empty:
        found = plain.found(query)
        assert [(hit.name, hit.version) for hit in found] == expected(CATALOGUE, query)


# By hand


async def test_pip_search(search: Search) -> None:
    """The project of the name comes first, then those whose names begin so; the latest stable version."""
    hits = await search.find(pip("six"))
    assert [(hit.name, hit.version) for hit in hits] == [
        *[("six", "1.10.0"), ("Six.Extra", "0.1"), ("pysix", "1.0"), ("django_six", "2.0.dev1")],
        ("rotten", "1.0"),
    ]
    assert hits[0].summary == "Python 2 and 3 in six lines"
    assert [hit.ordering for hit in hits] == [5, 4, 3, 2, 1]


@pytest.mark.parametrize("name", ["zope.interface", "ZOPE_INTERFACE", "zope-interface", "Zope.-_Interface"])
async def test_any_spelling(search: Search, name: str) -> None:
    """A name is found in any spelling."""
    assert (await names(search, pip(name)))[:1] == ["zope.interface"]
    assert await names(search, of_fields({"name": name})) == ["zope.interface"]


async def test_versions(search: Search) -> None:
    """Where versions are asked for, each that fits is a hit, the highest first, but none that is yanked."""
    hits = await search.find(of_fields({"name": "six", "version": "1."}))
    assert [(hit.name, hit.version) for hit in hits] == [
        *[("six", "1.11.0rc1"), ("six", "1.10.0"), ("six", "1.9.0"), ("pysix", "1.0")],
    ]


async def test_quarantine(search: Search) -> None:
    """A project in quarantine is not found, and what has no release neither."""
    assert await names(search, of_fields({"name": ["evil", "nothing-yet"]})) == []


async def test_nothing_asked(search: Search) -> None:
    """Who asks for nothing finds nothing."""
    assert await search.find(of_fields({})) == ()


async def test_a_bound(search: Search) -> None:
    """No more is found than wanted, and that is the best."""
    query = Query(fields=(Wanted("summary", ("i",)),), operator=Operator.AND, limit=2)
    every = await names(search, of_fields({"summary": "i"}))
    assert await names(search, query) == every[:2]


@settings(max_examples=100, deadline=None)
@given(text=st.text(max_size=40), field=st.sampled_from(FIELDS))
def test_any_text(plain: Plain, text: str, field: str) -> None:
    """Whatever is asked, there is an answer."""
    for query in (of_fields({field: text}), of_fields({field: text, "name": text}, "or")):
        if not query.is_empty:
            plain.found(query)


# Changes


async def test_later_releases(empty: Search) -> None:
    """What is committed is found by the next search; a later release takes the place of an earlier one."""
    database = empty.database
    await database.transact(store, Project("milk", (Release("1.0", {"summary": "White"}),)))
    assert [hit.version for hit in await empty.find(pip("white"))] == ["1.0"]

    async def add(cursor: Cursor) -> None:
        project = int(await cursor.value("SELECT id FROM projects"))
        await releases.add(cursor, project_id=project, version="2.0", summary="Whiter", metadata={}, now=NOW)
        await queries.refresh(cursor, project)

    await database.transact(add)
    [hit] = await empty.find(pip("milk"))
    assert (hit.version, hit.summary) == ("2.0", "Whiter")


async def test_uploads_and_yanks(new_index: Index) -> None:
    """An upload is found once it is acknowledged, and so is what a yank leaves."""
    database = new_index.application.publisher.database
    search = Search(database=database)
    for version in ("1.0", "2.0"):
        data = sdist("milk", version)
        assert (await new_index.upload(data, f"milk-{version}.tar.gz")).status == 200
        assert [hit.version for hit in await search.find(pip("milk"))] == [version]
    await new_index.application.yanks.yank(OPERATOR, "milk", "2.0")
    assert [hit.version for hit in await search.find(pip("milk"))] == ["1.0"]
    await new_index.application.yanks.unyank(OPERATOR, "milk", "2.0")
    assert [hit.version for hit in await search.find(pip("milk"))] == ["2.0"]


async def test_what_is_deleted(empty: Search) -> None:
    """A project that is no more is not found, and neither is one without a release."""
    await empty.database.transact(store, CATALOGUE[0])

    async def delete(cursor: Cursor) -> None:
        await cursor.run("DELETE FROM releases")
        await queries.refresh(cursor, int(await cursor.value("SELECT id FROM projects")))

    await empty.database.transact(delete)
    assert await names(empty, pip("six")) == []


async def test_the_migration_fills_the_table(empty: Search, database_url: str) -> None:
    """What the table says of a project is what is said of all projects at once."""

    async def fill(cursor: Cursor) -> list[tuple[Any, ...]]:
        for project in CATALOGUE:
            await store(cursor, project)
        return await cursor.tuples("SELECT * FROM search ORDER BY 1")

    rows = await empty.database.transact(fill)
    assert rows == ask(database_url, "SELECT * FROM search_documents ORDER BY 1")
    assert len(rows) == len([project for project in CATALOGUE if project.releases])


# Bounds


async def test_a_search_that_takes_too_long(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search is given up after its time."""
    monkeypatch.setattr(queries, "LIMITED", "SET LOCAL statement_timeout = 1; ")
    monkeypatch.setattr(queries, "FOUND", queries.FOUND + " AND pg_sleep(1) IS NOT NULL")
    with pytest.raises(DeadlineExceeded):
        await search.find(pip("six"))


async def test_many_at_once(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many searches wait for their turn; whoever comes then is told to try again."""
    monkeypatch.setattr(module, "MOST_WAITING", 5)
    running = [Deferred.fromCoroutine(search.find(pip("six"))) for _ in range(5 + module.AT_ONCE)]
    with pytest.raises(DatabaseDown):
        await search.find(pip("six"))
    assert {len(found) for found in await gatherResults(running)} == {5}
    assert len(await search.find(pip("six"))) == 5
