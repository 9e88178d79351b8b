"""What is private never comes out of a cache: neither of ours, nor of those of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from xmlrpc.client import dumps

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from pypi.accounts.readers import REMEMBERED
from pypi.db.database import Database, DatabaseDown
from pypi.domain.permissions import Access
from pypi.embedded import Urls
from pypi.readership import _briefly
from pypi.web.downloads_handoff import ToBucket, ToFront
from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply, connect, request
from tests.support.databases import Databases
from tests.support.index import Index, basic, eventually, running
from tests.support.managing import identity
from tests.support.visitor import PASSWORD

NAME = "brie"
PAGES = ("/simple/brie/", "/pypi/brie/json", "/pypi/brie/1.0/json", "/project/brie/", "/project/brie/files/")
LISTS = ("/simple/", "/", "/search/?q=brie", "/api/search/suggest?q=bri", "/rss/updates.xml", "/user/ada/")

EDGE = {"edge__purger": "varnish", "edge__varnishes": "http://127.0.0.1:9"}


@pytest_twisted.async_yield_fixture
async def kept(database_url: str, tmp_path: Path, servers: Urls) -> AsyncIterator[Index]:
    """An index with all its caches, and a project that everybody reads."""
    async with running(database_url, tmp_path, redis_url=servers.redis, lane=True, **EDGE) as index:
        for name in ("ruth", "eve"):
            await index.add_user(name, password=PASSWORD)
        reply = await index.upload(wheel(NAME, "1.0"), wheel_filename(NAME, "1.0"))
        assert reply.status == 200, reply.text
        yield index


def file_of(index: Index, name: str = NAME) -> str:
    [(digest, filename)] = index.sql(
        "SELECT blake2_256, filename FROM files JOIN projects p ON p.id = project_id"
        f" WHERE p.normalized = '{name}'"
    )
    return f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{filename}"


async def hot(index: Index, *paths: str) -> list[Reply]:
    """Ask until nothing but caches answers: on one connection, so that the lane does where it can."""
    return [await _hot(index, path) for path in paths]


async def _hot(index: Index, path: str) -> Reply:
    exchange = await connect(index.port)
    asked = request(index.port, "GET", path, {"Connection": "keep-alive", "Accept": "*/*"})
    for number in range(1, 5):
        exchange.send(asked)
        await eventually(lambda number=number: exchange.received.count(b"HTTP/1.1 ") >= number)
    exchange.vanish()
    await exchange.ended
    return await index.ask(path, {"Accept": "*/*"})


async def test_forgotten_at_once(kept: Index) -> None:
    """What was public and is private now is gone from memory, Redis and lane with the answer that says so."""
    path = file_of(kept)
    every = (*PAGES, path, f"{path}.metadata")
    assert {reply.status for reply in await hot(kept, *every, *LISTS)} == {200}
    owner, reads = identity(kept, "ada"), kept.application.reads
    await reads.change(owner, NAME, Access.ROLES)
    for one in every:
        assert (await kept.ask(one)).status == 404, one
        assert (await kept.ask(one, {"Authorization": kept.auth()})).status == 200, one
    for reply in await hot(kept, *every):
        assert reply.status == 404
    for one, reply in zip(LISTS, await hot(kept, *LISTS), strict=True):
        assert "/project/brie/" not in reply.text, one
    kept.application.caches.ladder.memory.forget_all()
    for one in every:
        assert (await kept.ask(one)).status == 404, one
    await reads.change(owner, NAME, Access.PUBLIC)
    assert {reply.status for reply in await hot(kept, *every)} == {200}


async def test_who_is_downloaded_most(kept: Index) -> None:
    """Calls of XML-RPC that are answered as some minutes ago do not tell of what is private since."""
    await kept.ask(file_of(kept))
    await kept.application.downloads.run()
    calls = [dumps((), "top_packages"), dumps((NAME, "1.0"), "release_downloads")]
    for says in (True, False):
        for call in calls:
            for _ in range(2):
                headers = {"Content-Type": "text/xml"}
                reply = await kept.ask("/RPC2", headers, method="POST", body=call.encode())
                assert (NAME in reply.text) is says
        await kept.application.reads.change(identity(kept, "ada"), NAME, Access.ROLES)


async def test_readers_leave_nothing_behind(kept: Index) -> None:
    """However often readers read, nobody's answer is another, and neither edge nor Redis hears of it."""
    await kept.application.reads.change(identity(kept, "ada"), NAME, Access.ACCOUNTS)
    path = file_of(kept)
    before = [reply.body for reply in await hot(kept, *PAGES, path)]
    for _ in range(3):
        for one in (*PAGES, path):
            reply = await kept.ask(one, {"Authorization": kept.auth("eve")})
            assert (reply.status, reply["Cache-Control"]) == (200, "private, no-cache")
            assert not {"xkey", "surrogate-control", "age"} & set(reply.headers), one
    replies = await hot(kept, *PAGES, path)
    assert [reply.body for reply in replies] == before
    assert {reply.status for reply in replies} == {404}


