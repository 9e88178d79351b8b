"""Searches as people make them, on a real database: what is found, in which order, and among what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import reactor
from twisted.internet.defer import Deferred

from benchmarks import search_quality
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import releases, search_pages
from pypi.db.queries import search as queries
from pypi.db.queries.search_pages import FoundPage
from pypi.domain.classifiers import above
from pypi.search.find import Search
from pypi.search.inquiry import MOST_PAGES, Inquiry, of_parameters
from pypi.search.pages import page_sought, results
from pypi.search.results import Results
from tests.search.catalogue import CATALOGUE, Project, Release, store
from tests.support.databases import Databases, ask

CLASSIFIED = (
    ("one", {"summary": "Cheese", "classifiers": ["Topic :: Security :: Cryptography", "Typing :: Typed"]}),
    ("two", {"summary": "Cheese", "classifiers": ["Topic :: Security"], "requires_python": ">=3.8,<3.10"}),
    ("three", {"summary": "Cheese", "classifiers": ["Programming Language :: Python :: 3.12"]}),
    ("four", {"summary": "Bread", "classifiers": ["Topic :: Internet"], "requires_python": "~=3.9"}),
)


@pytest.fixture(scope="module")
def real(databases: Databases) -> Iterator[str]:
    """A database with some hundreds of real names and summaries, which no test of this module changes."""
    url = databases.make()
    database = Database(url, reactor)
    pytest_twisted.blockon(Deferred.fromCoroutine(database.transact(search_quality.store_real_projects)))
    pytest_twisted.blockon(Deferred.fromCoroutine(database.stop()))
    yield url
    databases.drop(url)


@frozen
class Plain:
    """A cursor that does not wait, as far as a search uses one."""

    connection: Any

    def page(self, inquiry: Inquiry) -> Results:
        """What is found."""
        coroutine = search_pages.page(self, page_sought(inquiry))  # type: ignore[arg-type]
        with pytest.raises(StopIteration) as done:
            coroutine.send(None)
        self.connection.rollback()
        return results(inquiry, done.value.value, ())

    async def row(self, row: type[FoundPage], sql: str, parameters: Any) -> FoundPage:
        """As a cursor of ours."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return row(*cursor.fetchone())


@pytest.fixture(scope="module")
def plain(real: str) -> Iterator[Plain]:
    """Asks among real names without a reactor, which generated examples cannot wait for."""
    with closing(psycopg2.connect(real)) as connection:
        yield Plain(connection)


@pytest_twisted.async_yield_fixture
async def search(real: str) -> AsyncIterator[Search]:
    """Searches among real names."""
    database = Database(real, reactor)
    yield Search(database=database)
    await database.stop()


async def found(search: Search, q: str = "", **given: str | Sequence[str]) -> Results:
    """What is found by parameters of a URL."""
    pairs = {"q": q, **given}
    return await search.page(
        of_parameters(
            {
                k.encode(): [one.encode() for one in ([v] if isinstance(v, str) else v)]
                for k, v in pairs.items()
            }
        )
    )


async def names(search: Search, q: str = "", **given: str | Sequence[str]) -> list[str]:
    return [hit.name for hit in (await found(search, q, **given)).hits]


async def fill(search: Search, projects: Sequence[Project]) -> None:
    async def store_all(cursor: Cursor) -> None:
        for project in projects:
            await store(cursor, project)

    await search.database.transact(store_all)


async def fill_classified(search: Search) -> None:
    await fill(search, [Project(name, (Release("1.0", metadata),)) for name, metadata in CLASSIFIED])


# Quality


async def test_what_people_mean_is_found(search: Search) -> None:
    """Of what people type, nine tenths and more have what they mean among the first three; all slips do."""
    outcomes = await search_quality.outcomes(search)
    score = search_quality.score(outcomes)
    good, every = score["all"]
    assert every >= 60
    missed = [f"{one.pair.typed}: {one.found}" for one in outcomes if not one.place]
    assert good >= 0.9 * every, missed
    assert score["exact"][0] == score["exact"][1], missed
    assert score["slip"][0] >= 0.9 * score["slip"][1], missed


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=60),
    python=st.sampled_from(["", "3.9", "2.7"]),
    order=st.sampled_from(["relevance", "date", "downloads"]),
    page=st.integers(1, MOST_PAGES),
)
def test_whatever_is_typed(plain: Plain, text: str, python: str, order: str, page: int) -> None:
    """Whatever is typed, there is an answer, in pieces that are the whole of each name and summary."""
    given = {"q": text, "python": python, "o": order, "page": str(page)}
    for hit in plain.page(of_parameters({k.encode(): [v.encode()] for k, v in given.items()})).hits:
        assert "".join(piece for piece, _ in hit.marked_name) == hit.name
        assert "".join(piece for piece, _ in hit.marked_summary) == hit.summary


