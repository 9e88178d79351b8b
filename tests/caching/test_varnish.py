"""A real Varnish with our VCL: what it keeps, how it forgets, and what it serves while the index is away."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
import pytest_twisted
from attrs import evolve, frozen
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from caching.client import Client
from caching.purge import PurgeFailed
from caching.varnish import Varnish, vcl
from tests.caching.origins import PAGE, Origin, reactor
from tests.support import client
from tests.support.client import Reply
from tests.support.index import eventually
from tests.support.service import ROOT
from tests.support.varnish import VarnishServer

SECRET = "s3cret"

_names = count(1)

HTML, V1_HTML, V1_JSON = (
    "text/html",
    "application/vnd.pypi.simple.v1+html",
    "application/vnd.pypi.simple.v1+json",
)
PIP = f"{V1_JSON}, {V1_HTML}; q=0.1, text/html; q=0.01"
UV = f"{V1_JSON}, {V1_HTML};q=0.2, text/html;q=0.01"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@frozen
class Edge:
    """The instance, what is behind it, and its purger."""

    server: VarnishServer
    origin: Origin
    purger: Varnish

    async def ask(self, path: str, *, method: str = "GET", body: bytes = b"", **headers: str) -> Reply:
        """Ask Varnish; ``if_none_match`` is ``If-None-Match``."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.ask(self.server.port, method, path, given, body)

    async def warm(self, **headers: str) -> str:
        """The path of a page that is kept."""
        path = new_page()
        assert (await self.ask(path, **headers)).status == 200
        assert (await self.ask(path, **headers))["Cache-Status"].startswith("cheeseshop-edge; hit")
        return path


def new_page() -> str:
    """A page nobody has asked for."""
    return f"/simple/demo{next(_names)}/"


def tag(path: str) -> str:
    """Of a page."""
    return f"project/{path.split('/')[2]}"


@pytest_twisted.async_yield_fixture(scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Edge]:
    """One instance for all tests."""
    origin = Origin()
    origin.start()
    server = VarnishServer(tmp_path_factory.mktemp("varnish"), origin.port, secret=SECRET)
    try:
        server.start()
        yield Edge(server, origin, Varnish(urls=(server.url,), secret=SECRET, client=Client(reactor)))
    finally:
        server.end()
        await origin.stop()


@pytest_twisted.async_yield_fixture
async def edge(shared: Edge) -> AsyncIterator[Edge]:
    """The instance, in good health, before an index in good health."""
    shared.origin.reset()
    if shared.origin.listening is None:
        shared.origin.start()
    while (await shared.ask(new_page())).status != 200:
        pass
    shared.origin.asked.clear()
    yield shared


# What is kept


async def test_kept(edge: Edge) -> None:
    """A page is asked for once; clients are told neither tags nor times that are the edge's own."""
    path = new_page()
    first, second = await edge.ask(path), await edge.ask(path)
    assert (first.body, second.body) == (edge.origin.page(path),) * 2
    assert edge.origin.times(path) == 1
    assert first["Cache-Status"] == "cheeseshop-edge; fwd=miss"
    status, _, left = second["Cache-Status"].rpartition("=")
    assert status == "cheeseshop-edge; hit; ttl"
    assert 3500 < int(left) <= 3600
    assert second["Cache-Control"] == "max-age=0, public, must-revalidate"
    assert second["X-PyPI-Last-Serial"] == "1"
    hidden = {"surrogate-control", "surrogate-key", "xkey", "cache-tag", "cdn-cache-control", "x-varnish"}
    assert not hidden & {*first.headers, *second.headers}
    assert not [name for name in {*first.headers, *second.headers} if name.startswith("x-cheeseshop")]


async def test_what_others_said_of_caches(edge: Edge) -> None:
    """What the index says of its own caches stands before what the edge says of itself (RFC 9211)."""
    edge.origin.more["Cache-Status"] = "cheeseshop-l1; hit"
    assert (await edge.ask(new_page()))["Cache-Status"] == "cheeseshop-l1; hit, cheeseshop-edge; fwd=miss"


async def test_head_and_conditional(edge: Edge) -> None:
    """HEAD and conditional requests are answered from what is kept."""
    path = await edge.warm()
    head = await edge.ask(path, method="HEAD")
    assert (head.status, head.body, head["Content-Length"]) == (200, b"", str(len(edge.origin.page(path))))
    assert (await edge.ask(path, if_none_match='"1"')).status == 304
    assert (await edge.ask(path, if_none_match='"0"')).status == 200
    assert edge.origin.times(path) == 1


