"""Files in one text: what PostgreSQL writes into it is what comes out of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import psycopg2
import pytest_twisted
from twisted.internet import reactor

from pypi.db.database import Database
from pypi.db.queries import files
from pypi.domain.names import normalize
from tests.support.databases import ask

ODD = "tab\there, line\nend, \"quotes\", 'more', \\t \\u0041 \x01\x1e\x1f\x7f, ünï¢ödé 🧀 \u2028"

FILL = """
    INSERT INTO projects (name, normalized, look_alike, last_serial, created)
         VALUES ('A', 'a', '', 4, now()), ('Empty', 'empty', '', 5, now());
    INSERT INTO releases
        (project_id, version, canonical, is_prerelease, metadata, yanked, yanked_reason, created)
         SELECT id, %(odd)s, '1', false, '{}', now(), 'of the release', now() FROM projects WHERE name = 'A';
    INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,
                       blake2_256, metadata_sha256, requires_python, yanked, yanked_reason, uploaded)
         SELECT p.id, r.id, given.name, 'sdist', 'source', size, repeat('0', 32), repeat(digit, 64),
                repeat(digit, 64), has_metadata, %(odd)s, since::timestamptz, %(odd)s, at::timestamptz
           FROM (VALUES ('a-1.tar.gz', 0, '1', NULL, NULL, '2026-01-02 03:04:05.6+02'),
                        ('a-1.zip', 9007199254740993, '2', repeat('b', 64), '2026-01-01',
                         '1999-12-31 23:59:59Z')
                ) AS given (name, size, digit, has_metadata, since, at), projects p
           JOIN releases r ON r.project_id = p.id"""


@pytest_twisted.async_yield_fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    with psycopg2.connect(database_url) as connection:
        connection.cursor().execute(FILL, {"odd": ODD})
    connection.close()
    made = Database(database_url, reactor, size=1)
    yield made
    await made.stop()


async def test_every_column(database: Database) -> None:
    """Texts come back with all that people put into them, times as they were, and nothing as nothing."""
    page = await database.ask(files.page, normalize("A"))
    assert page is not None
    assert (page.normalized, page.status, page.last_serial, page.count) == ("a", "active", 4, 2)
    first, second = sorted(files.listed(page.listing))
    assert first == files.FileRow(
        filename="a-1.tar.gz",
        version=ODD,
        blake2_256="1" * 64,
        size=0,
        sha256="1" * 64,
        metadata_sha256=None,
        requires_python=ODD,
        yanked_reason="of the release",
        uploaded=datetime(2026, 1, 2, 1, 4, 5, 600000, UTC),
    )
    assert (second.size, second.metadata_sha256) == (9007199254740993, "b" * 64)
    assert second.yanked_reason == ODD
    assert second.uploaded == datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)


async def test_nothing_to_list(database: Database, database_url: str) -> None:
    """A project without files, and one in quarantine, has an empty listing; no project has none at all."""
    ask(database_url, "UPDATE projects SET status = 'quarantined', status_reason = 'why' WHERE name = 'A'")
    for name in ("empty", "a"):
        page = await database.ask(files.page, normalize(name))
        assert page is not None
        assert (page.count, files.listed(page.listing)) == (0, [])
    assert page is not None
    assert (page.status, page.status_reason) == ("quarantined", "why")
    assert await database.ask(files.page, normalize("nobody")) is None
