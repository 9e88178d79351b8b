"""The sweep: what crashes leave goes, what is listed or under way stays."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import psycopg2
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from pypi.db.database import DatabaseDown
from pypi.jobs.sweep import BATCH, Sweep
from tests.support import client
from tests.support.archives import sdist, sdist_filename, wheel, wheel_filename
from tests.support.forms import CONTENT_TYPE, multipart, upload_parts
from tests.support.index import Index, eventually, reactor, running

DAY = timedelta(hours=24)


@pytest_twisted.async_yield_fixture
async def index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    async with running(database_url, tmp_path) as made:
        yield made


def sweep_of(index: Index, *, age: timedelta = DAY, later: timedelta = timedelta(0)) -> Sweep:
    """The job as the index runs it, with another idea of what is old."""
    publisher = index.application.publisher
    return Sweep(
        database=publisher.database,
        files=publisher.files,
        spool=index.application.spool,
        publisher=publisher,
        now=lambda: datetime.now(UTC) + later,
        age=age,
    )


def left(index: Index, data: bytes, filename: str, *, age: timedelta = DAY * 2) -> Path:
    """A file in the store that nothing lists, as a crash leaves it."""
    digest = hashlib.blake2b(data, digest_size=32).hexdigest()
    path = index.folder / "files" / digest[:2] / digest[2:4] / digest[4:] / filename
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return aged(path, age)


def aged(path: Path, age: timedelta) -> Path:
    then = (datetime.now(UTC) - age).timestamp()
    os.utime(path, (then, then))
    return path


def stored(index: Index) -> set[str]:
    """Paths of all files in the store and in the spool."""
    return {path for path, digest in index.state().files.items() if digest != "folder"}


async def test_orphans_go(index: Index) -> None:
    """Files that nothing lists are removed once they are old, with their metadata and their folders."""
    orphans = [
        left(index, b"1", "a-1.0-py3-none-any.whl"),
        left(index, b"1", "a-1.0-py3-none-any.whl.metadata"),
        left(index, b"2", "b-1.0.tar.gz"),
        left(index, b"3", "c-1.0-py3-none-any.whl.metadata"),
    ]
    young = [
        left(index, b"4", "d-1.0.tar.gz", age=DAY - timedelta(hours=1)),
        left(index, b"5", "e-1.0.tar.gz", age=timedelta(0)),
    ]
    await sweep_of(index).run()
    assert [path for path in orphans if path.exists() or path.parent.exists()] == []
    assert [path for path in young if not path.exists()] == []
    await sweep_of(index, later=DAY).run()
    assert stored(index) == set()


async def test_many_orphans(index: Index) -> None:
    """There may be more of them than one batch holds."""
    for number in range(BATCH + 20):
        left(index, b"%d" % number, "a-1.0.tar.gz")
    await sweep_of(index).run()
    assert stored(index) == set()


async def test_listed_files_stay(index: Index) -> None:
    """What is listed stays, however old, also where its metadata looks like an orphan's."""
    await index.upload(wheel(), wheel_filename())
    await index.upload(sdist(), sdist_filename())
    before = stored(index)
    assert len(before) == 3
    for path in before:
        aged(index.folder / "files" / path, DAY * 1000)
    state = index.state()
    await sweep_of(index).run()
    assert not index.state() - state


async def test_same_content_under_another_name(index: Index) -> None:
    """Beside a listed file, one of the same bytes that is not listed goes."""
    data = wheel()
    await index.upload(data, wheel_filename())
    before = stored(index)
    other = left(index, data, "other-1.0-py3-none-any.whl")
    for path in before:
        aged(index.folder / "files" / path, DAY * 1000)
    await sweep_of(index).run()
    assert not other.exists()
    assert stored(index) == before


async def test_what_is_not_ours_stays(index: Index) -> None:
    """Files whose path is none of ours are not touched."""
    root = index.folder / "files"
    foreign = [
        root / "README",
        root / "aa" / "bb" / "notes.txt",
        root / "zz" / "x.whl",
        root / ".hidden" / "x",
    ]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        aged(path, DAY * 1000)
    await sweep_of(index).run()
    assert [path for path in foreign if not path.exists()] == []


async def test_temporary_files_go(index: Index) -> None:
    """What a crash left in the spool goes when it is old; other files there are not ours."""
    spool = index.folder / "files" / ".tmp"
    old, young, foreign = spool / ("a" * 32), spool / ("b" * 32), spool / "notes.txt"
    for path in (old, young, foreign):
        path.write_bytes(b"x")
    aged(old, DAY * 2)
    aged(foreign, DAY * 2)
    await sweep_of(index).run()
    assert (old.exists(), young.exists(), foreign.exists()) == (False, True, True)