# Words


async def test_why_it_was_found(search: Search) -> None:
    """A hit says which of its fields have the words, and where."""
    hits = (await found(search, "http client")).hits
    httpx = next(hit for hit in hits if hit.name == "httpx")
    assert {"name", "summary"} <= set(httpx.matched)
    assert [piece for piece, is_sought in httpx.marked_summary if is_sought] == ["HTTP", "client"]
    assert httpx.marked_name[0] == ("http", True)


async def test_marks_of_names(search: Search) -> None:
    """A name is marked where it has what was typed, whatever stands between."""
    [hit] = [hit for hit in (await found(search, "ruamelyaml")).hits if hit.name == "ruamel.yaml"]
    assert hit.marked_name == [("ruamel.yaml", True)]


async def test_descriptions(empty: Search) -> None:
    """What only a description has is found, behind all else."""
    await fill(
        empty,
        [
            Project("deep", (Release("1", {"summary": "Nothing", "description": "all about gouda"}),)),
            Project("shallow", (Release("1", {"summary": "Gouda"}),)),
        ],
    )
    page = await found(empty, "gouda")
    assert [(hit.name, list(hit.matched)) for hit in page.hits] == [
        ("shallow", ["summary"]),
        ("deep", ["description"]),
    ]


async def test_some_words_will_do(search: Search) -> None:
    """Where nothing has all words, what has most of them is found."""
    assert "requests" in await names(search, "http for humans unfindable")


async def test_authors_and_keywords(empty: Search) -> None:
    """Authors and keywords are found, and told."""
    metadata = {"author": "Ada Lovelace", "keywords": ["engine", "loom"]}
    await fill(empty, [Project("one", (Release("1", metadata),))])
    assert list((await found(empty, "lovelace")).hits[0].matched) == ["authors"]
    assert list((await found(empty, "loom")).hits[0].matched) == ["keywords"]


async def test_quarantine(empty: Search) -> None:
    """A project in quarantine is not found, suggested, or close to anything."""
    await fill(empty, CATALOGUE)
    assert "evil-six" not in await names(empty, "six")
    assert "evil-six" not in [one.name for one in await empty.suggest("evil")]
    assert list(await empty.near("evilsix")) == []
    assert list(await empty.near("evil-sic")) == []


async def test_a_version_more(empty: Search) -> None:
    """A later release takes the place of an earlier one, and keeps what is known of downloads."""
    await fill(empty, [Project("six", (Release("1.0", {"summary": "Gouda"}),))])
    ask(empty.database.dsn, "UPDATE findable SET downloads = 7 RETURNING 1")

    async def publish(cursor: Cursor) -> None:
        project_id = int(await cursor.value("SELECT id FROM projects"))
        await releases.add(
            cursor, project_id=project_id, version="2.0", summary="Brie", metadata={}, now=search_quality.NOW
        )
        await queries.refresh(cursor, project_id)

    await empty.database.transact(publish)
    assert await names(empty, "gouda") == []
    [hit] = (await found(empty, "brie")).hits
    assert (hit.version, hit.downloads) == ("2.0", 7)


async def test_the_table_is_what_the_view_says(empty: Search, database_url: str) -> None:
    """What was brought up to date project by project is what is made of all at once."""
    await fill(empty, CATALOGUE)
    await fill_classified(empty)
    columns = "project_id, release_id, name, normalized, squashed, created, words, labels"
    rows = ask(database_url, f"SELECT {columns} FROM findable ORDER BY 1")
    assert rows == ask(database_url, f"SELECT {columns} FROM findable_documents ORDER BY 1")
    assert len(rows) == len(CATALOGUE) - 1 + len(CLASSIFIED)


# What can be narrowed to


async def test_classifiers(empty: Search) -> None:
    """A classifier stands for all below it; several have to be there all; each is counted."""
    await fill_classified(empty)
    assert set(await names(empty, c="Topic :: Security")) == {"one", "two"}
    assert await names(empty, c=["Topic", "Typing :: Typed"]) == ["one"]
    assert await names(empty, "cheese", c="Topic :: Internet") == []
    assert await names(empty, c="Topic :: Secur") == []
    page = await found(empty, "cheese")
    assert (page.total, page.counted, page.more) == (3, 3, False)
    counts = dict(page.classifiers)
    assert (counts["Topic"], counts["Topic :: Security"], counts["Typing"]) == (2, 2, 1)
    assert "Topic :: Internet" not in counts
    assert all(set(above(one)) <= set(counts) for one in counts)


