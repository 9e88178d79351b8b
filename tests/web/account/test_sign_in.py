"""Signing in and out, the door before what is for one person alone, and its forms."""

from __future__ import annotations

import pytest

from tests.support.index import Index
from tests.support.visitor import PASSWORD, Fields, Visitor, visitor

SETTINGS = {"limits__factor": 0}


async def test_in_and_out(index: Index) -> None:
    """Name and password lead to one's account, whose menu leads out again; the session is over then."""
    grace = await visitor(index, "grace")
    assert grace.path == "/account/"
    assert grace.seen is not None
    assert "<h1>grace</h1>" in grace.seen.text
    before = dict(grace.cookies)
    reply = await grace.send("/account/sign-out/")
    assert "You are signed out." in reply.text
    assert "cheeseshop-session" not in grace.cookies
    grace.cookies = before
    assert (await grace.look("/account/", follow=False)).status == 303


async def test_back(index: Index) -> None:
    """Who has to sign in first is led back to the page they asked for, and never to another site."""
    linus = Visitor(index.port)
    await index.add_user("linus", password=PASSWORD)
    reply = await linus.look("/account/?done=nothing", follow=False)
    assert reply.status == 303
    assert reply["Location"] == "/account/sign-in/?next=/account/%3Fdone%3Dnothing"
    await linus.look(reply["Location"])
    reply = await linus.send("/account/sign-in/", {"name": "linus", "password": PASSWORD}, follow=False)
    assert reply["Location"] == "/account/?done=nothing"
    for elsewhere in ("//evil.example", "https://evil.example/", "/\\evil.example", "/%2e%2e//evil.example"):
        other = Visitor(index.port)
        await other.look(f"/account/sign-in/?next={elsewhere}")
        reply = await other.send(
            "/account/sign-in/",
            {"name": "linus", "password": PASSWORD, "next": elsewhere},
            follow=False,
        )
        assert reply["Location"] == "/account/"


@pytest.mark.parametrize("name", ["ada", "nobody", "not a name", ""])
async def test_wrong(index: Index, name: str) -> None:
    """A wrong password and an account that is not there are told apart by nothing."""
    somebody = Visitor(index.port)
    await somebody.look("/account/sign-in/")
    reply = await somebody.send("/account/sign-in/", {"name": name, "password": "wrong"})
    assert reply.status == (403 if name else 400)
    assert "cheeseshop-session" not in somebody.cookies
    wanted = "no such account, or this is not its password" if name else "Enter your user name."
    assert wanted in reply.text


async def test_personal(index: Index) -> None:
    """A page for one person is kept by nobody, and says to no other site where one was."""
    reply = await (await visitor(index, "grace")).look("/account/")
    assert reply["Cache-Control"] == "private, no-store"
    assert reply["Referrer-Policy"] == "same-origin"


async def test_fixation(index: Index) -> None:
    """A session that somebody else put into the browser is not the one that is signed in."""
    mallory = await visitor(index, "mallory")
    victim = Visitor(index.port, cookies=dict(mallory.cookies))
    planted = victim.cookies["cheeseshop-session"]
    await victim.look("/account/")
    await victim.send("/account/sign-out/")
    victim.cookies["cheeseshop-session"] = planted
    await victim.sign_in("grace")
    assert victim.cookies["cheeseshop-session"] != planted
    again = Visitor(index.port, cookies={"cheeseshop-session": planted})
    assert (await again.look("/account/", follow=False)).status == 303


@pytest.mark.parametrize(
    "wrong",
    [
        {"csrf_token": ""},
        {"csrf_token": "0" * 128},
        {"csrf_token": ["0" * 128, "0" * 128]},
    ],
)
async def test_forged_token(index: Index, wrong: Fields) -> None:
    """A form without the token of this visit changes nothing."""
    grace = await visitor(index, "grace")
    assert (await grace.send("/account/sign-out/", wrong)).status == 403
    assert (await grace.look("/account/", follow=False)).status == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
async def test_forged_origin(index: Index, origin: str) -> None:
    """A form that a page of another origin sends changes nothing, whatever it carries."""
    grace = await visitor(index, "grace")
    assert (await grace.send("/account/sign-out/", headers={"Origin": origin})).status == 403
    assert (await grace.look("/account/", follow=False)).status == 200


async def test_token_of_another(index: Index) -> None:
    """The token of one's own session is good for no other."""
    mallory, grace = await visitor(index, "mallory"), await visitor(index, "grace")
    token = mallory.forms()["/account/sign-out/"]["csrf_token"]
    assert (await grace.send("/account/sign-out/", {"csrf_token": token})).status == 403
    assert (await grace.look("/account/", follow=False)).status == 200


async def test_signing_in_as_somebody_else(index: Index) -> None:
    """A page of strangers cannot sign a browser in to their account, for want of the visit's token."""
    victim, mallory = Visitor(index.port), Visitor(index.port)
    await mallory.look("/account/sign-in/")
    token = mallory.forms()["/account/sign-in/"]["csrf_token"]
    form = {"name": "grace", "password": PASSWORD, "csrf_token": token}
    assert (await victim.post("/account/sign-in/", form)).status == 403
    assert not victim.cookies


async def test_throttled(new_index: Index) -> None:
    """After ten wrong passwords even the right one has to wait, and the answer says for how long."""
    await new_index.add_user("worn", password=PASSWORD)
    somebody = Visitor(new_index.port)
    for _ in range(10):
        await somebody.look("/account/sign-in/")
        assert (await somebody.send("/account/sign-in/", {"name": "worn", "password": "wrong"})).status == 403
    await somebody.look("/account/sign-in/")
    reply = await somebody.send("/account/sign-in/", {"name": "worn", "password": PASSWORD})
    assert reply.status == 429
    assert 0 < int(reply["Retry-After"]) <= 300
