"""Another password: for who knows the one they have, and so that nobody else stays signed in."""

from __future__ import annotations

import pytest

from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import PASSWORD, Visitor, visitor

SETTINGS = {"limits__factor": 0}

PAGE = "/account/password/"
NEW = "another horse, a better battery"


async def test_changed(index: Index) -> None:
    """With the new password this browser stays signed in, by another secret, and every other one does not."""
    here, there = await visitor(index, "grace"), await visitor(index, "grace")
    before = here.cookies["cheeseshop-session"]
    await here.look(PAGE)
    reply = await here.send(PAGE, {"old": PASSWORD, "new": NEW})
    assert (reply.status, "Your password is changed." in reply.text) == (200, True)
    assert here.cookies["cheeseshop-session"] != before
    assert (await there.look("/account/", follow=False)).status == 303
    there.cookies["cheeseshop-session"] = before
    assert (await there.look("/account/", follow=False)).status == 303
    assert (await there.sign_in("grace", PASSWORD)).status == 403
    assert (await there.sign_in("grace", NEW)).status == 200
    assert letters_to(index, "grace@people.example")[-1]["letter"] == "password-changed"
    events = index.sql("SELECT event FROM audit JOIN users u ON u.id = user_id AND u.name = 'grace'")
    assert ("account.password-changed",) in events


@pytest.mark.parametrize(
    ("old", "new", "status", "says"),
    [
        ("wrong", NEW, 403, "This is not your password."),
        ("", NEW, 400, "Enter your password."),
        (PASSWORD, "", 400, "Choose a password."),
        (PASSWORD, "short", 400, "A password has 10 to 1024 characters."),
        (PASSWORD, "aaaaaaaaaaaaaaaa", 400, "very few different characters"),
        (PASSWORD, "joan.clarke", 400, "little more than your name or address"),
        (PASSWORD, "x" * 1025, 400, "longer than 1024"),
    ],
)
async def test_refused(index: Index, old: str, new: str, status: int, says: str) -> None:
    """What does not do is said at its field, and the password is the one it was; no page shows either."""
    joan = await visitor(index, "joan.clarke")
    await joan.look(PAGE)
    reply = await joan.send(PAGE, {"old": old, "new": new})
    assert (reply.status, says in reply.text) == (status, True)
    assert "<title>Error: " in reply.text
    assert NEW not in reply.text
    assert (await joan.look("/account/", follow=False)).status == 200
    assert (await Visitor(index.port).sign_in("joan.clarke")).status == 200


async def test_without(index: Index) -> None:
    """An account without a password is told how to come by one, and nothing typed counts as the old one."""
    tom = await visitor(index, "tom")
    await tom.look(PAGE)
    form = tom.forms()[PAGE]
    index.sql("UPDATE users SET password_hash = NULL WHERE name = 'tom' RETURNING id")
    assert "/account/reset/" in (await tom.look(PAGE)).text
    assert PAGE not in tom.forms()
    assert (await tom.post(PAGE, {**form, "old": "anything", "new": NEW})).status == 403
    assert index.sql("SELECT password_hash FROM users WHERE name = 'tom'") == [(None,)]


async def test_guessed(new_index: Index) -> None:
    """Who sits at a browser that is signed in guesses the password no more often than at the door."""
    eve = await visitor(new_index, "eve")
    for _ in range(10):
        await eve.look(PAGE)
        assert (await eve.send(PAGE, {"old": "wrong", "new": NEW})).status == 403
    await eve.look(PAGE)
    reply = await eve.send(PAGE, {"old": PASSWORD, "new": NEW})
    assert (reply.status, int(reply["Retry-After"]) > 0) == (429, True)
