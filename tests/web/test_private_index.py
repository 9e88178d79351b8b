"""An index that only accounts read: every route of the table asks who is there, but for a named few."""

from __future__ import annotations

import re
import xmlrpc.client
from collections.abc import AsyncIterator

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.task import deferLater

from pypi.domain.permissions import Access, Permission
from pypi.front import routes
from pypi.http.router import Route
from pypi.http.terms import Credential
from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply, connect, request
from tests.support.index import Index, basic, eventually, with_token
from tests.support.managing import identity
from tests.support.visitor import HTML, PASSWORD, visitor

OLD_HOST, OLD_DOCS = "old.example", "docs.old.example"

SETTINGS = {
    "access__reads": "private",
    "limits__factor": 0,
    "legacy__index_hosts": [OLD_HOST],
    "legacy__docs_hosts": [OLD_DOCS],
    "legacy__docs_redirects": {"brie": "https://docs.example/brie/"},
    "lane": True,
}

OPEN = {"/static/<name>", "/robots.txt", "/favicon.ico"}
"""What is needed to sign in, or to be told to stay out."""

TELL_NOTHING = {"/pypi", "/serversig/<name>"}
"""Old addresses that lead to pages of today whatever there is, or say that there is nothing."""

READS = [
    route
    for route in routes()
    if route.terms.permission is Permission.READ
    and Credential.NONE in route.terms.takes
    and route.path not in OPEN | TELL_NOTHING
    and (route.method, route.path) != ("POST", "/pypi")
]


@pytest_twisted.async_yield_fixture(scope="module")
async def brie(index: Index) -> AsyncIterator[dict[str, str]]:
    """What stands for variables of paths: a project that is there; and two accounts, one without any role."""
    for name in ("ruth", "eve"):
        await index.add_user(name, password=PASSWORD)
    data, filename = wheel("brie", "1.0"), wheel_filename("brie", "1.0")
    reply = await index.upload(data, filename)
    assert reply.status == 200, reply.text
    [(digest,)] = index.sql("SELECT blake2_256 FROM files")
    yield {
        **dict.fromkeys(("name", "Name", "project"), "brie"),
        "version": "1.0",
        "python": "py3",
        "letter": "b",
        "filename": filename,
        "bucket": "ab",
        "first": digest[:2],
        "second": digest[2:4],
        "rest": digest[4:],
        "path": "index.html",
    }


async def ask(
    index: Index, route: Route, values: dict[str, str], headers: dict[str, str], method: str = ""
) -> Reply:
    path = re.sub(r"<([A-Za-z_]+)>", lambda found: values[found[1]], route.path)
    for begin, host in (("//old-docs-host", OLD_DOCS), ("//old-host", OLD_HOST)):
        if path.startswith(begin):
            path, headers = path.removeprefix(begin), {**headers, "Host": host}
    if "show_md5" in path:
        path += f"&digest={'0' * 32}"
    body = xmlrpc.client.dumps((), "list_packages").encode() if route.method == "POST" else b""
    more = {"Content-Type": "text/xml"} if body else {}
    return await index.ask(path, {**headers, **more}, method=method or route.method, body=body)


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", READS, ids=named)
async def test_nobody_reads(index: Index, brie: dict[str, str], route: Route) -> None:
    """Whoever shows nothing, or nothing right, is asked who he is, whatever he knows and others have read."""
    known = {"ETag": ""}
    if route.path != "/api/changes/stream":
        reply = await ask(index, route, brie, {"Authorization": index.auth("eve")})
        assert reply.status in (200, 301, 302, 404), reply.text
        assert reply["Cache-Control"] in ("private, no-cache", "private, no-store")
        assert not {name for name in reply.headers if name.startswith("access-control")}
        known = {"ETag": reply["ETag"]}
    for headers in (
        {},
        {"If-None-Match": known["ETag"] or '"a"'},
        {"Range": "bytes=0-1"},
        {"Cookie": "cheeseshop-session=" + "a" * 43},
        {"Authorization": basic("ada", "wrong")},
        {"Authorization": with_token(f"cheeseshop-{'0' * 16}-{'0' * 64}")},
    ):
        for method in ("GET", "HEAD") if route.method == "GET" else ("POST",):
            reply = await ask(index, route, brie, headers, method)
            assert (reply.status, reply["WWW-Authenticate"][:5]) == (401, "Basic"), headers
            assert reply["Cache-Control"] == "private, no-store"
            assert "brie" not in reply.body.decode().replace(route.path, "")
            assert "etag" not in reply


async def test_people_are_led_to_where_they_sign_in(index: Index, brie: dict[str, str]) -> None:
    """Browsers are led to the form and back; installers are never led there, whatever they accept."""
    for path in ("/", "/project/brie/", "/search/?q=brie", "/stats/"):
        reply = await index.ask(path, {"Accept": HTML})
        assert (reply.status, reply["Cache-Control"]) == (303, "private, no-store")
        assert reply["Location"].startswith("/account/sign-in/?next=/")
    reply = await index.ask("/simple/", {"Accept": HTML, "Sec-Fetch-Mode": "navigate"})
    assert (reply.status, reply["Location"]) == (303, "/account/sign-in/?next=/simple/")
    accept = "application/vnd.pypi.simple.v1+json, text/html; q=0.01"
    assert (await index.ask("/simple/brie/", {"Accept": accept})).status == 401
    by_script = await index.ask("/api/search/suggest?q=b", {"Sec-Fetch-Mode": "cors"})
    assert (by_script.status, "www-authenticate" in by_script) == (401, False)
    person = await visitor(index)
    await person.look("/project/brie/")
    assert person.path == "/account/sign-in/?next=/project/brie/"
    await person.send("/account/sign-in/", {"name": "ruth", "password": PASSWORD})
    assert person.path == "/project/brie/"
    assert person.seen is not None
    assert person.seen.status == 200
    await person.look("/static/nothing.css")


