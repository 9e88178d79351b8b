"""The synthetic catalogue: like an index that grew by uploads, and the same each time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import synthetic, synthetic_rows
from benchmarks.figure import BenchmarkFailed
from benchmarks.loading import load
from benchmarks.synthetic import Block, Shape
from pypi.domain import filenames
from pypi.domain.versions import canonical
from tests.support.databases import Databases, ask

SHAPE = Shape(60, seed=7, blocks=(Block(2, 90),))

SCHEMA = """
    SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
     WHERE conrelid::regclass::text NOT LIKE 'pg_%' UNION ALL
    SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2, 3"""


def fill(url: str, shape: Shape) -> None:
    load(url, shape, advance=lambda _: None, say=lambda _: None)


@pytest.fixture(scope="module")
def loaded(databases: Databases) -> Iterator[str]:
    """A database with the catalogue in it."""
    url = databases.make()
    fill(url, SHAPE)
    yield url
    databases.drop(url)


def test_it_is_the_same_for_each_seed() -> None:
    """Two catalogues of one seed are one, of two seeds are two."""
    again = Shape(60, seed=7, blocks=(Block(2, 90),))
    assert list(synthetic.projects(SHAPE)) == list(synthetic.projects(again))
    assert list(synthetic.projects(SHAPE)) != list(synthetic.projects(Shape(60, seed=8)))


def test_sizes_and_names() -> None:
    """Projects have six files in the middle, about ten on average, and no two have spellings of one name."""
    found = list(synthetic.projects(Shape(20_000)))
    sizes = sorted(project.files for project in found)
    assert sizes[10_000] == 6
    assert 9 < sum(sizes) / len(sizes) < 11
    assert len({project.normalized for project in found}) == 20_000


def test_files_are_named_as_uploads_have_to_be() -> None:
    """What our own code reads from a filename is what its row says."""
    for project in synthetic.projects(SHAPE):
        for release in synthetic_rows.releases(project, SHAPE.seed):
            assert release.canonical == canonical(release.version)
            for file in release.files:
                parsed = filenames.parse(file.filename)
                found = (parsed.canonical, parsed.name, parsed.python_tag, parsed.filetype.value)
                assert found == (file.canonical, project.normalized, file.python_version, file.filetype)


def test_every_file_is_there(loaded: str) -> None:
    """As many files as the shape says, each with its name in the ledger and a line in the journal."""
    expected = sum(project.files for project in synthetic.projects(SHAPE))
    assert ask(loaded, "SELECT count(*) FROM files JOIN filenames USING (filename, blake2_256)") == [
        (expected,)
    ]
    assert ask(loaded, "SELECT count(*) FROM journal WHERE action LIKE 'add % file %'") == [(expected,)]


def test_serials_are_those_of_a_journal(loaded: str) -> None:
    """Serials have no gaps and follow time; each project knows that of its last change."""
    assert ask(loaded, "SELECT min(serial), max(serial) - count(*) FROM journal") == [(1, 0)]
    later = "SELECT count(*) FROM journal a JOIN journal b ON b.serial = a.serial + 1 WHERE b.at < a.at"
    assert ask(loaded, later) == [(0,)]
    behind = """
        SELECT count(*) FROM projects p WHERE last_serial <>
               (SELECT max(serial) FROM journal j WHERE j.normalized = p.normalized)"""
    assert ask(loaded, behind) == [(0,)]
    assert ask(loaded, "SELECT count(*) FROM journal WHERE NOT tags @> ARRAY['project/' || normalized]") == [
        (0,)
    ]


def test_the_schema_is_that_of_the_migrations(loaded: str, database_url: str) -> None:
    """Keys and indexes that were dropped for the load are there again."""
    assert ask(loaded, SCHEMA) == ask(database_url, SCHEMA)


def test_everything_can_be_found(loaded: str) -> None:
    """Each project has the row that searches look into."""
    missing = "SELECT count(*) FROM (SELECT * FROM search_documents EXCEPT SELECT * FROM search) AS documents"
    assert ask(loaded, missing) == [(0,)]
    assert ask(loaded, "SELECT count(*) FROM search") == ask(loaded, "SELECT count(*) FROM projects")


def test_rows_can_be_added_afterwards(loaded: str) -> None:
    """Identities go on after the last one that was loaded."""
    added = (
        "INSERT INTO users (name, created) VALUES ('later', now()) RETURNING id > (SELECT max(id) FROM users)"
    )
    assert ask(loaded, added) == [(True,)]


def test_it_goes_into_an_empty_database_only(loaded: str) -> None:
    """What somebody has in a database is not touched."""
    with pytest.raises(BenchmarkFailed, match="not empty"):
        fill(loaded, SHAPE)