async def test_what_happens_leaves_no_trace(kept: Index) -> None:
    """That there is nothing is kept as it is of what is not there, whatever happens to it in private."""
    await kept.application.reads.change(identity(kept, "ada"), NAME, Access.ROLES)
    # The front page is as young as the last serial.
    paths = ("/simple/brie/", "/pypi/brie/json", "/project/brie/", *(one for one in LISTS if one != "/"))
    await hot(kept, *paths)
    data, filename = wheel(NAME, "2.0"), wheel_filename(NAME, "2.0")
    assert (await kept.upload(data, filename)).status == 200
    assert (await kept.application.yanks.yank(identity(kept, "ada"), NAME, "2.0")) is not None
    await kept.application.deletions.delete_release(identity(kept, "ada"), NAME, "2.0")
    for path in paths:
        assert "cheeseshop-l1; hit" in (await kept.ask(path, {"Accept": "*/*"}))["Cache-Status"], path
    told = kept.sql("SELECT payload FROM outbox WHERE kind = 'purge' ORDER BY id DESC LIMIT 3")
    assert {tag for (payload,) in told for tag in payload["tags"]} == {"journal", "withheld"}


async def test_public_pages_come_out_of_caches(kept: Index) -> None:
    """Whatever is shown for what everybody reads, the answer comes from memory, and is everybody's."""
    await hot(kept, "/simple/brie/")
    for headers in (
        {"Authorization": kept.auth("eve")},
        {"Authorization": basic("eve", "wrong")},
        {"Cookie": "cheeseshop-session=" + "a" * 43},
    ):
        reply = await kept.ask("/simple/brie/", headers)
        assert (reply.status, "hit" in reply["Cache-Status"]) == (200, True)
        assert "public" in reply["Cache-Control"]


async def test_without_the_database(kept: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A private page is refused for as long as nobody can say who may read it; public ones are served."""
    reply = await kept.upload(wheel("feta", "1.0"), wheel_filename("feta", "1.0"))
    assert reply.status == 200
    await kept.application.reads.change(identity(kept, "ada"), NAME, Access.ROLES)
    path = file_of(kept, "feta")
    await hot(kept, "/simple/feta/", "/simple/brie/", "/simple/nothing/", path)
    auth = {"Authorization": kept.auth()}
    assert (await kept.ask("/simple/brie/", auth)).status == 200

    async def lost(*_: object) -> object:
        raise DatabaseDown()

    with monkeypatch.context() as patch:
        patch.setattr(Database, "_shielded", lost)
        for one in ("/simple/brie/", "/simple/nothing/", file_of(kept)):
            assert (await kept.ask(one, auth)).status == 503, one
        assert (await kept.ask("/simple/brie/")).status == 404
        assert (await kept.ask("/simple/feta/", auth)).status == 200
        assert (await kept.ask(path, auth)).status == 200
        assert (await kept.ask(file_of(kept))).status == 404
    kept.errors.clear()
    assert (await kept.ask("/simple/brie/", auth)).status == 200


async def test_a_private_index_without_the_database(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is served of an index for accounts while nobody can say who has one."""
    url = databases.make()
    async with running(url, tmp_path, access__reads="private", lane=True) as index:
        assert index.application.caches.lane is None
        await index.upload(wheel(NAME, "1.0"), wheel_filename(NAME, "1.0"))
        auth = {"Authorization": index.auth()}
        assert (await index.ask("/simple/brie/", auth)).status == 200

        async def lost(*_: object) -> object:
            raise DatabaseDown()

        with monkeypatch.context() as patch:
            patch.setattr(Database, "_shielded", lost)
            await deferLater(reactor, REMEMBERED)
            assert (await index.ask("/simple/brie/", auth)).status == 503
            assert (await index.ask("/simple/brie/")).status == 401
            assert (await index.ask("/robots.txt")).status == 200
        index.errors.clear()
    databases.drop(url)


async def test_sent_by_others(database_url: str, tmp_path: Path) -> None:
    """A server in front of us is told where a private file is only if a reader asks for it."""
    settings = {
        "files__handoff": "x-accel",
        "files__handoff_prefix": "/internal/",
        "service__trusted_proxies": ["127.0.0.1/32"],
        "access__new_projects": "roles",
    }
    async with running(database_url, tmp_path, **settings) as index:
        await index.add_user("eve")
        assert (await index.upload(wheel(NAME, "1.0"), wheel_filename(NAME, "1.0"))).status == 200
        path = file_of(index)
        reply = await index.ask(path, {"Authorization": index.auth()})
        assert (reply.status, reply["Cache-Control"]) == (200, "private, no-cache")
        assert reply["X-Accel-Redirect"].startswith("/internal/")
        for headers in ({}, {"Authorization": index.auth("eve")}):
            reply = await index.ask(path, headers)
            assert (reply.status, "x-accel-redirect" in reply) == (404, False)


def test_addresses_of_buckets() -> None:
    """An address that a reader got is good for a minute at most."""

    async def presigned(path: str, seconds: int) -> str:
        return ""

    for seconds, expected in ((3600, 60), (20, 20)):
        brief = _briefly(ToBucket(presigned=presigned, seconds=seconds))
        assert isinstance(brief, ToBucket)
        assert (brief.seconds, brief.shared) == (expected, False)
    front = ToFront(header="X-Sendfile")
    assert _briefly(front) is front
    assert _briefly(None) is None
