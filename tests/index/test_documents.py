"""One release and what stands around it, as values."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_twisted
from twisted.internet import reactor

from pypi.db.database import Database
from pypi.domain.errors import NoSuchProject, NoSuchRelease
from pypi.domain.metadata import Metadata
from pypi.domain.names import normalize
from pypi.domain.values import Extent, Status, Yank
from pypi.files.workers import Workers
from pypi.index.documents import THREAD_FROM, Document, Documents, PublishedFile, ReleaseLine
from tests.support.databases import ask

FILL = """
    INSERT INTO users (name, created) VALUES ('ada', now());
    INSERT INTO projects (name, normalized, look_alike, status, status_reason, last_serial, created) VALUES
        ('A.b', 'a-b', '', 'archived', 'done', 4, now()), ('none', 'none', '', 'active', '', 5, now());
    INSERT INTO roles (project_id, user_id, role, created)
        SELECT p.id, u.id, 'Owner', now() FROM projects p, users u WHERE p.name = 'A.b';
    INSERT INTO releases
        (project_id, version, canonical, is_prerelease, metadata, yanked, yanked_reason, created)
        SELECT id, v, c, false, m::jsonb, y::timestamptz, 'no good', '2026-01-02 03:04:05+00'
          FROM projects, (VALUES ('1.0', '1', NULL, '{"summary": "One", "platform": ["any"], "new": 1}'),
                                 ('1.1', '1.1', '2026-01-01', '{}')) AS given (v, c, y, m)
         WHERE name = 'A.b';
    INSERT INTO descriptions (release_id, content_type, raw, html)
        SELECT id, '', 'raw', '<p>html</p>' FROM releases WHERE version = '1.0';
    INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5, sha256,
                       blake2_256, metadata_sha256, requires_python, comment, uploaded)
        SELECT r.project_id, r.id, name, 'bdist_wheel', 'py3', 12, repeat('a', 32), repeat('b', 64),
               repeat(digit, 64), repeat('c', 64), '>=3', 'why', '2026-01-02 03:04:05.6+00'
          FROM (VALUES ('b.whl', '1.0', '1'), ('a.whl', '1.0', '2'), ('c.whl', '1.1', '3')
               ) AS given (name, version, digit) JOIN releases r ON r.version = given.version"""

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest_twisted.async_yield_fixture
async def documents(database_url: str) -> AsyncIterator[Documents]:
    ask(database_url, FILL)
    database = Database(database_url, reactor, size=1)
    threads = Workers(reactor, threads=1, name="pages")
    await threads.start()
    yield Documents(database, threads)
    await threads.stop()
    await database.stop()


def itself(document: Document) -> Document:
    return document


async def test_of_project(documents: Documents) -> None:
    """The latest release comes with all that is stored of it, and with the project it belongs to."""
    found = await documents.of_project(normalize("a-b"), itself)
    assert (found.name, found.normalized, found.serial) == ("A.b", "a-b", 4)
    assert (found.status, found.status_reason) == (Status.ARCHIVED, "done")
    assert (found.version, found.yank) == ("1.0", None)
    assert found.metadata == Metadata(summary="One", platform=("any",))
    assert (found.description, found.html) == ("raw", None)
    assert found.roles == (("Owner", "ada"),)
    assert [file.filename for file in found.files] == ["a.whl", "b.whl"]
    assert found.files[1] == PublishedFile(
        filename="b.whl",
        filetype="bdist_wheel",
        path=f"11/11/{'1' * 60}/b.whl",
        blake2_256="1" * 64,
        md5="a" * 32,
        sha256="b" * 64,
        metadata_sha256="c" * 64,
        size=12,
        uploaded=CREATED.replace(microsecond=600_000),
        version="1.0",
        python_version="py3",
        requires_python=">=3",
        comment="why",
        yank=None,
    )
    assert found.releases == (ReleaseLine("1.1", CREATED, Yank("no good")), ReleaseLine("1.0", CREATED, None))
    assert found.all_versions == ["1.1", "1.0"]


async def test_all_files(documents: Documents) -> None:
    """The files of all releases come where they are asked for, each with the yank of its release."""
    found = await documents.of_project(normalize("a-b"), itself, Extent(all_files=True))
    assert [(file.filename, file.yank) for file in found.files] == [
        ("a.whl", None),
        ("b.whl", None),
        ("c.whl", Yank("no good")),
    ]


async def test_of_release(documents: Documents) -> None:
    """A release is found by any spelling of its version, and with its description as it is asked for."""
    for version in ("1.0", "1", "v1.0.0"):
        found = await documents.of_release(normalize("a-b"), version, itself, Extent(rendered=True))
        assert (found.version, found.description, found.html) == ("1.0", "", "<p>html</p>")
    found = await documents.of_release(normalize("a-b"), "1.1", itself, Extent(rendered=True))
    assert (found.version, found.yank, found.description, found.html) == ("1.1", Yank("no good"), "", None)


async def test_nothing(documents: Documents) -> None:
    """What is not there is refused by its name."""
    for name in ("nobody", "none"):
        with pytest.raises(NoSuchProject):
            await documents.of_project(normalize(name), itself)
        with pytest.raises(NoSuchRelease):
            await documents.of_release(normalize(name), "1.0", itself)
    with pytest.raises(NoSuchRelease):
        await documents.of_release(normalize("a-b"), "9", itself)


async def test_where_it_is_made(documents: Documents, database_url: str) -> None:
    """What takes long is made in a thread, and the same comes out."""

    def where(document: Document) -> tuple[str, int]:
        return threading.current_thread().name, len(document.description)

    here = threading.current_thread().name
    assert await documents.of_project(normalize("a-b"), where) == (here, 3)
    ask(database_url, f"UPDATE descriptions SET raw = repeat('x', {THREAD_FROM})")
    elsewhere, length = await documents.of_project(normalize("a-b"), where)
    assert (elsewhere != here, length) == (True, THREAD_FROM)