@pytest.mark.parametrize(
    "more",
    [
        {"Set-Cookie": "a=b"},
        {"Cache-Control": "private, no-store"},
        {"Cache-Control": "public, private"},
        {"Surrogate-Control": "no-store"},
        {"Surrogate-Control": "max-age=0"},
        {"Vary": "*"},
    ],
)
async def test_not_kept(edge: Edge, more: dict[str, str]) -> None:
    """What is personal, or not to be kept, is not."""
    edge.origin.more.update(more)
    path = new_page()
    for _ in range(3):
        assert (await edge.ask(path)).status == 200
    assert edge.origin.times(path) == 3


async def test_standard_header(edge: Edge) -> None:
    """The header of RFC 9213 is understood as well."""
    edge.origin.policy = evolve(PAGE, edge=0)
    edge.origin.more |= {"CDN-Cache-Control": "max-age=50, stale-if-error=60", "xkey": "a"}
    path = await edge.warm()
    assert "ttl=50" in (await edge.ask(path))["Cache-Status"] or edge.origin.times(path) == 1


@pytest.mark.parametrize(("more", "longest"), [("public", 60), ("public, immutable", 31536000)])
async def test_without_tags(edge: Edge, more: str, longest: int) -> None:
    """What has no tag cannot be purged, and is kept for a minute at most, unless it never changes."""
    edge.origin.policy = evolve(PAGE, edge=0)
    edge.origin.more["Cache-Control"] = f"max-age=31536000, {more}"
    path = f"/packages/aa/bb/{'c' * 60}/demo-{next(_names)}-py3-none-any.whl.metadata"
    await edge.ask(path)
    again = await edge.ask(path)
    assert again["Cache-Status"].startswith("cheeseshop-edge; hit; ttl=")
    assert longest - 5 < int(again["Cache-Status"].rpartition("=")[2]) <= longest


# What is not the edge's business


@pytest.mark.parametrize("headers", [{"Cookie": "a=b"}, {"Authorization": "Basic YTpi"}])
async def test_personal_requests(edge: Edge, headers: dict[str, str]) -> None:
    """Who shows who he is gets his answer from the index, and nobody else gets that one."""
    path = await edge.warm()
    assert (await edge.ask(path, **headers))["Cache-Status"] == "cheeseshop-edge; fwd=request"
    [name] = headers
    assert edge.origin.asked[-1].headers[name.lower()] == headers[name]
    fresh = new_page()
    await edge.ask(fresh, **headers)
    await edge.ask(fresh)
    assert edge.origin.times(fresh) == 2


@pytest.mark.parametrize("path", ["/legacy/", "/pypi"])
async def test_posts(edge: Edge, path: str) -> None:
    """Uploads and XML-RPC go through, however long they are."""
    body = bytes(range(256)) * 20_000
    reply = await edge.ask(path, method="POST", body=body, Content_Type="application/octet-stream")
    assert (reply.status, reply["Cache-Status"]) == (200, "cheeseshop-edge; fwd=method")
    assert edge.origin.asked[-1].body == body


async def test_files(edge: Edge) -> None:
    """Files stream through, ranges and all, and are not kept."""
    path = "/packages/aa/bb/" + "c" * 60 + "/demo-1.0.tar.gz"
    for _ in range(2):
        assert (await edge.ask(path, Range="bytes=0-1")).body == edge.origin.page(path)
    assert edge.origin.times(path) == 2
    assert edge.origin.asked[-1].headers["range"] == "bytes=0-1"
    assert edge.origin.asked[-1].headers["connection"] == "close"


