"""Pages for one person: shown to nobody else, framed by nobody, kept by no cache, however they are asked."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_twisted

from pypi.http.router import Route
from pypi.http.terms import Credential
from tests.support.client import Reply
from tests.support.index import Index
from tests.support.visitor import HTML, Visitor
from tests.support.walked import ALL, SHOWN, People, address, gather, named

SETTINGS = {"limits__factor": 0, "lane": True}

EVIL = "https://evil.example"

BY_PROGRAMS = [
    route
    for route in ALL
    if not route.terms.takes & {Credential.NONE, Credential.SESSION} and not route.path.startswith("//")
]

AS_IF = ("{}x.css", "{}/x.css", "{}%2fx.css", "{};x.css", "{}?x.css", "{}%00.css")
"""Addresses that a shared cache may take for those of files, which it keeps (cache deception)."""

ROUNDABOUT = ("/static/..%2f{}", "/static/%2e%2e/{}", "/packages/..%2f{}", "/simple/../{}", "//{}", "/./{}")
"""Such by which it may come to such a page from where everything is for everybody."""

KNOWN = b'class="visitor-menu"'
"""What is on every page that knows who looks at it."""


@pytest_twisted.async_yield_fixture(scope="module")
async def people(index: Index) -> AsyncIterator[People]:
    """Those who look."""
    yield await gather(index)


async def look(
    index: Index, somebody: Visitor | None, path: str, method: str = "GET", **headers: str
) -> Reply:
    """Ask for a page with the cookies of somebody, and none else."""
    cookie = "; ".join(f"{name}={value}" for name, value in (somebody.cookies if somebody else {}).items())
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return await index.ask(path, {"Accept": HTML, "Cookie": cookie or None, **more}, method=method)


@pytest.mark.parametrize("route", SHOWN, ids=named)
async def test_for_one_person(index: Index, people: People, route: Route) -> None:
    """Nobody keeps such a page, frames it or reads it from elsewhere; what it is of is not compared with."""
    path = address(route)
    reply = await look(index, people.of(route), path, If_None_Match="*", Origin=EVIL)
    assert reply.status in (200, 302, 303, 403, 404, 410)
    assert reply["Cache-Control"] == "private, no-store"
    assert not {name for name in reply.headers if name.startswith("access-control-")}
    assert "ETag" not in reply
    assert "Last-Modified" not in reply
    if reply["Content-Type"].startswith("text/html"):
        assert reply["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in reply["Content-Security-Policy"]
        assert reply["Cross-Origin-Resource-Policy"] == "same-origin"
        assert reply["X-Content-Type-Options"] == "nosniff"
    asked = await look(index, None, path, "OPTIONS", Origin=EVIL, Access_Control_Request_Method="POST")
    assert not {name for name in asked.headers if name.startswith("access-control-")}


@pytest.mark.parametrize("route", SHOWN, ids=named)
async def test_head(index: Index, people: People, route: Route) -> None:
    """HEAD is answered as GET is, without the page."""
    path = address(route)
    whole, head = [await look(index, people.of(route), path, method) for method in ("GET", "HEAD")]
    assert head.body == b""
    assert (head.status, head.headers) == (whole.status, whole.headers)


@pytest.mark.parametrize("route", SHOWN, ids=named)
async def test_taken_for_a_file(index: Index, people: People, route: Route) -> None:
    """No address that looks like a file's, or begins like one for everybody, has a page of somebody kept."""
    path = address(route)
    addresses = [form.format(path.removesuffix("/")) for form in AS_IF] + [f"{path}/x.css", f"{path}x.css"]
    for one in addresses:
        reply = await look(index, people.of(route), one)
        if reply["Cache-Control"] != "private, no-store":
            assert KNOWN not in reply.body, one
            assert "Set-Cookie" not in reply, one
        assert KNOWN not in (await look(index, None, one)).body, one


@pytest.mark.parametrize("form", ROUNDABOUT)
async def test_by_another_way(index: Index, people: People, form: str) -> None:
    """Nor does one that comes to such a page from where everything is for everybody."""
    for path in ("account/", "manage/", "account/tokens/"):
        reply = await look(index, people.ada, form.format(path))
        if reply["Cache-Control"] != "private, no-store":
            assert KNOWN not in reply.body
        assert KNOWN not in (await look(index, None, form.format(path))).body


@pytest.mark.parametrize("route", BY_PROGRAMS, ids=named)
async def test_sessions_are_for_people(index: Index, people: People, route: Route) -> None:
    """Who is signed in at a browser is nobody where tools show tokens, and nothing changes."""
    before = index.state()
    reply = await look(index, people.ada, address(route), route.method)
    assert reply.status in (401, 403)
    assert "Set-Cookie" not in reply
    assert not index.state() - before


async def test_an_etag_of_somebody_elses(index: Index, people: People) -> None:
    """The same address is another page for another person, whatever a browser or a cache says it has."""
    mine = await look(index, people.ada, "/account/")
    assert KNOWN in mine.body
    theirs = await look(index, people.otto, "/account/", If_None_Match='"x"', If_Modified_Since=mine["Date"])
    assert (theirs.status, "otto" in theirs.text, ">ada<" in theirs.text) == (200, True, False)
