"""The addresses of an account: added when they are proven, made the primary one, removed."""

from __future__ import annotations

import re

import pytest

from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import PASSWORD, Visitor, visitor

SETTINGS = {"limits__factor": 0}

LIST = "/account/emails/"


async def add(somebody: Visitor, email: str, password: str = PASSWORD) -> str:
    """Fill in the form for one more address; the page that comes of it."""
    await somebody.look(LIST)
    return (await somebody.send(LIST, {"email": email, "again": password})).text


def give(index: Index, name: str, email: str) -> int:
    """Let an account have one more address, proven; its id."""
    [(number,)] = index.sql(
        "INSERT INTO emails (user_id, address, verified, created) "
        f"SELECT id, '{email}', now(), now() FROM users WHERE name = '{name}' RETURNING id"
    )
    return int(number)


def events(index: Index, name: str) -> list[tuple[str, dict[str, str]]]:
    return [
        (event, about)
        for event, about in index.sql(
            "SELECT event, about FROM audit JOIN users u ON u.id = user_id "
            f"WHERE u.name = '{name}' AND event LIKE 'account.email%' ORDER BY audit.id"
        )
    ]


def anonymous(text: str) -> str:
    """A page without what is different each time."""
    return re.sub(r'value="[0-9a-f]{128}"|<time.*?</time>', "", text)


async def test_proven(index: Index) -> None:
    """An address is pending until the link of the letter is followed, and then theirs."""
    grace = await visitor(index, "grace")
    page = await add(grace, "grace@navy.example")
    assert "A letter is on its way." in page
    assert "to be confirmed" in page
    [letter] = letters_to(index, "grace@navy.example")
    assert letter["letter"] == "verify-address"
    assert "grace@navy.example" in (await grace.look(LIST)).text
    assert index.sql("SELECT address FROM emails WHERE address = 'grace@navy.example'") == []
    assert events(index, "grace") == [("account.email-added", {"email": "grace@navy.example"})]


async def test_of_somebody_else(index: Index) -> None:
    """Whether an address belongs to somebody is told to that address, and not to who asks."""
    joan = await visitor(index, "joan")
    await visitor(index, "victim")
    free = await add(joan, "free@people.example")
    await joan.send("/account/emails/pending/withdraw/", {"email": "free@people.example"})
    taken = await add(joan, "victim@people.example")
    assert anonymous(free).replace("free@", "") == anonymous(taken).replace("victim@", "")
    assert letters_to(index, "victim@people.example")[-1]["letter"] == "address-wanted"


@pytest.mark.parametrize(
    ("email", "password", "says"),
    [
        ("", PASSWORD, "Enter an e-mail address."),
        ("nowhere", PASSWORD, "is not an e-mail address."),
        ("nul\0@people.example", PASSWORD, "is not an e-mail address."),
        ("x" * 250 + "@a.example", PASSWORD, "longer than 254"),
        ("wrong-new@people.example", "wrong", "This is not your password."),
        ("WRONG@people.example", PASSWORD, "This address is yours already."),
    ],
)
async def test_refused(index: Index, email: str, password: str, says: str) -> None:
    """What cannot be added is said at the form; no letter is sent."""
    somebody = await visitor(index, "wrong")
    page = await add(somebody, email, password)
    assert says in page
    assert "<title>Error: " in page
    assert letters_to(index, email) == []


async def test_again_and_not_at_all(index: Index) -> None:
    """A letter can be sent again, and an address let be; of others' pending addresses nothing is told."""
    hedy, mallory = await visitor(index, "hedy"), await visitor(index, "mallory")
    await add(hedy, "hedy@film.example")
    await hedy.send("/account/emails/pending/resend/", {"email": "hedy@film.example"})
    paths = [letter["about"]["path"] for letter in letters_to(index, "hedy@film.example")]
    assert len(set(paths)) == 2
    await mallory.look(LIST)
    token = {"csrf_token": mallory.forms()[LIST]["csrf_token"]}
    for action in ("resend", "withdraw"):
        for email in ("hedy@film.example", "never@asked.example", ""):
            reply = await mallory.post(f"/account/emails/pending/{action}/", {**token, "email": email})
            assert reply.status == 404
    await hedy.look(LIST)
    reply = await hedy.send("/account/emails/pending/withdraw/", {"email": "hedy@film.example"})
    assert "to be confirmed" not in reply.text
    assert index.sql("SELECT count(*) FROM proofs WHERE address = 'hedy@film.example'") == [(0,)]
    assert [event for event, _ in events(index, "hedy")] == [
        "account.email-added",
        "account.email-added",
        "account.email-removed",
    ]


async def test_primary(index: Index) -> None:
    """Mail goes to another address from the moment one says so with one's password; the old one is told."""
    ada = await visitor(index, "lovelace")
    number = give(index, "lovelace", "ada@engine.example")
    path = f"/account/emails/{number}/"
    await ada.look(path)
    reply = await ada.send(f"{path}primary/", {"again": "wrong"})
    assert (reply.status, "This is not your password." in reply.text) == (403, True)
    reply = await ada.send(f"{path}primary/", {"again": PASSWORD})
    assert "Your mail goes there from now on." in reply.text
    assert index.sql(
        "SELECT address FROM emails JOIN users u ON u.id = user_id AND u.name = 'lovelace' WHERE is_primary"
    ) == [("ada@engine.example",)]
    [letter] = letters_to(index, "lovelace@people.example")[-1:]
    assert (letter["letter"], letter["about"]["new"]) == ("address-changed", "a…@engine.example")
    assert [event for event, _ in events(index, "lovelace")] == ["account.email-primary"]


async def test_removed(index: Index) -> None:
    """An address goes when one says so with one's password; the primary one stays."""
    vera = await visitor(index, "vera")
    number = give(index, "vera", "vera@stars.example")
    [(first,)] = index.sql("SELECT id FROM emails WHERE address = 'vera@people.example'")
    await vera.look(f"/account/emails/{number}/")
    token = {"csrf_token": vera.forms()[f"/account/emails/{number}/primary/"]["csrf_token"]}
    for wrong in ({}, {"again": "wrong"}):
        assert (await vera.post(f"/account/emails/{number}/remove/", {**token, **wrong})).status == 403
    assert (await vera.post(f"/account/emails/{first}/remove/", {**token, "again": PASSWORD})).status == 409
    reply = await vera.post(f"/account/emails/{number}/remove/", {**token, "again": PASSWORD})
    assert "The address is not yours any more." in reply.text
    assert "vera@stars.example" not in reply.text
    assert f"/account/emails/{first}/primary/" not in (await vera.look(f"/account/emails/{first}/")).text


async def test_address_of_another(index: Index) -> None:
    """The address of somebody else and one that is not there are told apart by nothing, and it stays."""
    await visitor(index, "owner")
    number = give(index, "owner", "owner@second.example")
    mallory = await visitor(index, "mallory2")
    await mallory.look(LIST)
    form = {"csrf_token": mallory.forms()[LIST]["csrf_token"], "again": PASSWORD}
    for action in ("primary", "remove"):
        pages = set()
        for which in (str(number), "999999999", "9" * 30, "x", "-1", "%D9%A3"):
            reply = await mallory.post(f"/account/emails/{which}/{action}/", form)
            assert reply.status == 404, which
            pages.add(anonymous(reply.text).replace(f"/{which}/", ""))
        assert len(pages) == 1
    for one in (number, 10**9):
        assert (await mallory.look(f"{LIST}{one}/")).status == 404
    assert index.sql(f"SELECT is_primary FROM emails WHERE id = {number}") == [(False,)]