async def test_swept_twice(index: Index) -> None:
    """A second sweep, or two at once, find nothing to do and nothing to fail at."""
    left(index, b"1", "a-1.0.tar.gz")
    sweeps = [Deferred.fromCoroutine(sweep_of(index).run()) for _ in range(3)]
    await gatherResults(sweeps)
    await sweep_of(index).run()
    assert stored(index) == set()


async def test_database_away(index: Index) -> None:
    """What cannot be asked about is not removed."""
    orphan = left(index, b"1", "a-1.0.tar.gz")
    await index.application.publisher.database.stop()
    with pytest.raises(DatabaseDown):
        await sweep_of(index).run()
    assert orphan.exists()


# Against uploads under way


async def test_upload_under_way(index: Index) -> None:
    """A temporary file that is being written stays, whatever the clock says."""
    data = wheel(files={"noise": Random(1).randbytes(1 << 20)})
    headers = {"Authorization": index.auth(), "Content-Type": CONTENT_TYPE}
    body = multipart(upload_parts(data, wheel_filename(), {}))
    request = client.request(index.port, "POST", "/legacy/", headers, body)
    exchange = await client.connect(index.port)
    exchange.send(request[:-1000])
    spool = index.folder / "files" / ".tmp"
    await eventually(lambda: list(spool.iterdir()))
    await sweep_of(index, age=timedelta(0), later=DAY).run()
    assert list(spool.iterdir())
    exchange.send(request[-1000:])
    assert client.parse(await exchange.ended).status == 200


async def test_upload_that_waits_to_be_listed(index: Index) -> None:
    """A file whose listing is under way is not removed: the sweep waits for it, and looks again."""
    data, filename = wheel(), wheel_filename()
    digest = hashlib.blake2b(data, digest_size=32).hexdigest()
    connection = psycopg2.connect(index.database_url)
    connection.cursor().execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", (digest,))
    uploading = Deferred.fromCoroutine(index.upload(data, filename))
    await eventually(lambda: any(path.endswith(filename) for path in stored(index)))
    await eventually(lambda: _waiting(index) == 1)
    sweeping = Deferred.fromCoroutine(sweep_of(index, age=timedelta(0), later=DAY).run())
    await eventually(lambda: _waiting(index) == 2)
    connection.close()
    assert (await uploading).status == 200
    await sweeping
    assert {path.rpartition("/")[2] for path in stored(index)} == {filename, f"{filename}.metadata"}


def _waiting(index: Index) -> int:
    [(count,)] = index.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return int(count)


async def test_uploads_of_what_is_swept(index: Index) -> None:
    """Uploads race with sweeps that take everything for old: whoever is told 200 finds the file whole."""
    wheels = {
        wheel_filename(version=f"1.{number}"): wheel(version=f"1.{number}", files={"n.py": b"%d" % number})
        for number in range(12)
    }
    for filename, data in wheels.items():
        left(index, data, filename)
    racing = True

    async def sweeps() -> None:
        while racing:
            await sweep_of(index, age=timedelta(0), later=DAY).run()

    async def upload(filename: str, data: bytes) -> None:
        while (reply := await index.upload(data, filename)).status == 503:
            await deferLater(reactor, 0.05)
        assert reply.status == 200, reply

    sweeping = Deferred.fromCoroutine(sweeps())
    await gatherResults([Deferred.fromCoroutine(upload(*one)) for one in wheels.items()])
    racing = False
    await sweeping
    page = (await index.ask("/simple/demo/?format=application/vnd.pypi.simple.v1+json")).json()
    assert {file["filename"] for file in page["files"]} == set(wheels)
    for file in page["files"]:
        path = "/packages/" + file["url"].partition("/packages/")[2]
        assert (await index.ask(path)).body == wheels[file["filename"]]
        assert (await index.ask(f"{path}.metadata")).status == 200
    # The temporary file of metadata lives for milliseconds, and nothing but its age protects it; nor is
    # anything else a spooled file that came after the sweep had looked which are in use.
    missed = {event.get("work") or type(event["path"]).__name__ for event in index.errors}
    assert missed <= {"Tree.place_bytes", "PosixPath"}, index.errors
    assert all("No such file" in str(event.get("why", event.get("error"))) for event in index.errors)
    index.errors.clear()


async def test_by_itself(database_url: str, tmp_path: Path) -> None:
    """The running index has a sweep among its jobs."""
    async with running(database_url, tmp_path, scheduled=True) as index:
        assert any("Sweep" in repr(part) for part in index.application.parts)
