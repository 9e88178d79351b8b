"""The second factor at sign-in: codes and what they lead to, another way out, and when to stop trying."""

from __future__ import annotations

import time

import pytest

from tests.support.confirming import known
from tests.support.factors import give_app, give_code
from tests.support.index import Index
from tests.support.visitor import PASSWORD, Visitor, give_password, visitor

SETTINGS = {"limits__factor": 0}

HERE = "/account/second-factor/"


async def half(index: Index, name: str, *, wanted: str = "") -> Visitor:
    """Somebody with a browser that is known, who has shown a password, and owes the rest."""
    await give_password(index, name)
    somebody = known(index, name)
    await somebody.look(f"/account/sign-in/?next={wanted}")
    reply = await somebody.send("/account/sign-in/", {"name": name, "password": PASSWORD})
    assert somebody.path.startswith(HERE), reply.text
    return somebody


def events(index: Index, name: str) -> list[str]:
    rows = index.sql(
        "SELECT event FROM audit JOIN users u ON u.id = user_id "
        f"WHERE u.name = '{name}' ORDER BY audit.id DESC"
    )
    return [event for (event,) in rows]


async def test_code(index: Index) -> None:
    """A code of the app makes the sign-in whole, with another secret, and leads where one wanted to go."""
    await give_password(index, "grace")
    app = give_app(index, "grace")
    grace = await half(index, "grace", wanted="/search/%3Fq=a%26page=2")
    before = dict(grace.cookies)
    reply = await grace.send(HERE, {"code": app.now()}, follow=False)
    assert (reply.status, reply["Location"]) == (303, "/search/?q=a&page=2")
    assert grace.cookies["cheeseshop-session"] != before["cheeseshop-session"]
    assert (await grace.look("/account/", follow=False)).status == 200
    old = Visitor(index.port, cookies=before)
    assert (await old.look("/account/", follow=False)).status == 303


async def test_nothing_before(index: Index) -> None:
    """Who owes the second factor sees no page of the account, and is led to where it is shown."""
    await give_password(index, "joan")
    give_app(index, "joan")
    joan = await half(index, "joan")
    for path in ("/account/", "/account/log/", "/account/delete/"):
        reply = await joan.look(path, follow=False)
        assert reply["Location"].startswith(HERE)


@pytest.mark.parametrize("code", ["000000", "abcd-efgh-ijkl-mnop", "", "x" * 101, "٠٠٠٠٠٠"])
async def test_wrong(index: Index, code: str) -> None:
    """What is no code changes nothing but the security log."""
    await give_password(index, "mary")
    if not index.sql("SELECT 1 FROM totp JOIN users u ON u.id = user_id WHERE u.name = 'mary'"):
        give_app(index, "mary")
    mary = await half(index, "mary")
    reply = await mary.send(HERE, {"code": code})
    assert reply.status in (400, 403)
    assert (await mary.look("/account/", follow=False)).status == 303
    if reply.status == 403:
        assert events(index, "mary")[0] == "account.second-factor-failed"


async def test_once(index: Index) -> None:
    """A code that was used is good for nobody else, and the next one is."""
    await give_password(index, "ida")
    app = give_app(index, "ida")
    code, now = app.now(), time.time()
    first, second = await half(index, "ida"), await half(index, "ida")
    assert (await first.send(HERE, {"code": code})).status == 200
    assert (await second.send(HERE, {"code": code})).status == 403
    assert (await second.send(HERE, {"code": app.at(int(now) + 30)})).status == 200


async def test_recovery(index: Index) -> None:
    """A recovery code does as well, typed as people type, once; the log says how many are left."""
    await give_password(index, "kay")
    give_app(index, "kay")
    code, _ = give_code(index, "kay"), give_code(index, "kay")
    kay = await half(index, "kay")
    assert "or one of your recovery codes" in (kay.seen.text if kay.seen else "")
    assert (await kay.send(HERE, {"code": f" {code.upper().replace('-', ' ')} "})).status == 200
    assert events(index, "kay")[:2] == ["account.signed-in", "account.recovery-code-used"]
    again = await half(index, "kay")
    assert (await again.send(HERE, {"code": code})).status == 403


async def test_somebody_else(index: Index) -> None:
    """Who cannot show it signs out, and may sign in as somebody else."""
    await give_password(index, "radia")
    give_app(index, "radia")
    radia = await half(index, "radia")
    reply = await radia.send("/account/second-factor/leave/")
    assert "You are signed out." in reply.text
    assert "cheeseshop-session" not in radia.cookies
    assert (await radia.sign_in("grace")).status == 200


async def test_again(index: Index) -> None:
    """Who is signed in shows it once more where that is asked for, and goes on with another secret."""
    operator = await visitor(index, "barbara")
    assert (await operator.look(HERE)).status == 200
    assert operator.path == HERE
    app = give_app(index, "barbara")
    await operator.look(f"{HERE}?next=/account/log/")
    before = operator.cookies["cheeseshop-session"]
    await operator.send(HERE, {"code": app.now()})
    assert operator.path == "/account/log/"
    assert operator.cookies["cheeseshop-session"] != before


@pytest.mark.parametrize("elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "x"])
async def test_nowhere_else(index: Index, elsewhere: str) -> None:
    """However the form is filled in, one is led to a page of this index."""
    await give_password(index, "lynn")
    code = give_code(index, "lynn")
    if not index.sql("SELECT 1 FROM totp JOIN users u ON u.id = user_id WHERE u.name = 'lynn'"):
        give_app(index, "lynn")
    lynn = await half(index, "lynn")
    reply = await lynn.send(HERE, {"code": code, "next": elsewhere}, follow=False)
    assert reply["Location"] == "/account/"


async def test_nobody(index: Index) -> None:
    """Who has shown nothing is led to the sign-in first, and forms of theirs are refused."""
    nobody = Visitor(index.port)
    reply = await nobody.look(f"{HERE}?next=/account/log/%3Fbefore=3", follow=False)
    assert reply["Location"] == "/account/sign-in/?next=/account/log/%3Fbefore%3D3"
    await nobody.look("/account/sign-in/")
    token = nobody.forms()["/account/sign-in/"]["csrf_token"]
    assert (await nobody.post(HERE, {"csrf_token": token, "code": "123456"})).status == 401


async def test_throttled(new_index: Index) -> None:
    """After five wrong codes even the right one has to wait, in any browser."""
    await give_password(new_index, "worn")
    app = give_app(new_index, "worn")
    worn = await half(new_index, "worn")
    for _ in range(5):
        assert (await worn.send(HERE, {"code": "123456"})).status == 403
    other = await half(new_index, "worn")
    reply = await other.send(HERE, {"code": app.now()})
    assert reply.status == 429
    assert int(reply["Retry-After"]) > 0
