"""Passkeys at sign-in: as the only thing one shows, and as a second factor."""

from __future__ import annotations

from tests.support.authenticator import Authenticator
from tests.support.client import Reply
from tests.support.confirming import links
from tests.support.factors import give_app, give_passkey
from tests.support.index import Index
from tests.support.visitor import PASSWORD, Visitor, give_password

ORIGIN = "https://pkg.example"

SETTINGS = {"limits__factor": 0, "service__origin": ORIGIN}

OURS = {"Origin": ORIGIN}
SESSION = "__Host-cheeseshop-session"

SIGN_IN = "/account/sign-in/"
PASSKEY = f"{SIGN_IN}passkey/"
SECOND = "/account/second-factor/"


async def asked(somebody: Visitor, action: str) -> str:
    """What a script of the page that is shown asks the browser."""
    shown, path = somebody.seen, somebody.path
    token = somebody.forms()[action]["csrf_token"]
    reply = await somebody.post(f"{action}ask/", {"csrf_token": token}, headers=OURS)
    assert reply.status == 200, reply.text
    assert reply["Content-Type"] == "application/json"
    somebody.seen, somebody.path = shown, path
    return reply.text


async def enter(somebody: Visitor, device: Authenticator, *, wanted: str = "") -> Reply:
    """Sign in with a passkey alone."""
    await somebody.look(f"{SIGN_IN}?next={wanted}")
    answer = device.show(await asked(somebody, PASSKEY))
    return await somebody.send(PASSKEY, {"answer": answer}, headers=OURS, follow=False)


async def test_alone(index: Index) -> None:
    """A passkey signs in without name and password, is a second factor as well, and leads on."""
    await give_password(index, "grace")
    device = give_passkey(index, "grace", ORIGIN)
    grace = Visitor(index.port)
    reply = await enter(grace, device, wanted="/account/log/")
    assert (reply.status, reply["Location"]) == (303, "/account/log/")
    assert "signed in with a passkey" in (await grace.look("/account/log/")).text
    assert index.sql("SELECT is_partial, second_factor IS NOT NULL FROM sessions") == [(False, True)]


async def test_once(index: Index) -> None:
    """An answer that was given is good for nothing more, and none is in another browser."""
    await give_password(index, "joan")
    device = give_passkey(index, "joan", ORIGIN)
    joan, thief = Visitor(index.port), Visitor(index.port)
    await joan.look(SIGN_IN)
    await thief.look(SIGN_IN)
    answer = device.show(await asked(joan, PASSKEY))
    assert (await thief.send(PASSKEY, {"answer": answer}, headers=OURS)).status == 409
    assert SESSION not in thief.cookies
    assert (await joan.send(PASSKEY, {"answer": answer}, headers=OURS, follow=False)).status == 303
    await joan.look("/account/")
    await joan.send("/account/sign-out/", headers=OURS)
    await joan.look(SIGN_IN)
    assert (await joan.send(PASSKEY, {"answer": answer}, headers=OURS)).status == 409


async def test_strange(index: Index) -> None:
    """A passkey nobody has here, of an account that is closed, or no passkey at all is not recognised."""
    await give_password(index, "kay")
    closed = give_passkey(index, "kay", ORIGIN)
    index.sql("UPDATE users SET is_active = false WHERE name = 'kay'")
    strange = Authenticator(ORIGIN, handle=bytes(8))
    for device in (closed, strange):
        somebody = Visitor(index.port)
        reply = await enter(somebody, device)
        assert reply.status == 403
        assert "was not recognised" in reply.text
        assert SESSION not in somebody.cookies
    nobody = Visitor(index.port)
    await nobody.look(SIGN_IN)
    for answer in ("", "{}", "[" * 1000, "x" * 40_000):
        assert (await nobody.send(PASSKEY, {"answer": answer}, headers=OURS)).status == 403


async def test_second(index: Index) -> None:
    """After the password a passkey of that account will do, and one of another account will not."""
    for name in ("ida", "mallory"):
        await give_password(index, name)
    device, other = give_passkey(index, "ida", ORIGIN), give_passkey(index, "mallory", ORIGIN)
    ida = Visitor(index.port)
    await ida.look(SIGN_IN)
    await ida.send(SIGN_IN, {"name": "ida", "password": PASSWORD}, headers=OURS)
    assert ida.path == SECOND
    answer = other.show(await asked(ida, f"{SECOND}passkey/"))
    assert (await ida.send(f"{SECOND}passkey/", {"answer": answer}, headers=OURS)).status == 403
    answer = device.show(await asked(ida, f"{SECOND}passkey/"))
    reply = await ida.send(f"{SECOND}passkey/", {"answer": answer}, headers=OURS)
    assert (reply.status, ida.path) == (200, "/account/")


async def test_in_place_of_a_letter(index: Index) -> None:
    """Who waits for a letter to be answered, with a new browser, is let in by a passkey without."""
    await give_password(index, "lynn")
    device, app = give_passkey(index, "lynn", ORIGIN), give_app(index, "lynn")
    lynn = Visitor(index.port)
    await lynn.look(f"{SIGN_IN}?next=/account/log/")
    await lynn.send(SIGN_IN, {"name": "lynn", "password": PASSWORD}, headers=OURS)
    await lynn.send(SECOND, {"code": app.now()}, headers=OURS)
    assert lynn.path == "/account/confirm/?next=/account/log/"
    answer = device.show(await asked(lynn, f"{SECOND}passkey/"))
    reply = await lynn.send(f"{SECOND}passkey/", {"answer": answer}, headers=OURS)
    assert (reply.status, lynn.path) == (200, "/account/log/")
    assert (await Visitor(index.port).look(links(index, "lynn")[-1])).status == 410


async def test_copied(index: Index) -> None:
    """A passkey whose counter goes back is refused, and its owner finds that in the log."""
    await give_password(index, "mary")
    device = give_passkey(index, "mary", ORIGIN)
    mary = Visitor(index.port)
    assert (await enter(mary, device)).status == 303
    device.count = 0
    reply = await enter(Visitor(index.port), device)
    assert reply.status == 403
    assert "there seems to be a copy" in reply.text
    assert "copied passkey" in (await mary.look("/account/log/")).text


async def test_asking_needs_the_form(index: Index) -> None:
    """Only our own page gets a question: without its token, or from elsewhere, there is none."""
    nobody = Visitor(index.port)
    await nobody.look(SIGN_IN)
    token = nobody.forms()[PASSKEY]["csrf_token"]
    assert (await nobody.post(f"{PASSKEY}ask/", {}, headers=OURS)).status == 403
    evil = {"Origin": "https://evil.example"}
    assert (await nobody.post(f"{PASSKEY}ask/", {"csrf_token": token}, headers=evil)).status == 403


async def test_not_here(new_index: Index) -> None:
    """Where browsers offer no passkeys, neither does the page."""
    nobody = Visitor(new_index.port)
    await nobody.look(SIGN_IN)
    assert PASSKEY not in nobody.forms()


async def test_throttled(new_index: Index) -> None:
    """Who asks for questions all the time has to wait, before anything is kept for them."""
    nobody = Visitor(new_index.port)
    await nobody.look(SIGN_IN)
    token = nobody.forms()[SIGN_IN]["csrf_token"]
    codes = [(await nobody.post(f"{PASSKEY}ask/", {"csrf_token": token})).status for _ in range(61)]
    assert codes == [400] * 60 + [429]
