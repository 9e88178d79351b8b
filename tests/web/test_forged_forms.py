"""Forms that no page of ours has sent, to every route that takes sessions: refused, and nothing changes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from urllib.parse import urlencode

import pytest
import pytest_twisted
from attrs import frozen

from pypi.http import csrf
from pypi.http.router import Route
from pypi.http.terms import Credential
from tests.support.client import Reply
from tests.support.index import Index
from tests.support.visitor import HTML, Visitor
from tests.support.walked import SENT, VISIT, People, address, gather, named, token_of

SETTINGS = {"limits__factor": 0}

FORM = "application/x-www-form-urlencoded"

FILLED = {
    "name": "walked",
    "confirm": "walked",
    "email": "eve@people.example",
    "role": "Owner",
    "status": "archived",
}
"""What forms ask for, more or less."""


@frozen
class Forged:
    """A form as a page of strangers would have it sent.

    Attributes:
        what: is wrong with it.
        headers: it comes with, beside the cookies.
        query: of the address.
    """

    what: str
    headers: Mapping[str, str | None]
    body: bytes
    query: str = ""
    codes: tuple[int, ...] = (403,)


def forged(route: Route, people: People, here: str) -> Iterator[Forged]:
    """Such forms, all of them with the cookies of who may send the real one."""
    somebody = people.of(route)
    good, other, visit = token_of(somebody), token_of(people.elsewhere), token_of(people.nobody)
    ours: Mapping[str, str | None] = {"Content-Type": FORM, "Origin": here}
    right = _body(good)
    yield Forged("has no token", ours, _body(None))
    yield Forged("has a token of another session", ours, _body(other))
    yield Forged("has a token of the visit before", ours, _body(visit))
    yield Forged("has two tokens", {**ours, csrf.HEADER: good}, right)
    yield Forged("has its token in the address", ours, _body(None), f"?{csrf.FIELD}={good}")
    yield Forged("comes from elsewhere", {**ours, "Origin": "https://evil.example"}, right)
    yield Forged("comes from another port", {**ours, "Origin": f"{here}1"}, right)
    yield Forged("comes from nowhere", {**ours, "Origin": "null"}, right)
    yield Forged("says nothing of where it comes from", {"Content-Type": FORM}, right)
    yield Forged("comes from another site", {**ours, "Sec-Fetch-Site": "cross-site"}, right)
    yield Forged("comes from a neighbour", {**ours, "Sec-Fetch-Site": "same-site"}, right)
    in_json = json.dumps({csrf.FIELD: good, **FILLED}).encode()
    for kind, body in (("application/json", in_json), ("text/plain", right)):
        headers = {**ours, "Content-Type": kind, csrf.HEADER: good}
        yield Forged(f"is {kind}", headers, body, codes=(400, 415))
    yield Forged("is nothing anybody knows", {**ours, "Content-Type": None}, right, codes=(400, 403, 415))


def _body(token: str | None) -> bytes:
    return urlencode(FILLED if token is None else {csrf.FIELD: token, **FILLED}).encode()


@pytest_twisted.async_yield_fixture(scope="module")
async def people(index: Index) -> AsyncIterator[People]:
    """Those who may send the real forms."""
    yield await gather(index)


async def send(index: Index, somebody: Visitor, path: str, one: Forged) -> Reply:
    """Send it with all cookies of somebody, as their browser would."""
    cookie = "; ".join(f"{name}={value}" for name, value in somebody.cookies.items())
    headers = {"Accept": HTML, "Cookie": cookie, **one.headers}
    return await index.ask(path + one.query, headers, method="POST", body=one.body)


@pytest.mark.parametrize("route", SENT, ids=named)
async def test_forged(index: Index, people: People, route: Route) -> None:
    """What no page of ours has sent in this very session is refused, and leaves all as it was."""
    before = index.state()
    here = f"http://127.0.0.1:{index.port}"
    for one in forged(route, people, here):
        reply = await send(index, people.of(route), address(route), one)
        assert reply.status in one.codes, one.what
        assert reply["Cache-Control"] == "private, no-store", one.what
        assert "Set-Cookie" not in reply, one.what
    # A link, or a picture, does nothing either, though it says all that the form says.
    fields = urlencode({csrf.FIELD: token_of(people.of(route)), **FILLED})
    reply = await people.of(route).look(f"{address(route)}?{fields}", follow=False)
    assert reply.status in (200, 303, 403, 404, 405, 410)
    assert reply["Cache-Control"] == "private, no-store"
    assert not index.state() - before


@pytest.mark.parametrize(
    "route", [route for route in SENT if Credential.NONE in route.terms.takes], ids=named
)
async def test_forged_for_nobody(index: Index, people: People, route: Route) -> None:
    """Nobody is signed in by a form that another page has sent, as somebody whose password strangers know."""
    before = index.state()
    visit = {VISIT: people.nobody.cookies[VISIT]}
    cookies = (visit, {}, {VISIT: "x" * 43})
    origin = f"http://127.0.0.1:{index.port}"
    for held, token in zip(
        cookies, (token_of(people.ada), token_of(people.nobody), token_of(people.nobody)), strict=True
    ):
        one = Forged("", {"Content-Type": FORM, "Origin": origin}, _body(token))
        reply = await send(index, Visitor(index.port, cookies=held), address(route), one)
        assert reply.status == 403
        assert "Set-Cookie" not in reply
    assert not index.state() - before


async def test_our_own(index: Index, people: People) -> None:
    """The real form is taken: what is refused above is refused for what is wrong with it."""
    reply = await people.ada.post("/account/emails/", {csrf.FIELD: token_of(people.ada), "email": ""})
    assert (reply.status, "Enter an e-mail address." in reply.text) == (400, True)
