"""The index behind a real Varnish with our VCL answers as it does without: what it writes is understood."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from random import Random

import pytest
import pytest_twisted
from attrs import define
from twisted.internet.defer import Deferred, gatherResults

from caching.client import Client, Reply
from caching.varnish import Varnish, vcl
from pypi.domain.permissions import OPERATOR, Access
from pypi.front import routes
from tests.support.archives import wheel, wheel_filename
from tests.support.index import Index, reactor, running
from tests.support.varnish import VarnishServer

SAME = ("content-type", "etag", "x-pypi-last-serial", "location", "vary", "cache-control")

TYPES = [
    "text/html",
    "text/*",
    "*/*",
    "application/*",
    "application/xhtml+xml",
    "image/webp",
    *(
        f"application/vnd.pypi.simple.{version}+{kind}"
        for version in ("v1", "latest")
        for kind in ("html", "json")
    ),
]
WEIGHTS = ["", "", "", ";q=0", "; q=0.01", ";q=0.9", ";q=1", ";level=1", " ; Q=0.5"]
QUERIES = [
    "",
    "",
    "?",
    "?x=1",
    "?format=text/html",
    "?format=application/vnd.pypi.simple.v1%2Bjson",
    "?format=application/vnd.pypi.simple.v1+json&x=1",
    "?x=1&format=application/vnd.pypi.simple.v1+html",
    "?format=nonsense",
    "?format=text/html&format=application/vnd.pypi.simple.v1+json",
    "?x=1;format=application/vnd.pypi.simple.v1+json",
    "?%66ormat=application/vnd.pypi.simple.v1+json",
    "?FORMAT=application/vnd.pypi.simple.v1+json",
]


@define(eq=False)
class Behind:
    """An index and the Varnish before it."""

    index: Index
    varnish: VarnishServer
    client: Client

    async def ask(self, port: int, path: str, **headers: str) -> Reply:
        """One GET."""
        return await self.client.ask("GET", f"http://127.0.0.1:{port}{path}", headers)

    async def both(self, path: str, **headers: str) -> tuple[Reply, Reply]:
        """The answer of the index, and that of Varnish."""
        return (
            await self.ask(self.index.port, path, **headers),
            await self.ask(self.varnish.port, path, **headers),
        )


@pytest_twisted.async_yield_fixture(scope="module")
async def behind(databases: object, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Behind]:
    folder = tmp_path_factory.mktemp("behind")
    url = databases.make()  # type: ignore[attr-defined]
    settings = {"edge__purger": "varnish", "edge__varnishes": "http://127.0.0.1:9"}
    async with running(url, folder / "index", **settings) as index:
        assert (await index.upload(wheel(), wheel_filename())).status == 200
        server = VarnishServer(folder / "varnish", index.port)
        try:
            server.start()
            yield Behind(index, server, Client(reactor))
        finally:
            server.end()
    databases.drop(url)  # type: ignore[attr-defined]


def requests(count: int) -> Iterator[tuple[str, str | None]]:
    """Paths with queries, and Accept headers, as clients write them and as they do not."""
    random = Random(1)
    for _ in range(count):
        name = random.choice(["demo", "demo", "Demo", "nothing"])
        path = f"/simple/{name}/{random.choice(QUERIES)}"
        members = [random.choice(TYPES) + random.choice(WEIGHTS) for _ in range(random.randint(1, 4))]
        yield path, random.choice([", ", ","]).join(members) if random.random() < 0.9 else None


async def test_same_answers(behind: Behind) -> None:
    """Whatever a client asks for, and however it writes that, it gets what the index itself answers."""

    async def compare(path: str, accept: str | None) -> str | None:
        headers = {} if accept is None else {"Accept": accept}
        ours, theirs = await behind.both(path, **headers)
        same = (ours.status, ours.body) == (theirs.status, theirs.body) and all(
            _plain(ours, name) == _plain(theirs, name) for name in SAME
        )
        return None if same else f"{path} {accept}: {ours.headers} {theirs.headers}"

    wanted = list(requests(400))
    for start in range(0, len(wanted), 20):
        comparing = [Deferred.fromCoroutine(compare(*one)) for one in wanted[start : start + 20]]
        assert [one for one in await gatherResults(comparing) if one is not None] == []


def _plain(reply: Reply, name: str) -> str | None:
    """A header; a redirect may lose its query, and the validator of unpacked bytes is weak."""
    value = reply.headers.get(name)
    if value is None:
        return None
    return re.sub(r"\?.*", "", value) if name == "location" else value.removeprefix("W/")


async def test_kept(behind: Behind) -> None:
    """The pages of the index are kept; clients see nothing of what the edge is told."""
    for accept in ("text/html", "application/vnd.pypi.simple.v1+json"):
        await behind.ask(behind.varnish.port, "/simple/demo/", Accept=accept)
        reply = await behind.ask(behind.varnish.port, "/simple/demo/", Accept=accept)
        assert "cheeseshop-edge; hit" in reply.headers["cache-status"]
        assert not {"surrogate-control", "xkey"} & reply.headers.keys()
    direct = await behind.ask(behind.index.port, "/simple/demo/")
    assert {"surrogate-control", "xkey"} <= direct.headers.keys()


async def test_quarantined(behind: Behind) -> None:
    """Of what is in quarantine the edge keeps nothing, not even for when the index does not answer."""
    [(digest,)] = behind.index.sql("SELECT blake2_256 FROM files")
    folder = f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}"
    file = f"{folder}/{wheel_filename()}"
    kept = ("/simple/demo/", "/pypi/demo/json", "/project/demo/", "/rss/updates.xml", f"{file}.metadata")
    for path in (*kept, *kept):
        reply = await behind.ask(behind.varnish.port, path)
        assert reply.status == 200, path
    for path in kept:
        reply = await behind.ask(behind.varnish.port, path)
        assert "cheeseshop-edge; hit" in reply.headers["cache-status"], path
    quarantines = behind.index.application.quarantines
    await quarantines.begin(OPERATOR, "demo", "1.0")
    [(payload,)] = behind.index.sql(
        "SELECT payload FROM outbox WHERE kind = 'purge' ORDER BY id DESC LIMIT 1"
    )
    edge = Varnish(urls=(behind.varnish.url,), secret="", client=behind.client)
    await edge.purge(payload["tags"], hard=payload["hard"])
    for path in (*kept, file):
        reply = await behind.ask(behind.varnish.port, path)
        assert "fwd=stale" not in reply.headers["cache-status"], path
        assert "cheeseshop-edge; hit" not in reply.headers["cache-status"], path
        assert reply.status == 404 or wheel_filename().encode() not in reply.body, path
    for path in (file, f"{file}.metadata", "/pypi/demo/json"):
        assert (await behind.ask(behind.varnish.port, path)).status == 404, path
    await quarantines.clear(OPERATOR, "demo", "1.0")
    await edge.purge(payload["tags"], hard=True)
    assert (await behind.ask(behind.varnish.port, file)).status == 200


async def test_private(behind: Behind) -> None:
    """What turns private is gone from the edge; its readers' answers pass through, and none is kept."""
    [(digest,)] = behind.index.sql("SELECT blake2_256 FROM files")
    file = f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{wheel_filename()}"
    kept = ("/simple/demo/", "/pypi/demo/json", "/project/demo/", file, f"{file}.metadata")
    for path in (*kept, *kept):
        assert (await behind.ask(behind.varnish.port, path)).status == 200, path
    reads = behind.index.application.reads
    await reads.change(OPERATOR, "demo", Access.ROLES)
    [(payload,)] = behind.index.sql(
        "SELECT payload FROM outbox WHERE kind = 'purge' ORDER BY id DESC LIMIT 1"
    )
    edge = Varnish(urls=(behind.varnish.url,), secret="", client=behind.client)
    await edge.purge(payload["tags"], hard=payload["hard"])
    for path in kept:
        for headers, status in (({}, 404), ({"Authorization": behind.index.auth()}, 200), ({}, 404)):
            reply = await behind.ask(behind.varnish.port, path, **headers)
            assert reply.status == status, path
            assert "cheeseshop-edge; hit" not in reply.headers["cache-status"], path
    await reads.change(OPERATOR, "demo", Access.PUBLIC)
    assert (await behind.ask(behind.varnish.port, file)).status == 200


def test_parameters_of_all_routes() -> None:
    """Every parameter that a cached route reads is one that the VCL lets through."""
    read = {(route.path.split("/")[1], name) for route in routes() for name in route.policy.query}
    allowed = re.findall(r'"\^/\(([a-z|-]+)\)\(/\|', vcl())
    assert read
    alone = {("simple", "format"), ("project", "page"), ("user", "page")}
    for first, _name in read - alone:
        assert first in allowed[0].split("|")