async def test_pythons(empty: Search) -> None:
    """A project runs on what installers admit; one that does not say, on what it has classifiers for."""
    await fill_classified(empty)
    assert set(await names(empty, python="3.9")) == {"two", "four"}
    assert set(await names(empty, python="3.12")) == {"three", "four"}
    assert await names(empty, python="2.7") == []
    pythons = dict((await found(empty)).pythons)
    assert (pythons["3.9"], pythons["3.12"]) == (2, 2)
    assert "3.7" not in pythons


async def test_orders(empty: Search) -> None:
    """The newest first, or what is downloaded most."""
    await fill_classified(empty)
    ask(
        empty.database.dsn,
        """UPDATE findable SET downloads = project_id, created = now() - project_id * interval '1 day'
        RETURNING 1""",
    )
    assert await names(empty, o="date") == ["one", "two", "three", "four"]
    assert await names(empty, o="downloads") == ["four", "three", "two", "one"]
    assert await names(empty, "cheese", o="downloads") == ["three", "two", "one"]
    assert (await names(empty, "cheese"))[0] == "three"


async def test_pages(search: Search) -> None:
    """Pages follow each other without a gap; behind the last there is nothing."""
    first = await found(search, "python")
    assert (first.page, len(first.hits), first.first) == (1, 20, 1)
    assert first.total > 40
    second = await found(search, "python", page="2")
    assert (second.total, second.first) == (first.total, 21)
    assert not {hit.name for hit in first.hits} & {hit.name for hit in second.hits}
    behind = await found(search, "python", page=str(first.last + 1))
    assert (list(behind.hits), behind.total) == ([], first.total)


async def test_everything(search: Search) -> None:
    """Who asks for nothing in particular is shown everything."""
    page = await found(search)
    assert (page.total, page.counted, page.near) == (352, 200, ())


async def test_very_many(empty: Search, database_url: str) -> None:
    """Where more fit than anybody looks at, the popular ones are found, and it says that there are more."""
    await fill(empty, [Project("one", (Release("1", {"summary": "Cheese"}),))])
    ask(
        database_url,
        """WITH made AS (
            INSERT INTO projects (name, normalized, look_alike, created)
            SELECT 'made-' || n, 'made-' || n, 'made' || n, now() FROM generate_series(1, 5000) n
            RETURNING id, name),
        released AS (
            INSERT INTO releases (project_id, version, canonical, is_prerelease, summary, metadata, created)
            SELECT id, '1', '1', false, 'Cheese', '{}', now() FROM made RETURNING project_id)
        SELECT count(*) FROM released""",
    )
    ask(
        database_url,
        """INSERT INTO search SELECT * FROM search_documents WHERE normalized LIKE 'made-%';
        INSERT INTO findable SELECT * FROM findable_documents WHERE normalized LIKE 'made-%';
        UPDATE findable SET downloads = 9 WHERE name = 'made-4999' RETURNING 1""",
    )
    await empty.database.transact(queries.mark_popular)
    for order in ("relevance", "downloads"):
        page = await found(empty, "cheese", o=order)
        assert (page.total, page.more, page.last) == (1000, True, MOST_PAGES)
        assert page.hits[0].name == "made-4999"
    assert len((await found(empty, "cheese", page=str(MOST_PAGES))).hits) == 20


# Names


async def test_suggestions(search: Search) -> None:
    """The very name, then names that begin so, then those with a word that begins so, then close ones."""
    suggested = [one.name for one in await search.suggest("six")]
    assert suggested[0] == "six"
    suggested = [one.name for one in await search.suggest("pytest-t")]
    assert suggested == ["pytest-timeout", "pytest-twisted", "pytest"]
    assert [one.name for one in await search.suggest("python dateu")] == ["python-dateutil"]
    assert "python-dateutil" in [one.name for one in await search.suggest("dateut")]
    assert [one.name for one in await search.suggest("djagno")] == ["Django"]
    assert (await search.suggest("djagno"))[0].summary.startswith("A high-level Python web framework")
    assert [one.name for one in await search.suggest("beautifulS")] == ["beautifulsoup4"]
    assert len(await search.suggest("p")) == 8
    for nothing in ("", " ", "-", "%", "x" * 300):
        assert await search.suggest(nothing) == ()


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        *[("reqeusts", "requests"), ("djagno", "Django"), ("Djnago", "Django"), ("numppy", "numpy")],
        *[
            ("scikpy", "scipy"),
            ("typing_extentoins", "typing_extensions"),
            ("sicpy", "scipy"),
            ("prometeusclient", "prometheus_client"),
        ],
    ],
)
async def test_slips(search: Search, typed: str, name: str) -> None:
    """Names are found in spite of one slip, longer ones of two."""
    near = await search.near(typed)
    assert near[0] == name


async def test_close_names_where_little_is_found(search: Search) -> None:
    """What finds next to nothing is told names that are close; what finds enough is not."""
    assert (await found(search, "reqeusts")).near == ["requests"]
    assert (await found(search, "http")).near == ()
