"""Who signs in is led where they wanted to go, and never to another site: every route that takes ``next``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
import pytest_twisted

from pypi.http import csrf
from tests.http.test_next_path import ELSEWHERE
from tests.support.factors import give_app
from tests.support.index import Index
from tests.support.visitor import PASSWORD, Visitor, give_password, visitor
from tests.support.walked import token_of

SETTINGS = {"limits__factor": 0}

SIGN_IN, SECOND_FACTOR, CONFIRM = "/account/sign-in/", "/account/second-factor/", "/account/confirm/"


@pytest_twisted.async_yield_fixture(scope="module")
async def ada(index: Index) -> AsyncIterator[Visitor]:
    """Somebody who is signed in."""
    yield await visitor(index, "ada")


@pytest_twisted.async_yield_fixture(scope="module")
async def half(index: Index) -> AsyncIterator[Visitor]:
    """Somebody who owes the second factor."""
    await give_password(index, "joan")
    give_app(index, "joan")
    somebody = Visitor(index.port)
    await somebody.sign_in("joan")
    yield somebody


@pytest_twisted.async_yield_fixture(scope="module")
async def waiting(index: Index) -> AsyncIterator[Visitor]:
    """Somebody with a new browser, who waits for a letter to be answered."""
    await give_password(index, "kay")
    app = give_app(index, "kay")
    somebody = Visitor(index.port)
    await somebody.sign_in("kay")
    await somebody.send(SECOND_FACTOR, {"code": app.now()})
    yield somebody


@pytest.mark.parametrize("given", ELSEWHERE, ids=ascii)
async def test_elsewhere(index: Index, ada: Visitor, half: Visitor, waiting: Visitor, given: str) -> None:
    """By no form, and by no link to one."""
    nobody = Visitor(index.port)
    shown = await waiting.look(f"{CONFIRM}?next={quote(given)}")
    assert shown.status == 400 or waiting.forms()[f"{CONFIRM}again/"]["next"] == ""
    assert shown.status == 400 or f'href="{CONFIRM}"' in shown.text
    for somebody, path in ((nobody, SIGN_IN), (half, SECOND_FACTOR)):
        shown = await somebody.look(f"{path}?next={quote(given)}")
        assert shown.status == 400 or somebody.forms()[path]["next"] == ""
    there = await ada.look(f"{SIGN_IN}?next={quote(given)}", follow=False)
    assert (there.status, there["Location"]) in ((303, "/account/"), (400, ""))
    fields = {csrf.FIELD: token_of(ada), "name": "ada", "password": PASSWORD, "next": given}
    there = await ada.post(SIGN_IN, fields, follow=False)
    assert (there.status, there["Location"]) in ((303, "/account/"), (400, ""))


@pytest.mark.parametrize(
    "given", [given for given in ELSEWHERE if given.startswith("/") and given.isascii()], ids=ascii
)
async def test_asked_for(index: Index, given: str) -> None:
    """Nor does the address of a page that somebody has to sign in for lead there."""
    path = quote(given, safe="/%\\?=:@[]")
    reply = await Visitor(index.port).look(f"/manage{path}", follow=False)
    location = reply["Location"]
    assert location == "" or location.startswith(("/account/sign-in/", "/manage/")), location
