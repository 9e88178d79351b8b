"""The table of routes, walked: every address keeps to the terms that stand beside its route."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator

import pytest
import pytest_twisted

from pypi.domain.permissions import Permission
from pypi.front import routes
from pypi.http.router import Route
from pypi.http.terms import Credential
from tests.support.archives import wheel, wheel_filename
from tests.support.client import Reply
from tests.support.index import Index, basic, with_token

SETTINGS = {"limits__factor": 0}
"""Wrong passwords are shown to each route; that they are counted is tried elsewhere."""

VALUES = {
    "name": "walked",
    "Name": "Walked",
    "version": "1.0",
    "project": "walked",
    "python": "py3",
    "letter": "w",
    "bucket": "0",
    "filename": wheel_filename("walked", "1.0"),
}
"""What stands for the values in patterns; of digests, anything does."""

COOKIES = ("session=abc", "cheeseshop-session=abc; cheeseshop-visit=def", "a" * 3000, "=;;=", "é=\\")

ANSWERED = [
    route for route in routes() if not route.path.startswith("//") and route.path != "/api/changes/stream"
]
"""But for what is on hosts of old, and for what never ends."""

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def address(path: str) -> str:
    return re.sub(r"<([^>]+)>", lambda found: VALUES.get(found[1], "ab"), path)


def by_path() -> dict[str, set[str]]:
    """Path without its query → methods of its routes."""
    found: dict[str, set[str]] = defaultdict(set)
    for route in ANSWERED:
        found[address(route.path.partition("?")[0])].add(route.method)
    return found


def named(route: Route) -> str:
    return f"{route.method} {route.path}"


READS = [route for route in ANSWERED if route.method == "GET"]
CLOSED = [route for route in ANSWERED if Credential.NONE not in route.terms.takes]
BY_BROWSERS = [route for route in CLOSED if route.terms.takes == {Credential.SESSION}]
UPLOADS = [route for route in CLOSED if route.terms.permission is Permission.UPLOAD]
BY_PROGRAMS = [route for route in CLOSED if route not in BY_BROWSERS]
COOKIELESS = [route for route in ANSWERED if Credential.SESSION not in route.terms.takes]


@pytest_twisted.async_yield_fixture(scope="module")
async def walked(index: Index) -> AsyncIterator[Index]:
    """An index with the project that all addresses are of."""
    filename = VALUES["filename"]
    reply = await index.upload(wheel("walked", "1.0"), filename)
    assert reply.status == 200, reply.text
    yield index


def shown(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    """All of an answer that tells something of who asked."""
    fields = {name: value for name, value in reply.headers.items() if name not in ("age", "cache-status")}
    return reply.status, fields, reply.body


@pytest.mark.parametrize("route", COOKIELESS, ids=named)
async def test_cookies_change_nothing(walked: Index, route: Route) -> None:
    """Where sessions are not taken, an answer is the same byte by byte, whatever cookies come along."""
    path = address(route.path)
    plain = await walked.ask(path, method=route.method)
    for cookie in COOKIES:
        reply = await walked.ask(path, {"Cookie": cookie}, method=route.method)
        assert shown(reply) == shown(plain), cookie
        assert "set-cookie" not in reply
        assert "cookie" not in reply["Vary"].lower()


@pytest.mark.parametrize("route", BY_BROWSERS, ids=named)
async def test_nobody_is_signed_in(walked: Index, route: Route) -> None:
    """What is for who is signed in leads to where one signs in, or refuses, and leaves all as it was."""
    before = walked.state()
    token = walked.auth()
    origin = {"Origin": f"http://127.0.0.1:{walked.port}"}
    wrong = (
        {},
        {"Cookie": "cheeseshop-session=abc"},
        {"Authorization": token},
        {"Authorization": basic("ada", "x")},
    )
    for headers in wrong:
        reply = await walked.ask(address(route.path), headers | origin, method=route.method)
        assert reply.status == 303, headers
        assert reply["Location"].startswith("/account/sign-in/"), headers
        assert reply["Cache-Control"] == "private, no-store"
    assert not walked.state() - before


@pytest.mark.parametrize("route", BY_PROGRAMS, ids=named)
async def test_nobody_gets_in(walked: Index, route: Route) -> None:
    """What is not for everybody refuses who shows nothing, or something wrong, and leaves all as it was."""
    before = walked.state()
    wrong = ({}, {"Authorization": basic("ada", "wrong")}, {"Authorization": "Bearer x"}, {"Cookie": "a=b"})
    for headers in wrong:
        reply = await walked.ask(address(route.path), headers, method=route.method)
        assert reply.status in (401, 403), headers
        assert reply["Cache-Control"] == "private, no-store"
        if Credential.PASSWORD in route.terms.takes:
            assert (reply.status, reply["WWW-Authenticate"][:5]) == (401, "Basic")
    assert not walked.state() - before


@pytest.mark.parametrize("path", sorted({route.path for route in UPLOADS}))
async def test_tokens_for_reading(walked: Index, path: str) -> None:
    """A token that is for reading only uploads nothing, wherever it is shown, not even what is there."""
    token = await walked.application.accounts.add_token("ada")
    walked.sql(f"UPDATE tokens SET is_read_only = true WHERE id = '{token.split('-')[1]}' RETURNING id")
    before = walked.state()
    data, filename = wheel("walked", "2.0"), wheel_filename("walked", "2.0")
    reply = await walked.upload(data, filename, to=path, auth=with_token(token))
    assert (reply.status, "for reading only" in reply.text) == (403, True)
    assert not walked.state() - before


@pytest.mark.parametrize(("path", "there"), by_path().items(), ids=by_path())
async def test_methods_that_are_not_in_the_table(walked: Index, path: str, there: set[str]) -> None:
    """An address answers the methods the table has for it; all others are told which these are.

    But for a slash that is missing, which one redirect adds; and for what is gone, by form as well.
    """
    for method in METHODS:
        if method in there:
            continue
        reply = await walked.ask(path, method=method)
        if method in by_path().get(f"{path}/", ()):
            assert (reply.status, reply["Location"]) == (301, f"{path}/"), method
        elif path.startswith("/serversig/"):
            assert reply.status == (410 if method == "POST" else 405), method
        else:
            assert reply.status == 405, method
            assert method not in reply["Allow"], method
            assert reply["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("route", READS, ids=named)
async def test_reading_changes_nothing(walked: Index, route: Route) -> None:
    """Who reads, changes nothing of what the index remembers."""
    before = walked.state()
    await walked.ask(address(route.path))
    assert not walked.state() - before


def test_what_shared_caches_keep() -> None:
    """Nothing that depends on who asks is on a route whose answers others may get."""
    for route in routes():
        if Credential.SESSION in route.terms.takes or Credential.NONE not in route.terms.takes:
            assert not route.policy.keep, route
            assert not (route.policy.store and route.policy.shared), route
