"""One release with its files in one statement: which release it is, and that every column comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

import psycopg2
import pytest
import pytest_twisted
from psycopg2.extras import execute_values
from twisted.internet import reactor

from pypi.db.database import Database
from pypi.db.queries import documents
from pypi.db.queries.documents import FileRow, ReleaseRow
from pypi.domain import versions
from pypi.domain.names import normalize
from pypi.domain.values import Extent
from tests.support.databases import ask

ODD = "tab\there, line\nend, \"quotes\", 'more', \\t \\u0041 \x01\x1e\x1f\x7f, ünï¢ödé 🧀 \u2028 null"

FILL = """
    INSERT INTO users (name, created) VALUES ('zoe', now()), ('Bert', now()), ('ada', now());
    INSERT INTO projects (name, normalized, look_alike, last_serial, created)
         VALUES ('A.b', 'a-b', '', 4, now()), ('Empty', 'empty', '', 5, now());
    INSERT INTO roles (project_id, user_id, role, created)
         SELECT p.id, u.id, CASE u.name WHEN 'ada' THEN 'Maintainer' ELSE 'Owner' END, now()
           FROM projects p, users u WHERE p.name = 'A.b';
    INSERT INTO releases
        (project_id, version, canonical, is_prerelease, metadata, yanked, yanked_reason, created)
         SELECT p.id, v, c, false, m::jsonb, y::timestamptz, %(odd)s, '2026-01-02 03:04:05.6+02'
           FROM projects p, (VALUES ('1.0', '1', NULL, '{"summary": "It \\u00fc \\"quotes\\""}'),
                                    (%(odd)s, 'x', '2026-01-01', '{}'),
                                    ('0.9', '0.9', NULL, '{}')) AS given (v, c, y, m)
          WHERE p.name = 'A.b';
    INSERT INTO descriptions (release_id, content_type, raw, html)
         SELECT id, '', %(odd)s, CASE WHEN version = '1.0' THEN '<p>' || %(odd)s END FROM releases
          WHERE version <> '0.9';
    INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,
                       blake2_256, metadata_sha256, requires_python, comment, yanked, yanked_reason, uploaded)
         SELECT p.id, r.id, given.name, 'sdist', %(odd)s, size, repeat('0', 32), repeat(digit, 64),
                repeat(digit, 64), has_metadata, %(odd)s, %(odd)s, since::timestamptz, 'its own',
                '2026-01-02 03:04:05.6+02'
           FROM (VALUES ('a-1.tar.gz', '1.0', 0, '1', NULL, NULL),
                        ('a-1.zip', '1.0', 9007199254740993, '2', repeat('b', 64), '2026-01-01'),
                        ('a-x.zip', %(odd)s, 7, '3', NULL, NULL)
                ) AS given (name, version, size, digit, has_metadata, since), projects p
           JOIN releases r ON r.project_id = p.id WHERE r.version = given.version"""


@pytest_twisted.async_yield_fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    with psycopg2.connect(database_url) as connection:
        connection.cursor().execute(FILL, {"odd": ODD})
    connection.close()
    made = Database(database_url, reactor, size=1)
    yield made
    await made.stop()


async def test_every_column(database: Database) -> None:
    """Texts come back with all that people put into them, of all releases when all are asked for."""
    row = await database.ask(documents.of_latest, normalize("a-b"), Extent(all_files=True, rendered=False))
    assert row is not None
    assert (row.name, row.normalized, row.status, row.last_serial) == ("A.b", "a-b", "active", 4)
    assert (row.version, row.yanked_reason) == ("1.0", None)
    assert row.metadata == '{"summary": "It ü \\"quotes\\""}'
    assert (row.description, row.html) == (ODD, None)
    assert row.roles == "Owner\tBert\nOwner\tzoe\nMaintainer\tada"
    assert documents.listed_releases(row.releases) == [
        ReleaseRow("1.0", "2026-01-02 01:04:05.6+00", None),
        ReleaseRow("0.9", "2026-01-02 01:04:05.6+00", None),
        ReleaseRow(ODD, "2026-01-02 01:04:05.6+00", ODD),
    ]
    files = sorted(documents.listed_files(row.files))
    assert len(files) == row.count == 3
    assert files[0] == FileRow(
        filename="a-1.tar.gz",
        filetype="sdist",
        blake2_256="1" * 64,
        md5="0" * 32,
        sha256="1" * 64,
        metadata_sha256="",
        size="0",
        uploaded="2026-01-02 01:04:05.6+00",
        version="1.0",
        python_version=ODD,
        requires_python=ODD,
        comment=ODD,
        yanked_reason=None,
    )
    assert (files[1].size, files[1].metadata_sha256) == ("9007199254740993", "b" * 64)
    assert [file.yanked_reason for file in files] == [None, "its own", ODD]
    assert files[2].version == ODD


async def test_one_release(database: Database) -> None:
    """A version is found by its canonical form, with its own files, and its page where one was made."""
    row = await database.ask(documents.of_version, normalize("a-b"), "1", Extent(rendered=True))
    assert row is not None
    assert (row.version, row.count, row.description, row.html) == ("1.0", 2, "", f"<p>{ODD}")
    assert {file.filename for file in documents.listed_files(row.files)} == {"a-1.tar.gz", "a-1.zip"}
    row = await database.ask(documents.of_version, normalize("a-b"), "x", Extent(rendered=True))
    assert row is not None
    assert (row.yanked_reason, row.description, row.html) == (ODD, ODD, None)
    row = await database.ask(documents.of_version, normalize("a-b"), "0.9", Extent(rendered=False))
    assert row is not None
    assert (row.count, documents.listed_files(row.files), row.description) == (0, [], "")
    latest = await database.ask(
        documents.of_latest, normalize("a-b"), Extent(all_files=False, rendered=False)
    )
    assert latest is not None
    assert (latest.version, latest.count) == ("1.0", 2)


async def test_nothing(database: Database, database_url: str) -> None:
    """A project without releases, one in quarantine, and one that is not there have none."""
    ask(database_url, "UPDATE projects SET status = 'quarantined' WHERE name = 'A.b'")
    for name in ("empty", "a-b", "nobody"):
        found = await database.ask(
            documents.of_latest, normalize(name), Extent(all_files=True, rendered=True)
        )
        assert found is None
        assert await database.ask(documents.of_version, normalize(name), "1", Extent(rendered=True)) is None


# Which release is the latest

NUMBERS = ["0", "1", "1.0", "1.0.1", "1.10", "1.9", "2", "10", "1.0.0.0.1", "20260102030405060708090"]
PRE = ["", "", "", "a0", "a1", "b1", "b10", "rc1", "rc2"]
POST = ["", "", "", ".post0", ".post1", ".post10"]
DEV = ["", "", "", ".dev0", ".dev2"]
LOCAL = ["", "", "", "+a", "+1", "+10", "+2", "+a.1", "+a.b", "+a1", "+1.a", "+ubuntu.1"]
NONE = ["2004d", "1.0-final-b", "", "é", "1.x", "1..2", "a", "B"]


def some_version(random: Random) -> str:
    if random.random() < 0.05:
        return random.choice(NONE)
    epoch = random.choice(["", "", "", "1!", "2!"])
    parts = (NUMBERS, PRE, POST, DEV, LOCAL)
    return epoch + "".join(random.choice(choices) for choices in parts)


@pytest.mark.parametrize("seed", range(3))
async def test_latest(database: Database, database_url: str, seed: int) -> None:
    """The database finds the release that ``versions.latest`` names, of any versions, yanked or not."""
    random = Random(seed)
    projects = {f"p{number}": given(random) for number in range(150)}
    with psycopg2.connect(database_url) as connection:
        insert(connection.cursor(), projects)
    connection.close()
    for name, releases in projects.items():
        row = await database.ask(
            documents.of_latest, normalize(name), Extent(all_files=False, rendered=False)
        )
        assert row is not None
        assert row.version == versions.latest(releases.values()), releases
        ordered = sorted((version for version, _ in releases.values()), key=versions.sort_key, reverse=True)
        assert [one.version for one in documents.listed_releases(row.releases)] == ordered


def given(random: Random) -> dict[str, tuple[str, bool]]:
    """Canonical form → (version, whether it is yanked), some of them much alike."""
    base = some_version(random)
    found = {}
    for _ in range(random.randint(1, 12)):
        version = some_version(random) if random.random() < 0.5 else base + random.choice(LOCAL + POST)
        found[versions.canonical(version)] = (version, random.random() < 0.3)
    return found


def insert(cursor: psycopg2.extensions.cursor, projects: dict[str, dict[str, tuple[str, bool]]]) -> None:
    execute_values(
        cursor,
        "INSERT INTO projects (name, normalized, look_alike, created) VALUES %s",
        [(name, name, "", "now") for name in projects],
    )
    execute_values(
        cursor,
        "INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, yanked, created) "
        "SELECT p.id, v, c, pre, '{}', CASE WHEN yanked THEN now() END, now() "
        "FROM (VALUES %s) AS given (name, v, c, pre, yanked) JOIN projects p ON p.name = given.name",
        [
            (name, version, canonical, versions.is_prerelease(version), yanked)
            for name, releases in projects.items()
            for canonical, (version, yanked) in releases.items()
        ],
    )
