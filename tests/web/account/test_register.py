"""Making an account for oneself: asked for, proven by mail, confirmed with the password."""

from __future__ import annotations

import re

import pytest

from tests.support.factors import give_app
from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import PASSWORD, Visitor, visitor

SETTINGS = {"limits__factor": 0, "access__registration": "on"}

REGISTER = "/account/register/"
SENT = "/account/register/sent/"


async def wish(somebody: Visitor, name: str, email: str, password: str = PASSWORD) -> int:
    """Fill in the form; the status of what comes of it."""
    await somebody.look(REGISTER)
    return (await somebody.send(REGISTER, {"name": name, "email": email, "password": password})).status


def link(index: Index, email: str) -> str:
    """Where the last letter to an address leads."""
    return str(letters_to(index, email)[-1]["about"]["path"])


async def test_all_the_way(index: Index) -> None:
    """The link of the letter, and the password once more, make the account, and sign in who has it."""
    grace = Visitor(index.port)
    assert await wish(grace, "grace", "grace@navy.example") == 200
    assert grace.path == SENT
    assert index.sql("SELECT 1 FROM users WHERE name = 'grace'") == []
    path = link(index, "grace@navy.example")
    assert path.startswith("/account/register/confirm/")
    reply = await grace.look(path)
    assert "Your account grace" in reply.text
    assert reply["Referrer-Policy"] == "strict-origin"
    reply = await grace.send(path, {"password": PASSWORD})
    assert grace.path == "/account/?done=registered"
    assert "Your account is ready" in reply.text
    assert letters_to(index, "grace@navy.example")[1:] == []  # who made it just now is told of no new sign-in
    proven = index.sql("SELECT address FROM emails WHERE verified IS NOT NULL AND is_primary")
    assert ("grace@navy.example",) in proven


async def test_known(index: Index) -> None:
    """The browser in which an account was made is known, so that a code alone signs in there."""
    ada = Visitor(index.port)
    await wish(ada, "hopper", "hopper@people.example")
    path = link(index, "hopper@people.example")
    await ada.look(path)
    await ada.send(path, {"password": PASSWORD})
    await ada.send("/account/sign-out/")
    app = give_app(index, "hopper")
    await ada.sign_in("hopper")
    await ada.send("/account/second-factor/", {"code": app.now()})
    assert ada.path == "/account/"


async def test_once(index: Index) -> None:
    """A link makes one account, and is good for nothing after."""
    joan = Visitor(index.port)
    await wish(joan, "joan", "joan@irs.example")
    path = link(index, "joan@irs.example")
    await joan.look(path)
    await joan.send(path, {"password": PASSWORD})
    other = Visitor(index.port)
    assert (await other.look(path)).status == 410


async def test_not_theirs(index: Index) -> None:
    """Who got the letter of somebody else's wish makes nothing of it without the password."""
    await wish(Visitor(index.port), "mallory", "victim@people.example")
    path = link(index, "victim@people.example")
    victim = Visitor(index.port)
    await victim.look(path)
    reply = await victim.send(path, {"password": "another password"})
    assert reply.status == 403
    assert "This is not the password you chose." in reply.text
    assert index.sql("SELECT 1 FROM users WHERE name = 'mallory'") == []
    assert (await victim.look(path)).status == 200


async def test_while_signed_in(index: Index) -> None:
    """Who follows the link while signed in as somebody else is told, and is the new one then."""
    await wish(Visitor(index.port), "kay", "kay@apple.example")
    ada = await visitor(index, "ada")
    before = dict(ada.cookies)
    reply = await ada.look(link(index, "kay@apple.example"))
    assert "You are signed in as ada" in reply.text
    reply = await ada.send(link(index, "kay@apple.example"), {"password": PASSWORD})
    assert "<h1>kay</h1>" in reply.text
    old = Visitor(index.port, cookies=before)
    assert (await old.look("/account/", follow=False)).status == 303


async def test_known_address(index: Index) -> None:
    """Whether an address belongs to somebody, the answer does not tell; a letter there does."""
    await wish(Visitor(index.port), "ida", "ida@rhodes.example")
    somebody = Visitor(index.port)
    assert await wish(somebody, "idb", "ada@people.example") == 200
    assert somebody.path == SENT
    assert letters_to(index, "ada@people.example")[-1]["letter"] == "address-known"
    other = Visitor(index.port)
    await wish(other, "idc", "idc@rhodes.example")
    assert somebody.seen is not None
    assert other.seen is not None
    anonymous = [re.sub(r'value="[0-9a-f]{128}"', "", one.seen.text) for one in (somebody, other) if one.seen]
    assert anonymous[0] == anonymous[1]


@pytest.mark.parametrize(
    ("name", "email", "password", "sentence"),
    [
        ("ADA", "new@people.example", PASSWORD, "already a user named"),
        ("__token__", "new@people.example", PASSWORD, "cannot be a user name"),
        ("new", "nowhere", PASSWORD, "is not an e-mail address"),
        ("new", "new@people.example", "short", "A password has"),
        ("newnewnewnew", "new@people.example", "newnewnewnewx", "Choose another password"),
        ("", "", "", "Choose a user name."),
    ],
)
async def test_refused(index: Index, name: str, email: str, password: str, sentence: str) -> None:
    """What cannot be is said at the form, which keeps what was typed but for the password."""
    somebody = Visitor(index.port)
    assert await wish(somebody, name, email, password) == 400
    assert somebody.seen is not None
    assert sentence in somebody.seen.text
    assert f'value="{email}"' in somebody.seen.text
    assert password not in somebody.seen.text or not password


async def test_taken_meanwhile(index: Index) -> None:
    """Of two who want one name, who proves the address first has it, and the other is told."""
    for email in ("one@people.example", "two@people.example"):
        await wish(Visitor(index.port), "wanted", email)
    first, second = Visitor(index.port), Visitor(index.port)
    await first.look(link(index, "one@people.example"))
    await second.look(link(index, "two@people.example"))
    assert (await first.send(link(index, "one@people.example"), {"password": PASSWORD})).status == 200
    reply = await second.send(link(index, "two@people.example"), {"password": PASSWORD})
    assert reply.status == 409
    assert "already a user named" in reply.text


async def test_no_secret(index: Index) -> None:
    """A link that nobody sent leads to a page that says so, and is kept by nobody."""
    for secret in ("x" * 43, "x.css", "sent"):
        reply = await Visitor(index.port).look(f"/account/register/confirm/{secret}")
        assert reply.status == 410
        assert reply["Cache-Control"] == "private, no-store"


async def test_closed(new_index: Index) -> None:
    """Where the operator makes the accounts, the page says that, and forms are refused."""
    somebody = Visitor(new_index.port)
    reply = await somebody.look(REGISTER)
    assert "made by the operator" in reply.text
    await somebody.look("/account/sign-in/")
    assert somebody.seen is not None
    assert f'href="{REGISTER}"' not in somebody.seen.text
    token = somebody.forms()["/account/sign-in/"]["csrf_token"]
    form = {"csrf_token": token, "name": "new", "email": "new@people.example", "password": PASSWORD}
    assert (await somebody.post(REGISTER, form)).status == 403
    assert (await somebody.look(f"/account/register/confirm/{'x' * 43}")).status == 403