async def test_notes_of_its_own(edge: Edge) -> None:
    """Headers that are the edge's own notes are not believed of clients, and where they come from is told."""
    path = new_page()
    await edge.ask(
        path,
        X_Cheeseshop_Stale="1",
        X_Cheeseshop_Refresh="1",
        X_Forwarded_For="192.0.2.1",
        xkey="a",
        Purge_Secret="x",
    )
    seen = edge.origin.asked[-1].headers
    assert not [name for name in seen if name.startswith("x-cheeseshop")]
    assert "xkey" not in seen
    assert "purge-secret" not in seen
    # The client is one of "proxies" here, so that it is believed about whom it asks for.
    assert seen["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"


# One page, one key


@pytest.mark.parametrize(
    ("query", "sent"),
    [
        ("", ""),
        ("?", ""),
        ("?utm=1", ""),
        ("?a=1&b=2", ""),
        (f"?format={V1_JSON}", f"?format={V1_JSON}"),
        (f"?utm=1&format={V1_JSON}&x=2", f"?format={V1_JSON}"),
        ("?format=application/vnd.pypi.simple.v1%2Bjson", "?format=application/vnd.pypi.simple.v1%2Bjson"),
        ("?nformat=1", ""),
    ],
)
async def test_query_of_pages(edge: Edge, query: str, sent: str) -> None:
    """Of a page's parameters only those it reads are asked for; whatever stands beside them is one page."""
    path = new_page()
    first = await edge.ask(path + query)
    assert edge.origin.asked[-1].url == path + sent
    again = await edge.ask(path + (f"{sent}&noise=1" if sent else "?noise=1"))
    assert (first.status, again["Cache-Status"].split(";")[1]) == (200, " hit")


@pytest.mark.parametrize("query", ["?a=1;format=x", "?%66ormat=x", "?format=a&format=b", "?format=%41"])
async def test_strange_queries(edge: Edge, query: str) -> None:
    """A query that might mean something else to the index is left to it."""
    path = new_page()
    for _ in range(2):
        assert (await edge.ask(path + query))["Cache-Status"] == "cheeseshop-edge; fwd=bypass"
    assert [one.url for one in edge.origin.asked] == [path + query] * 2


@pytest.mark.parametrize(
    "path",
    [
        "/search/?b=2&a=1",
        "/pypi?b=2&a=1",
        "/manage/x/?b=2&a=1",
        "/?b=2&:action=a",
        "/x?%3Aaction=b",
    ],
)
async def test_queries_that_are_read(edge: Edge, path: str) -> None:
    """Where routes read parameters, all are kept, in one order."""
    await edge.ask(path)
    before, _, query = path.partition("?")
    assert edge.origin.asked[-1].url == f"{before}?{'&'.join(sorted(query.split('&')))}"


@pytest.mark.parametrize("path", ["/project/{}/releases/", "/user/{}/"])
@pytest.mark.parametrize(
    ("query", "sent"),
    [("?page=3", "?page=3"), ("?utm=1&page=3&x=2", "?page=3"), ("?page=x&utm=1", None), ("?utm=1", "")],
)
async def test_pages_of_lists(edge: Edge, path: str, query: str, sent: str | None) -> None:
    """Of long lists the number of the page counts; what is no such number is left to the index."""
    path = path.format(f"asked-{len(query)}")
    answer = await edge.ask(path + query)
    assert edge.origin.asked[-1].url == path + (query if sent is None else sent)
    assert ("fwd=bypass" in answer["Cache-Status"]) == (sent is None)


@pytest.mark.parametrize("query", ["?page=1&page=2", "?p%61ge=2", "?page=2;x=1"])
async def test_strange_pages_of_lists(edge: Edge, query: str) -> None:
    """What might mean another page to the index is left to it."""
    assert "fwd=bypass" in (await edge.ask(f"/project/demo/files/{query}"))["Cache-Status"]
    assert edge.origin.asked[-1].url == f"/project/demo/files/{query}"


async def test_other_queries(edge: Edge) -> None:
    """Elsewhere nothing is read, so nothing is asked for."""
    await edge.ask("/project/demo/?a=1")
    assert edge.origin.asked[-1].url == "/project/demo/"


@pytest.mark.parametrize(
    ("accept", "sent"),
    [
        (PIP, V1_JSON),
        (UV, V1_JSON),
        (V1_JSON, V1_JSON),
        ("application/vnd.pypi.simple.latest+json", V1_JSON),
        (V1_HTML, V1_HTML),
        (f"{V1_HTML}, text/html;q=0.5", V1_HTML),
        (BROWSER, HTML),
        ("*/*", HTML),
        ("text/html", HTML),
        (f"{V1_JSON}, {V1_HTML}, text/html", HTML),
        ("", HTML),
        ("image/png", HTML),
    ],
)
async def test_accept(edge: Edge, accept: str, sent: str) -> None:
    """Whatever clients write, a page is kept in three representations at most."""
    path = new_page()
    await edge.ask(path, Accept=accept)
    assert edge.origin.asked[-1].headers["accept"] == sent
    again = await edge.ask(path, Accept=sent)
    assert again["Cache-Status"].startswith("cheeseshop-edge; hit")


@pytest.mark.parametrize("accept", [f"{V1_JSON};q=0.5, */*", "application/*", "text/html;q=0.1, */*;q=0.9"])
async def test_accept_that_is_not_certain(edge: Edge, accept: str) -> None:
    """What only the index can weigh is left to it."""
    path = new_page()
    assert (await edge.ask(path, Accept=accept))["Cache-Status"] == "cheeseshop-edge; fwd=bypass"
    assert edge.origin.asked[-1].headers["accept"] == accept


# Forgetting


async def test_purged(edge: Edge) -> None:
    """After a purge nobody reads what was there before: the first who asks waits for the new page."""
    path, other = await edge.warm(), await edge.warm()
    edge.origin.serial = 2
    await edge.purger.purge([tag(path)])
    fresh = await edge.ask(path)
    assert (fresh.body, fresh["Cache-Status"]) == (edge.origin.page(path), "cheeseshop-edge; fwd=stale")
    assert (await edge.ask(path))["Cache-Status"].startswith("cheeseshop-edge; hit; ttl=3")
    assert (await edge.ask(other))["X-PyPI-Last-Serial"] == "1"


async def test_purged_in_every_representation(edge: Edge) -> None:
    """A purge is of all representations of a page."""
    path = new_page()
    for accept in (HTML, V1_HTML, V1_JSON):
        await edge.ask(path, Accept=accept)
    edge.origin.serial = 2
    await edge.purger.purge([tag(path)])
    for accept in (HTML, V1_HTML, V1_JSON):
        assert (await edge.ask(path, Accept=accept))["X-PyPI-Last-Serial"] == "2"


async def test_purged_without_a_change(edge: Edge) -> None:
    """What has not changed is confirmed by its validator, and kept again."""
    path = await edge.warm()
    await edge.purger.purge([tag(path)])
    assert (await edge.ask(path)).body == edge.origin.page(path)
    assert edge.origin.asked[-1].headers["if-none-match"] == '"1"'
    assert (await edge.ask(path))["Cache-Status"].startswith("cheeseshop-edge; hit; ttl=3")
    edge.origin.serial = 2
    await edge.purger.purge([tag(path)])
    assert (await edge.ask(path)).body == edge.origin.page(path)


async def test_one_for_all_who_wait(edge: Edge) -> None:
    """Of many who ask for a purged page at once, one asks the index."""
    path = await edge.warm()
    edge.origin.status = 0
    await edge.purger.purge([tag(path)])
    asking = [Deferred.fromCoroutine(edge.ask(path)) for _ in range(20)]
    await eventually(lambda: edge.origin.hanging)
    edge.origin.status, edge.origin.serial = 200, 2
    [request] = edge.origin.hanging
    edge.origin.hanging.clear()
    for name, value in (("Surrogate-Control", "max-age=60"), ("xkey", tag(path)), ("Vary", "Accept")):
        request.setHeader(name, value)
    request.setHeader("Content-Length", str(len(edge.origin.page(path))))
    request.write(edge.origin.page(path))
    request.finish()
    assert {reply.body for reply in await gatherResults(asking)} == {edge.origin.page(path)}
    assert edge.origin.times(path) == 2


async def test_purge_of_everything(edge: Edge) -> None:
    """One purge forgets all there is."""
    paths = [await edge.warm() for _ in range(3)]
    edge.origin.serial = 2
    await edge.purger.purge_all()
    assert {(await edge.ask(path))["X-PyPI-Last-Serial"] for path in paths} == {"2"}


async def test_many_tags(edge: Edge) -> None:
    """More tags than one call may have are purged in several."""
    paths = [await edge.warm() for _ in range(2)]
    edge.origin.serial = 2
    await edge.purger.purge([tag(paths[0]), *(f"project/{'x' * 60}{n}" for n in range(600)), tag(paths[1])])
    assert {(await edge.ask(path))["X-PyPI-Last-Serial"] for path in paths} == {"2"}


@pytest.mark.parametrize("secret", ["", "wrong"])
async def test_purge_without_the_secret(edge: Edge, secret: str) -> None:
    """Who does not know the secret purges nothing."""
    path = await edge.warm()
    edge.origin.serial = 2
    with pytest.raises(PurgeFailed, match="answered 403"):
        await evolve(edge.purger, secret=secret).purge([tag(path)])
    assert (await edge.ask(path))["X-PyPI-Last-Serial"] == "1"


async def test_purge_of_nothing(edge: Edge) -> None:
    """A purge without tags is refused, and so is nothing at all forgotten by accident."""
    assert (await edge.ask("/", method="PURGE", Purge_Secret=SECRET)).status == 400


async def test_purge_from_elsewhere(edge: Edge, tmp_path: Path) -> None:
    """Who asks from an address that is not listed purges nothing, whatever he knows."""
    server = VarnishServer(tmp_path, edge.origin.port, secret=SECRET, purgers=("192.0.2.1",)).start()
    try:
        refused = evolve(edge.purger, urls=(edge.server.url, server.url))
        path = await edge.warm()
        edge.origin.serial = 2
        with pytest.raises(PurgeFailed) as failure:
            await refused.purge([tag(path)])
        assert str(failure.value) == f"{server.url} answered 403, without acknowledging"
        assert (await edge.ask(path))["X-PyPI-Last-Serial"] == "2", "the others are purged all the same"
    finally:
        server.end()


async def test_not_a_varnish(edge: Edge) -> None:
    """Whatever else answers where a Varnish should be has acknowledged nothing."""
    bare = evolve(edge.purger, urls=(f"http://127.0.0.1:{edge.origin.port}",))
    with pytest.raises(PurgeFailed, match="answered 200, without acknowledging"):
        await bare.purge(["project/demo"])


# While the index is away


async def away(edge: Edge, how: str) -> None:
    """Have the index be away."""
    if how == "refuses":
        await edge.origin.stop()
    else:
        edge.origin.status = {"hangs": 0, "503": 503, "500": 500}[how]


@pytest.mark.parametrize("how", ["refuses", "503", "500", "hangs"])
async def test_stale_while_away(edge: Edge, how: str) -> None:
    """What was purged while the index does not answer is served as it was, and anew once it is back."""
    path, missing = await edge.warm(), new_page()
    await away(edge, how)
    await edge.purger.purge([tag(path)])
    for _ in range(3):
        stale = await edge.ask(path)
        assert (stale.status, stale["X-PyPI-Last-Serial"]) == (200, "1")
        assert stale["Cache-Status"].startswith(
            ("cheeseshop-edge; hit; ttl=-", "cheeseshop-edge; hit; ttl=0")
        )
    if how != "hangs":
        refused = await edge.ask(missing)
        assert refused.status == (500 if how == "500" else 503)
    await edge.origin.stop()
    edge.origin.status, edge.origin.serial = 200, 2
    edge.origin.start()
    while (await edge.ask(new_page())).status != 200:
        pass
    assert (await edge.ask(path))["X-PyPI-Last-Serial"] == "2"


async def test_nothing_purged_hard_while_away(edge: Edge) -> None:
    """What was purged hard is served no more, whether the index answers or not."""
    path, other = await edge.warm(), await edge.warm()
    await edge.purger.purge([tag(path)], hard=True)
    await edge.purger.purge([tag(other)])
    await away(edge, "500")
    assert [(await edge.ask(one)).status for one in (path, other)] == [500, 200]


async def test_those_who_wait_are_not_kept_waiting(edge: Edge) -> None:
    """Many who ask for a purged page while the index hangs wait for one time-out, not for one each."""
    path = await edge.warm()
    await away(edge, "hangs")
    await edge.purger.purge([tag(path)])
    replies = await gatherResults([Deferred.fromCoroutine(edge.ask(path)) for _ in range(30)])
    assert {reply["X-PyPI-Last-Serial"] for reply in replies} == {"1"}
    assert edge.origin.times(path) <= 4


async def test_stale_while_revalidate(edge: Edge) -> None:
    """What has expired by itself is served at once, while it is asked for anew."""
    edge.origin.policy = evolve(PAGE, edge=1)
    path = new_page()
    seen = [await edge.ask(path)]
    edge.origin.serial = 2
    while seen[-1]["X-PyPI-Last-Serial"] == "1":
        await deferLater(reactor, 0.05)
        seen.append(await edge.ask(path))
    assert {reply["Cache-Status"].split(";")[1] for reply in seen[1:]} == {" hit"}
    assert edge.origin.times(path) == 2


async def test_nothing_stale_beyond_its_time(edge: Edge) -> None:
    """What may not be served while the index is away is not."""
    edge.origin.policy = evolve(PAGE, stale_while_revalidate=0, stale_if_error=0)
    path = await edge.warm()
    await away(edge, "503")
    await edge.purger.purge([tag(path)])
    assert (await edge.ask(path)).status == 503


def test_installed_with_the_package() -> None:
    """The VCL comes with the package, and can be had from it."""
    assert vcl() == (ROOT / "caching" / "vcl" / "cheeseshop.vcl").read_text()
