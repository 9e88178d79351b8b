"""Choosing another password by mail: who is sent a link, what it is good for, and what else ends by it."""

from __future__ import annotations

import re

from tests.support.factors import give_app
from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import PASSWORD, Visitor, give_password, visitor

SETTINGS = {"limits__factor": 0}

RESET = "/account/reset/"
NEW = "a completely different one"


async def ask(index: Index, email: str) -> Visitor:
    """Somebody who has lost a password, and is told to look into the mail."""
    somebody = Visitor(index.port)
    await somebody.look(RESET)
    reply = await somebody.send(RESET, {"email": email})
    assert reply.status == 200, reply.text
    return somebody


def link(index: Index, email: str) -> str:
    """Where the last letter to an address leads."""
    [*_, letter] = letters_to(index, email)
    assert letter["letter"] == "reset-password"
    return str(letter["about"]["path"])


async def test_all_the_way(index: Index) -> None:
    """The link of the letter takes a new password, which signs in; the old one, and all sessions, do not."""
    before = await visitor(index, "grace")
    grace = await ask(index, "Grace@people.example")
    path = link(index, "grace@people.example")
    reply = await grace.look(path)
    assert reply["Referrer-Policy"] == "strict-origin"
    reply = await grace.send(path, {"password": NEW})
    assert "Your password was changed. Sign in with the new one." in reply.text
    assert "cheeseshop-session" not in grace.cookies
    assert (await before.look("/account/", follow=False)).status == 303
    assert (await grace.sign_in("grace", PASSWORD)).status == 403
    assert (await grace.sign_in("grace", NEW)).status == 200
    assert letters_to(index, "grace@people.example")[-1]["letter"] == "password-changed"


async def test_once(index: Index) -> None:
    """A link is good once, and whoever follows it without choosing does not use it up."""
    await give_password(index, "joan")
    joan = await ask(index, "joan@people.example")
    path = link(index, "joan@people.example")
    for _ in range(2):
        assert (await joan.look(path)).status == 200
    await joan.send(path, {"password": NEW})
    assert (await joan.look(path)).status == 410
    kay = await ask(index, "joan@people.example")
    later = link(index, "joan@people.example")
    await kay.look(later)
    token = kay.forms()[later]["csrf_token"]
    assert (await kay.post(path, {"csrf_token": token, "password": NEW})).status == 410


async def test_second_factor_is_owed(index: Index) -> None:
    """A link that mail brings stands in for the password alone: the second factor is asked for as ever."""
    await give_password(index, "ida")
    give_app(index, "ida")
    ida = await ask(index, "ida@people.example")
    await ida.look(link(index, "ida@people.example"))
    await ida.send(link(index, "ida@people.example"), {"password": NEW})
    await ida.sign_in("ida", NEW)
    assert ida.path == "/account/second-factor/"


async def test_unknown(index: Index) -> None:
    """Nobody learns whether an address belongs to an account, or whether that has proven it."""
    await give_password(index, "kay")
    index.sql("UPDATE emails SET verified = NULL WHERE address = 'kay@people.example'")
    pages = set()
    for email in ("nobody@people.example", "kay@people.example", "ada@people.example"):
        somebody = await ask(index, email)
        assert somebody.seen is not None
        pages.add(re.sub(r'value="[0-9a-f]{128}"', "", somebody.seen.text))
    assert len(pages) == 1
    assert letters_to(index, "nobody@people.example") == letters_to(index, "kay@people.example") == []


async def test_refused(index: Index) -> None:
    """What is no address, and a password that is not good enough, are said at their forms."""
    somebody = Visitor(index.port)
    await somebody.look(RESET)
    assert (await somebody.send(RESET, {"email": "nowhere"})).status == 400
    mary = await visitor(index, "mary")
    await ask(index, "mary@people.example")
    path = link(index, "mary@people.example")
    await mary.look(path)
    for weak in ("short", "mary@people.example", ""):
        assert (await mary.send(path, {"password": weak})).status == 400
    assert (await mary.send(path, {"password": NEW})).status == 200


async def test_no_secret(index: Index) -> None:
    """A link that nobody sent leads to a page that says so, and is kept by nobody."""
    for secret in ("x" * 43, "x.css"):
        reply = await Visitor(index.port).look(f"{RESET}{secret}")
        assert reply.status == 410
        assert reply["Cache-Control"] == "private, no-store"


async def test_folder(index: Index) -> None:
    """Where mail is kept in a folder, who waits for it is told, and not where that is."""
    somebody = await ask(index, "ada@people.example")
    assert somebody.seen is not None
    assert "It keeps its messages in a folder" in somebody.seen.text
    assert str(index.folder) not in somebody.seen.text


async def test_throttled(new_index: Index) -> None:
    """Who asks for too many letters has to wait, whether any is sent or not."""
    for email in ("ada@people.example", "nobody@people.example"):
        for _ in range(3):
            await ask(new_index, email)
        somebody = Visitor(new_index.port)
        await somebody.look(RESET)
        reply = await somebody.send(RESET, {"email": email})
        assert reply.status == 429
        assert int(reply["Retry-After"]) > 0
