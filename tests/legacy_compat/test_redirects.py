"""Old addresses, asked of an index that listens: hosts, the fast lane, what caches keep and forget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.legacy_compat import catalogue
from tests.legacy_compat.catalogue import Listed
from tests.support import client
from tests.support.client import Reply
from tests.support.databases import Databases
from tests.support.index import Index, eventually, running

ORIGIN = "https://index.example"
SDIST = Listed(project="Foo.Bar", version="1.0", filename="Foo.Bar-1.0.tar.gz", content=b"sdist")
SIGNED = Listed(project="signed", version="1", filename="signed-1.tar.gz", content=b"signed", signed=True)

MOVED_FOR_A_DAY = "max-age=86400, public"
MOVED_FOR_A_WEEK = "max-age=604800, public"


@pytest_twisted.async_yield_fixture(scope="module")
async def index(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Index]:
    """An index with hosts of old, and its fast lane."""
    url = databases.make()
    settings = {
        "service__origin": ORIGIN,
        "legacy__index_hosts": ["old.example"],
        "legacy__files_hosts": ["files.example"],
        "legacy__docs_hosts": ["docs.example"],
        "legacy__docs_redirects": {"Foo.Bar": "https://there.example/foo", "flat": "https://flat.example/"},
        "legacy__off": ["legacy.mirrors"],
    }
    async with running(url, tmp_path_factory.mktemp("index"), lane=True, **settings) as made:
        projects = [("Foo.Bar", ["1.0", "2.0b1"]), ("signed", ["1"])]
        await catalogue.write(made, projects, [SDIST, SIGNED])
        await made.application.caches.invalidations.catch_up()
        yield made
    databases.drop(url)


async def keep_asking(index: Index, path: str, host: str, times: int = 3) -> list[Reply]:
    """The answers to the same request, several times on one connection, as the fast lane likes it."""
    exchange = await client.connect(index.port)
    replies = []
    for _ in range(times):
        exchange.received = b""
        exchange.send(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        await eventually(lambda: _complete(exchange.received))
        replies.append(client.parse(exchange.received))
        await deferLater(reactor, 0.01)  # type: ignore[arg-type]
    exchange.vanish()
    return replies


def _complete(received: bytes) -> bool:
    head, blank, body = received.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return bool(blank) and len(body) == int(length or 0)


async def test_the_lane_answers(index: Index) -> None:
    """An old address that is asked for again and again comes from the fast lane."""
    first, *again = await keep_asking(index, "/pypi/foo_bar", "index.example")
    assert {(reply.status, reply["Location"]) for reply in (first, *again)} == {(301, "/project/Foo.Bar/")}
    assert {reply["Cache-Control"] for reply in (first, *again)} == {MOVED_FOR_A_DAY}
    assert "fwd=miss" in first["Cache-Status"]
    assert all(reply["Cache-Status"] == "cheeseshop-l1; hit" for reply in again)


@pytest.mark.parametrize(
    ("path", "there"),
    [
        ("/simple/foo-bar/", "/simple/foo-bar/"),
        ("/pypi/foo_bar", "/project/Foo.Bar/"),
        ("/", "/"),
        (f"/packages/{SDIST.path}", f"/packages/{SDIST.path}"),
    ],
)
async def test_the_lane_knows_hosts(index: Index, path: str, there: str) -> None:
    """What the lane answers on our own host, it does not answer on another: there it is a redirect."""
    await keep_asking(index, path, "index.example")
    for host in ("old.example", "OLD.example.", "old.example:443"):
        for reply in await keep_asking(index, path, host):
            assert (reply.status, reply["Location"]) == (301, ORIGIN + there)


@pytest.mark.parametrize(
    ("host", "path", "status", "location"),
    [
        ("old.example", "/no/such/page", 404, ""),
        ("old.example", "/simple", 301, f"{ORIGIN}/simple/"),
        ("old.example", "/simple/nobody/", 404, ""),
        ("old.example", "/RPC2", 405, ""),
        ("old.example", "/pypi/Foo.Bar/json", 301, f"{ORIGIN}/pypi/foo-bar/json"),
        ("old.example", "/rss/updates.xml", 301, f"{ORIGIN}/rss/updates.xml"),
        (
            "files.example",
            "/packages/source/f/foo_bar/foo_bar-1.0.0.tar.gz",
            302,
            f"{ORIGIN}/packages/{SDIST.path}",
        ),
        ("files.example", f"/packages/{SDIST.path}", 301, f"{ORIGIN}/packages/{SDIST.path}"),
        ("files.example", f"/packages/{SDIST.path}x", 404, ""),
        ("files.example", "/simple/", 404, ""),
        ("docs.example", "/foo_bar", 302, "https://there.example/foo/"),
        ("docs.example", "/foo_bar/a%20b/%C3%A9.html?q", 302, "https://there.example/foo/a%20b/%C3%A9.html"),
        ("docs.example", "/flat/x", 302, "https://flat.example/"),
        ("docs.example", "/simple/", 404, ""),
        ("docs.example", "/", 404, ""),
        ("evil.example", "/pypi/foo-bar", 301, f"{ORIGIN}/project/Foo.Bar/"),
        ("evil.example", "/simple/foo-bar/", 421, ""),
        ("evil.example", "/", 421, ""),
        ("evil.example", "/daytime", 421, ""),
        ("evil.example", "/pypi/nobody?:action=x", 404, ""),
    ],
)
async def test_hosts(index: Index, host: str, path: str, status: int, location: str) -> None:
    """Every host of old leads to the index of today in one step, and nowhere else."""
    reply = await index.ask(path, {"Host": host})
    assert (reply.status, reply["Location"]) == (status, location)


async def test_a_post_for_another_host(index: Index) -> None:
    """Nothing is taken in for a host that is not ours."""
    reply = await index.ask("/pypi", {"Host": "evil.example"}, method="POST", body=b"x")
    assert reply.status == 421


async def test_files(index: Index) -> None:
    """Where a file lies is told for a week; a signature only where there is one."""
    reply = await index.ask("/packages/any/F/Foo.Bar/Foo.Bar-1.0.tar.gz", {"Host": "index.example"})
    assert (reply.status, reply["Location"]) == (302, f"/packages/{SDIST.path}")
    assert reply["Cache-Control"] == MOVED_FOR_A_WEEK
    assert (await index.ask("/packages/any/F/Foo.Bar/Foo.Bar-1.0.tar.gz.asc")).status == 404
    signature = await index.ask("/packages/any/s/signed/signed-1.tar.gz.asc")
    assert signature["Location"] == f"/packages/{SIGNED.path}.asc"
    assert (await index.ask(signature["Location"])).text.startswith("-----BEGIN PGP SIGNATURE")


async def test_forgetting(index: Index) -> None:
    """An address that leads nowhere is kept like any other, and forgotten when its project appears."""
    assert [reply.status for reply in await keep_asking(index, "/pypi/Later", "index.example")] == [404] * 3
    await catalogue.write(index, [("later", ["1"])], [])
    await index.application.caches.invalidations.catch_up()
    (reply,) = await keep_asking(index, "/pypi/Later", "index.example", times=1)
    assert (reply.status, reply["Location"]) == (301, "/project/later/")


async def test_methods(index: Index) -> None:
    """Old addresses are read; who does anything else is told so, and OPTIONS tells it, too."""
    for method in ("PUT", "POST", "DELETE", "PATCH"):
        reply = await index.ask("/pypi/Foo.Bar", method=method)
        assert (reply.status, reply["Allow"]) == (405, "GET, HEAD, OPTIONS")
    for path, allowed in (("/pypi/Foo.Bar", "GET, HEAD, OPTIONS"), ("/pypi", "GET, HEAD, OPTIONS, POST")):
        reply = await index.ask(path, method="OPTIONS")
        assert (reply.status, reply["Allow"]) == (204, allowed)
    assert (await index.ask("/pypi", method="PUT"))["Allow"] == "GET, HEAD, OPTIONS, POST"
    assert (await index.ask("/oauth/access_token", method="POST")).status == 410


async def test_features_that_are_off(index: Index) -> None:
    """A family of old addresses can be switched off; the answer names what has taken its place."""
    reply = await index.ask("/daytime")
    assert (reply.status, reply["Location"]) == (410, "")
    assert "switched off on this index" in reply.text


async def test_texts(index: Index) -> None:
    """Classifiers come in their order, without a last line end; digests come back if they are known."""
    classifiers = (await index.ask("/pypi?:action=list_classifiers")).text.split("\n")
    assert classifiers[0] == "Development Status :: 1 - Planning"
    assert "" not in classifiers
    digest = "ff6d8507f47b3e0a3b2f9d7b5ee3aab0"
    assert (await index.ask(f"/pypi?:action=show_md5&digest={digest}")).status == 404
    [(known,)] = index.sql("SELECT md5 FROM files LIMIT 1")
    assert (await index.ask(f"/pypi?:action=show_md5&digest={str(known).upper()}")).text == known


async def test_people(index: Index) -> None:
    """A short address of somebody leads to their page, as they spell themselves."""
    assert (await index.ask("/u/ADA"))["Location"] == "/user/ada/"
    assert (await index.ask("/u/nobody/")).status == 404


async def test_plain_http(databases: Databases, tmp_path: Path) -> None:
    """Where HTTPS is required, nothing is answered without it, however often it is asked for."""
    url, settings = databases.make(), {"service__origin": ORIGIN, "service__require_https": "on"}
    async with running(url, tmp_path, lane=True, **settings) as index:
        for path in ("/simple/", "/pypi?:action=rss", "/pypi/foo/json", "/packages/any/f/foo/foo-1.zip"):
            for reply in await keep_asking(index, path, "index.example"):
                assert (reply.status, "SSL is required." in reply.text) == (403, True)
        for path, there in (("/", "/"), ("/stats", "/stats/"), ("/pypi", "/")):
            for reply in await keep_asking(index, path, "index.example"):
                assert (reply.status, reply["Location"]) == (301, ORIGIN + there)
        assert (
            await index.ask("/legacy/", {"Host": "index.example"}, method="POST", body=b"x")
        ).status == 403
        assert (await index.ask("/no/such/page", {"Host": "index.example"})).status == 404
    databases.drop(url)
