"""Links that prove addresses: for who asked alone, by a button alone."""

from __future__ import annotations

from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import PASSWORD, Visitor, visitor

SETTINGS = {"limits__factor": 0}


async def asked(index: Index, name: str, email: str) -> tuple[Visitor, str]:
    """Somebody who wants one more address, and where the letter there leads."""
    somebody = await visitor(index, name)
    await somebody.look("/account/emails/")
    await somebody.send("/account/emails/", {"email": email, "again": PASSWORD})
    return somebody, str(letters_to(index, email)[-1]["about"]["path"])


def has(index: Index, email: str) -> bool:
    return bool(index.sql(f"SELECT 1 FROM emails WHERE address = '{email}' AND verified IS NOT NULL"))


async def test_button(index: Index) -> None:
    """Looking at the page proves nothing, however often; its button does, once."""
    grace, path = await asked(index, "grace", "grace@navy.example")
    for _ in range(2):
        reply = await grace.look(path)
        assert "grace@navy.example" in reply.text
        assert reply["Referrer-Policy"] == "strict-origin"
    assert not has(index, "grace@navy.example")
    reply = await grace.send(path)
    assert grace.path == "/account/emails/?done=added"
    assert has(index, "grace@navy.example")
    assert (await grace.look(path)).status == 410


async def test_signed_out(index: Index) -> None:
    """Who is not signed in signs in first, and is led back."""
    _, path = await asked(index, "joan", "joan@irs.example")
    somebody = Visitor(index.port)
    await somebody.look(path)
    assert somebody.path.startswith("/account/sign-in/?next=")
    await somebody.send("/account/sign-in/", {"name": "joan", "password": PASSWORD})
    assert somebody.path == path
    await somebody.send(path)
    assert has(index, "joan@irs.example")


async def test_of_another(index: Index) -> None:
    """A link is good for the account that asked alone, and stays good for that."""
    kay, path = await asked(index, "kay", "kay@apple.example")
    mallory = await visitor(index, "mallory")
    reply = await mallory.look(path)
    assert reply.status == 410
    assert "kay@apple.example" not in reply.text
    token = mallory.forms()["/account/sign-out/"]["csrf_token"]
    assert (await mallory.post(path, {"csrf_token": token})).status == 410
    assert not has(index, "kay@apple.example")
    await kay.look(path)
    await kay.send(path)
    assert has(index, "kay@apple.example")


async def test_scanner(index: Index) -> None:
    """A program that follows the links of mail, and has no account, changes nothing."""
    _, path = await asked(index, "ida", "ida@rhodes.example")
    before = index.state()
    await Visitor(index.port).look(path)
    assert not index.state() - before
