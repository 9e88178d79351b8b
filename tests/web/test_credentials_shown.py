"""What is shown to each route of who somebody is: what is good for nothing, or for something else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest
import pytest_twisted
from attrs import frozen

from pypi.domain.permissions import Permission
from pypi.http.terms import Credential
from tests.support.archives import wheel, wheel_filename
from tests.support.factors import give_app
from tests.support.index import Index, basic, with_token
from tests.support.visitor import HTML, PASSWORD, Visitor, give_password, visitor
from tests.support.walked import ALL, PERSONAL, address, gather, token_of
from tests.web.api.calls import ACTS, body_of, call

SETTINGS = {"limits__factor": 0}

BY_PROGRAMS = [
    route
    for route in ALL
    if not route.terms.takes & {Credential.NONE, Credential.SESSION} and not route.path.startswith("//")
]
WRITES = [route for route in BY_PROGRAMS if route.writes and route.terms.permission is not Permission.UPLOAD]
OPERATED = [route for route in PERSONAL if route.terms.permission is Permission.ADMINISTER]

REFUSED = (
    *("expired", "revoked", "cut off", "changed", "in capitals", "of nobody", "as a password", "twice"),
    *("of who is out", "password of who is out", "password of who has a second factor"),
)
"""Credentials that are good for nothing."""

FOR_ELSEWHERE = ("for reading", "for another project", "of a stranger")
"""Such that are good, and not for this."""


@frozen
class Purse:
    """Credentials: what one is called, and the header of it."""

    headers: Mapping[str, str]


@pytest_twisted.async_yield_fixture(scope="module")
async def purse(index: Index) -> AsyncIterator[Purse]:
    """All of them, of people of an index that has the project that is asked for."""
    await gather(index)
    await index.upload(wheel("another", "1.0"), wheel_filename("another", "1.0"))
    for name in ("jean", "kay", "eve", "bob"):
        await give_password(index, name)
    give_app(index, "kay")
    tokens = {
        what: await index.application.accounts.add_token("ada") for what in (*REFUSED[:2], *FOR_ELSEWHERE[:2])
    }
    good = await index.application.accounts.add_token("ada")
    out = await index.application.accounts.add_token("jean")
    index.sql("UPDATE users SET is_active = false WHERE name = 'jean'")
    alter(index, tokens["expired"], "expires = now() - interval '1 second'")
    alter(index, tokens["revoked"], "revoked = now()")
    alter(index, tokens["for reading"], "is_read_only = true")
    project = "(SELECT id FROM projects WHERE normalized = 'another')"
    alter(index, tokens["for another project"], f"project_id = {project}")
    headers = {what: with_token(token) for what, token in tokens.items()} | {
        "cut off": with_token(good[:-1]),
        "changed": with_token(good[:-1] + ("0" if good[-1] != "0" else "1")),
        "in capitals": with_token(good.upper()),
        "of nobody": with_token(f"cheeseshop-{'0' * 16}-{good.rpartition('-')[2]}"),
        "as a password": basic("ada", good),
        "twice": with_token(good + good),
        "of who is out": with_token(out),
        "password of who is out": basic("jean", PASSWORD),
        "password of who has a second factor": basic("kay", PASSWORD),
        "of a stranger": with_token(await index.application.accounts.add_token("eve")),
    }
    yield Purse(headers)


def alter(index: Index, token: str, change: str) -> None:
    """Change a token behind the index's back."""
    index.sql(f"UPDATE tokens SET {change} WHERE id = '{token.split('-')[1]}'")


@pytest.mark.parametrize("what", REFUSED)
async def test_good_for_nothing(index: Index, purse: Purse, what: str) -> None:
    """Where programs show tokens or passwords, such a one is nobody's, and nothing changes."""
    before = index.state()
    for route in BY_PROGRAMS:
        headers = {"Authorization": purse.headers[what], "Content-Type": "application/json"}
        reply = await index.ask(address(route), headers, method=route.method, body=b"{}")
        assert reply.status in (401, 403), route
        assert reply["Cache-Control"] == "private, no-store", route
    assert not index.state() - before


@pytest.mark.parametrize("what", FOR_ELSEWHERE)
async def test_good_for_something_else(index: Index, purse: Purse, what: str) -> None:
    """A token for less, or of somebody with no role, changes nothing of the project, by no act."""
    before = index.state()
    for verb in ACTS:
        auth = purse.headers[what]
        reply = await call(index, "walked", verb, body_of(verb, "walked"), auth=auth)
        assert reply.status == 403, verb
    assert not index.state() - before


def test_every_act_is_tried() -> None:
    """None of the routes is left out by which programs change projects."""
    assert sorted(ACTS) == sorted(route.path.rpartition("/")[2] for route in WRITES)


async def test_half_signed_in(index: Index, purse: Purse) -> None:
    """Who owes the second factor is led to where it is shown, from wherever one has to be signed in."""
    half = Visitor(index.port)
    await half.sign_in("kay")
    before = index.state()
    for route in PERSONAL:
        if Credential.NONE in route.terms.takes:
            continue
        if route.method == "GET":
            reply = await half.look(address(route), follow=False)
        else:
            reply = await half.post(address(route), {"csrf_token": token_of(half)}, follow=False)
        assert (reply.status, reply["Location"].partition("?")[0]) == (303, "/account/second-factor/"), route
    assert not index.state() - before


async def test_operators_without_a_second_factor(index: Index, purse: Purse) -> None:
    """Who may run the index, and shows nothing but a password, is led to where one sets up more."""
    await give_password(index, "ulla")
    index.sql("UPDATE users SET is_admin = true WHERE name = 'ulla'")
    ulla = await visitor(index, "ulla")
    before = index.state()
    for route in OPERATED:
        if route.method == "GET":
            reply = await ulla.look(address(route), follow=False)
        else:
            reply = await ulla.post(address(route), {"csrf_token": token_of(ulla)}, follow=False)
        assert (reply.status, reply["Location"].partition("?")[0]) == (303, "/account/factors/"), route
    assert not index.state() - before


async def test_who_is_out(index: Index, purse: Purse) -> None:
    """Whose account is disabled is nobody at once, by the session they had."""
    lea = await visitor(index, "lea")
    index.sql("UPDATE users SET is_active = false WHERE name = 'lea'")
    before = index.state()
    for route in PERSONAL:
        if Credential.NONE in route.terms.takes:
            continue
        cookie = "; ".join(f"{name}={value}" for name, value in lea.cookies.items())
        reply = await index.ask(address(route), {"Cookie": cookie, "Accept": HTML}, method=route.method)
        known = reply.status, reply["Location"].partition("?")[0]
        assert known in ((303, "/account/sign-in/"), (403, "")), route
        assert route.method == "POST" or known[0] == 303, route
    assert not index.state() - before