async def test_what_everybody_reads(index: Index, brie: dict[str, str]) -> None:
    """The form to sign in, what it looks like, and the word to robots that nothing is for them."""
    form = await index.ask("/account/sign-in/", {"Accept": HTML})
    assert form.status == 200
    styles = re.findall(r'"(/static/[^"]+)"', form.text)
    for path in (*styles, "/favicon.ico"):
        assert (await index.ask(path)).status == 200, path
    assert (await index.ask("/robots.txt")).text == "User-agent: *\nDisallow: /\n"
    assert "brie" not in form.text


async def test_whoever_has_an_account_reads(index: Index, brie: dict[str, str]) -> None:
    """By password, by token, though it be for reading only, and by session; a validator saves the rest."""
    token = await index.application.accounts.add_token("ruth")
    index.sql(f"UPDATE tokens SET is_read_only = true WHERE id = '{token.split('-')[1]}' RETURNING 1")
    browser = await visitor(index, "ruth")
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    shown = (
        {"Authorization": basic("ruth", PASSWORD)},
        {"Authorization": with_token(token)},
        {"Authorization": f"Bearer {token}"},
        {"Cookie": cookies},
    )
    for headers in shown:
        for path in ("/simple/", "/simple/brie/", "/pypi/brie/json", "/", f"/packages/{_path(brie)}"):
            reply = await index.ask(path, headers)
            assert (reply.status, reply["Cache-Control"]) == (200, "private, no-cache"), (path, headers)
            again = await index.ask(path, {**headers, "If-None-Match": reply["ETag"]})
            assert (again.status, again["Cache-Control"]) == (304, "private, no-cache"), (path, headers)


async def test_how_installers_sign_in(index: Index, brie: dict[str, str]) -> None:
    """The page on how to connect says what to put where, as the clients take it."""
    page = (await index.ask("/connect/", {"Authorization": index.auth()})).text
    assert "read by those who have an account" in page
    assert f"http://__token__:YOUR_TOKEN@127.0.0.1:{index.port}/simple/" in page
    assert "machine 127.0.0.1 login __token__ password YOUR_TOKEN" in page


async def test_kept_for_all_of_them(index: Index, brie: dict[str, str]) -> None:
    """What was made for one reader is kept for the next: only who asks is looked at each time."""
    await index.application.caches.invalidations.catch_up()
    for who in ("ruth", "eve"):
        reply = await index.ask("/pypi/brie/json", {"Authorization": index.auth(who)})
        assert reply.status == 200
    assert "hit" in reply["Cache-Status"]


async def test_a_token_of_one_project(index: Index, brie: dict[str, str]) -> None:
    """It is good for that project's pages and files, and for nothing else, whether or not that is there."""
    data, filename = wheel("camembert", "1.0"), wheel_filename("camembert", "1.0")
    assert (await index.upload(data, filename)).status == 200
    token = await index.application.accounts.add_token("ada", project="brie")
    headers = {"Authorization": with_token(token)}
    for path in ("/simple/brie/", "/project/brie/", f"/packages/{_path(brie)}"):
        assert (await index.ask(path, headers)).status == 200, path
    for path in ("/simple/", "/", "/simple/camembert/", "/simple/nothing/", f"/packages/{'0' * 64}/x.whl"):
        expected = 404 if path.startswith("/packages") else 403
        assert (await index.ask(path, headers)).status == expected, path


async def test_a_project_for_fewer(index: Index, brie: dict[str, str]) -> None:
    """A project for those with a role is, to other accounts, as if it were not there."""
    data, filename = wheel("epoisses", "1.0"), wheel_filename("epoisses", "1.0")
    assert (await index.upload(data, filename)).status == 200
    await index.application.reads.change(identity(index, "ada"), "epoisses", Access.ROLES)
    for path in ("/simple/{}/", "/pypi/{}/json", "/project/{}/", "/pypi/{}/1.0"):
        replies = []
        for name in ("epoisses", "roquefrt"):
            reply = await index.ask(path.format(name), {"Authorization": index.auth("eve")})
            replies.append((reply.status, reply["Cache-Control"], reply.text.replace(name, "name")))
        assert replies[0] == replies[1], path
        assert replies[0][0] == 404
        assert (await index.ask(path.format("epoisses"))).status == 401
    assert (await index.ask("/simple/epoisses/", {"Authorization": index.auth()})).status == 200


async def test_who_follows_the_changes(index: Index, brie: dict[str, str]) -> None:
    """The stream of changes ends with the right to read: nothing is told to whom it was taken from."""
    token = await index.application.accounts.add_token("ruth")
    exchange = await connect(index.port)
    path = "/api/changes/stream?since=0"
    exchange.send(request(index.port, "GET", path, {"Authorization": with_token(token)}))
    await eventually(lambda: b"brie" in exchange.received)
    index.sql(f"UPDATE tokens SET revoked = now() WHERE id = '{token.split('-')[1]}' RETURNING 1")
    await deferLater(reactor, 1.1)
    data, filename = wheel("gouda", "1.0"), wheel_filename("gouda", "1.0")
    assert (await index.upload(data, filename)).status == 200
    await eventually(lambda: exchange.received.endswith(b"0\r\n\r\n"))
    assert b"gouda" not in exchange.received


def _path(values: dict[str, str]) -> str:
    return "/".join(values[one] for one in ("first", "second", "rest", "filename"))
