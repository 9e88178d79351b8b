"""Uploads that meet each other, and clients that leave in the middle of one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

import psycopg2
import pytest
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from tests.support import client
from tests.support.archives import sdist, sdist_filename, wheel, wheel_filename
from tests.support.client import Reply
from tests.support.forms import CONTENT_TYPE, multipart, upload_parts
from tests.support.index import OWNER, Index, eventually, reactor

MEETINGS = [20] * 5 + [pytest.param(50, marks=pytest.mark.long)] * 100
"""How many uploads meet, each time."""

PERCENT = [1, 20, 40, 60, 80, 95, 99]
BREAKS = [*PERCENT, *(pytest.param(n, marks=pytest.mark.long) for n in range(1, 100) if n not in PERCENT)]
"""After how much of an upload its client leaves."""


async def all_at_once(*uploads: object) -> list[Reply]:
    """The answers to uploads that are under way together."""
    return await gatherResults([Deferred.fromCoroutine(one) for one in uploads])  # type: ignore[type-var,arg-type]


@pytest.mark.parametrize("many", MEETINGS)
async def test_same_file_at_once(index: Index, name: str, many: int) -> None:
    """Of many who upload one file at once one publishes it, and all are told that it is there."""
    data, filename = wheel(name), wheel_filename(name)
    replies = await all_at_once(*(index.upload(data, filename) for _ in range(many)))
    assert [reply.status for reply in replies] == [200] * many
    assert sum("X-PyPI-Last-Serial" in reply for reply in replies) == 1
    assert files_of(index, name) == [(filename, hashlib.sha256(data).hexdigest())]
    check_consistent(index)


@pytest.mark.parametrize("many", MEETINGS)
async def test_same_name_other_bytes_at_once(index: Index, name: str, many: int) -> None:
    """Of many different files under one name exactly one is published, and of the others nothing stays."""
    filename = wheel_filename(name)
    bodies = [wheel(name, files={"number.py": b"%d" % number}) for number in range(many)]
    replies = await all_at_once(*(index.upload(data, filename) for data in bodies))
    assert sorted(reply.status for reply in replies) == [200] + [400] * (many - 1)
    assert all(reply.reason.startswith("File already exists") for reply in replies if reply.status == 400)
    winner = next(data for data, reply in zip(bodies, replies, strict=True) if reply.status == 200)
    assert files_of(index, name) == [(filename, hashlib.sha256(winner).hexdigest())]
    check_consistent(index)


@pytest.mark.parametrize(
    "_time", [*range(5), *(pytest.param(n, marks=pytest.mark.long) for n in range(5, 500))]
)
async def test_one_name_two_users(index: Index, name: str, _time: int) -> None:
    """Of two who take a name at once one becomes its owner, and the other is refused."""
    rival = f"eve.{name}"
    await index.add_user(rival)
    replies = await all_at_once(
        index.upload(wheel(name), wheel_filename(name)),
        index.upload(sdist(name), sdist_filename(name), auth=index.auth(rival)),
    )
    assert sorted(reply.status for reply in replies) == [200, 403]
    winner = OWNER if replies[0].status == 200 else rival
    assert index.sql(
        "SELECT u.name, role FROM roles r JOIN users u ON u.id = r.user_id "
        f"JOIN projects p ON p.id = r.project_id WHERE p.normalized = '{name}'"
    ) == [(winner, "Owner")]
    check_consistent(index)


async def test_look_alikes_at_once(index: Index, name: str) -> None:
    """Of two names that read alike, taken at once, one is taken."""
    other = name.replace("o", "0")
    replies = await all_at_once(
        *(index.upload(wheel(one), wheel_filename(one)) for one in (name, other) for _ in range(5))
    )
    assert sorted({reply.status for reply in replies}) == [200, 400]
    taken = index.sql(f"SELECT normalized FROM projects WHERE normalized IN ('{name}', '{other}')")
    assert len(taken) == 1
    check_consistent(index)


async def test_many_files_of_one_project(index: Index, name: str) -> None:
    """Different files of one project, all at once, are all published, under serials without gaps."""
    [(before,)] = index.sql("SELECT coalesce(max(serial), 0) FROM journal")
    versions = [f"1.{number}" for number in range(20)]
    replies = await all_at_once(
        *(index.upload(wheel(name, version), wheel_filename(name, version)) for version in versions)
    )
    assert [reply.status for reply in replies] == [200] * 20
    serials = [
        serial for (serial,) in index.sql(f"SELECT serial FROM journal WHERE serial > {before} ORDER BY 1")
    ]
    assert serials == list(range(before + 1, before + 1 + len(serials)))
    assert index.sql(f"SELECT last_serial FROM projects WHERE normalized = '{name}'") == [(serials[-1],)]
    check_consistent(index)


# Decided at the last moment


async def test_refused_in_the_transaction(index: Index, name: str) -> None:
    """What changes while the file is on its way is seen before it is listed, and its bytes go again."""
    assert (await index.upload(wheel(name), wheel_filename(name))).status == 200
    late = sdist(name)
    with blob_locked(index, late):
        uploading = Deferred.fromCoroutine(index.upload(late, sdist_filename(name)))
        await until_stored(index, late)
        index.sql(f"UPDATE projects SET status = 'archived' WHERE normalized = '{name}'")
        before = index.state().tables
    reply = await uploading
    assert (reply.status, reply.reason) == (403, f"The project {name!r} is archived and takes no new files.")
    assert index.state().tables == before
    check_consistent(index)


async def test_swept_away_at_the_last_moment(index: Index, name: str) -> None:
    """Bytes that vanish between being stored and being listed are not listed."""
    data, filename = wheel(name), wheel_filename(name)
    with blob_locked(index, data):
        uploading = Deferred.fromCoroutine(index.upload(data, filename))
        path = await until_stored(index, data)
        (index.folder / "files" / path).unlink()
    reply = await uploading
    assert (reply.status, reply["Retry-After"]) == (503, "5")
    assert files_of(index, name) == []
    check_consistent(index)


async def test_client_that_leaves_before_the_answer(index: Index, name: str) -> None:
    """Once a form is complete it is published, whether its sender waits for the answer or not."""
    data, filename = wheel(name), wheel_filename(name)
    with blob_locked(index, data):
        exchange = await client.connect(index.port)
        exchange.send(upload_request(index, data, filename))
        await until_stored(index, data)
        exchange.vanish()
        await exchange.ended
    await eventually(lambda: files_of(index, name))
    check_consistent(index)
    assert (await index.upload(data, filename)).text == f"{filename} was already on the index.\n"


@pytest.mark.parametrize("percent", BREAKS)
@pytest.mark.parametrize("politely", [True, False])
async def test_client_that_leaves_in_the_middle(
    index: Index, name: str, percent: int, politely: bool
) -> None:
    """Of an upload that breaks off nothing stays, wherever it does."""
    noise = Random(percent).randbytes(1 << 20)
    data = wheel(name, files={"noise": noise})
    request = upload_request(index, data, wheel_filename(name))
    before = await index.rests()
    exchange = await client.connect(index.port)
    exchange.send(request[: len(request) * percent // 100])
    if percent >= 20:
        await eventually(lambda: list((index.folder / "files" / ".tmp").iterdir()))
    if politely:
        exchange.transport.loseConnection()  # type: ignore[union-attr]
    else:
        exchange.vanish()
    await exchange.ended
    assert not await index.rests() - before


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE tokens SET revoked = now() WHERE user_id = {whose}",
        "UPDATE users SET is_active = false WHERE id = {whose}",
    ],
    ids=["revoked", "disabled"],
)
async def test_who_is_good_no_longer(index: Index, name: str, end: str) -> None:
    """An upload that began with a token publishes nothing once that is revoked, or its account disabled."""
    rival = f"eve.{name}"
    await index.add_user(rival)
    data = wheel(name, files={"noise": Random(1).randbytes(1 << 20)})
    request = upload_request(index, data, wheel_filename(name), auth=index.auth(rival))
    exchange = await client.connect(index.port)
    exchange.send(request[: len(request) // 2])
    await eventually(lambda: list((index.folder / "files" / ".tmp").iterdir()))
    index.sql(end.format(whose=f"(SELECT id FROM users WHERE name = '{rival}')"))
    exchange.send(request[len(request) // 2 :])
    assert client.parse(await exchange.ended).status in (401, 403)
    assert files_of(index, name) == []
    check_consistent(index)


async def test_client_that_sends_its_headers_only(index: Index) -> None:
    """A client that leaves after its headers leaves nothing."""
    before = await index.rests()
    request = upload_request(index, wheel(), "demo-1.0-py3-none-any.whl")
    exchange = await client.connect(index.port)
    exchange.send(request[: request.index(b"\r\n\r\n") + 4])
    await deferLater(reactor, 0.05)
    exchange.vanish()
    await exchange.ended
    assert not await index.rests() - before


def upload_request(index: Index, data: bytes, filename: str, *, auth: str = "") -> bytes:
    headers = {"Authorization": auth or index.auth(), "Content-Type": CONTENT_TYPE}
    body = multipart(upload_parts(data, filename, {}))
    return client.request(index.port, "POST", "/legacy/", headers, body)


@contextmanager
def blob_locked(index: Index, data: bytes) -> Iterator[None]:
    """Whoever would list this content has to wait meanwhile."""
    connection = psycopg2.connect(index.database_url)
    connection.cursor().execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))",
        (hashlib.blake2b(data, digest_size=32).hexdigest(),),
    )
    try:
        yield
    finally:
        connection.close()


async def until_stored(index: Index, data: bytes) -> str:
    """The path of the file with this content, once it is in its place."""
    digest = hashlib.sha256(data).hexdigest()

    def path() -> str:
        stored = (path for path, found in index.state().files.items() if found == digest)
        return next((path for path in stored if not path.startswith(".tmp")), "")

    return await eventually(path)


def files_of(index: Index, name: str) -> list[tuple[object, ...]]:
    return index.sql(
        "SELECT filename, sha256 FROM files f JOIN projects p ON p.id = f.project_id "
        f"WHERE normalized = '{name}' ORDER BY filename"
    )


def check_consistent(index: Index) -> None:
    """Listed files are exactly the stored ones; the ledger knows them; nothing temporary is left."""
    listed = index.sql("SELECT filename, sha256, blake2_256, metadata_sha256 FROM files")
    expected: dict[str, object] = {}
    for filename, sha256, digest, metadata_sha256 in listed:
        path = f"{digest[:2]}/{digest[2:4]}/{digest[4:]}/{filename}"
        expected[path] = sha256
        if metadata_sha256 is not None:
            expected[f"{path}.metadata"] = metadata_sha256
    files = index.state().files
    assert {path: digest for path, digest in files.items() if digest != "folder"} == expected
    assert len([path for path in files if path.count("/") == 2]) == len(listed)
    known = {row[0] for row in index.sql("SELECT filename FROM filenames")}
    assert known == {row[0] for row in listed}
