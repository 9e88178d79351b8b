"""Second factors: an app, passkeys and recovery codes, set up and taken away by nobody but their owner."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest

from tests.support.authenticator import Authenticator, base64url
from tests.support.client import Reply
from tests.support.index import Index
from tests.support.managing import letters_to
from tests.support.visitor import HEADERS, PASSWORD, Fields, Visitor, give_password
from tests.support.visitor import visitor as visit

ORIGIN = "http://localhost"
SETTINGS = {"limits__factor": 0, "service__origin": ORIGIN}

LIST = "/account/factors/"
APP = "/account/factors/app/"
NEW = "/account/factors/passkeys/new/"
CODES = "/account/factors/codes/"

CODE = re.compile(r"\b[a-z2-7]{4}(?:-[a-z2-7]{4}){3}\b")


class Browser(Visitor):
    """A browser that shows the index by the name passkeys are made for."""

    async def post(
        self, action: str, fields: Fields, *, follow: bool = True, headers: Mapping[str, str] = HEADERS
    ) -> Reply:
        """Send just these fields, as a page of that origin."""
        return await super().post(action, fields, follow=follow, headers={"Origin": ORIGIN, **headers})


async def visitor(index: Index, name: str) -> Browser:
    """Somebody who is signed in."""
    await give_password(index, name)
    found = Browser(index.port)
    assert (await found.sign_in(name)).status == 200
    return found


async def begin(who: Browser) -> pyotp.TOTP:
    """The app that has read the key."""
    await who.look(APP)
    reply = await who.send(f"{APP}begin/", {"again": PASSWORD})
    assert reply.status == 200, reply.text
    assert 'class="qr"' in reply.text
    key = re.search(r"<code>((?:[A-Z2-7]{4} ?)+)</code>", reply.text)
    assert key is not None
    return pyotp.TOTP(key[1].replace(" ", ""))


async def with_app(who: Browser) -> tuple[pyotp.TOTP, list[str]]:
    """Set up an app; it, and the recovery codes that come with it."""
    app = await begin(who)
    reply = await who.send(f"{APP}confirm/", {"code": app.at(datetime.now(UTC))})
    assert reply.status == 200, reply.text
    return app, CODE.findall(reply.text)


async def ask(who: Browser, password: str = PASSWORD) -> Reply:
    """What the script of the page asks for."""
    await who.look(NEW)
    form = who.forms()[NEW]
    return await who.post("/account/factors/passkeys/new/ask/", {**form, "again": password})


async def with_passkey(who: Browser, name: str = "desk") -> Authenticator:
    """Add a passkey."""
    device = Authenticator(ORIGIN)
    reply = await ask(who)
    assert reply.status == 200, reply.text
    await who.look(NEW)
    form = who.forms()[NEW]
    reply = await who.post(NEW, {**form, "name": name, "answer": device.make(reply.text)})
    assert reply.status == 200, reply.text
    return device


def events(index: Index, name: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        (event.removeprefix("account."), about)
        for event, about in index.sql(
            "SELECT event, about FROM audit JOIN users u ON u.id = user_id "
            f"WHERE u.name = '{name}' AND event ~ 'totp|passkey|recovery' ORDER BY audit.id"
        )
    ]


def told(index: Index, name: str) -> list[tuple[str, str]]:
    letters = letters_to(index, f"{name}@people.example")
    return [(one["letter"], one["about"]["factor"]) for one in letters if "factor" in one["about"]]


async def test_app(index: Index) -> None:
    """An app is set up by its code, with recovery codes, shown once; the session has a new secret."""
    grace = await visitor(index, "grace")
    before = grace.cookies["cheeseshop-session"]
    app, codes = await with_app(grace)
    assert len(set(codes)) == 10
    assert grace.seen is not None
    assert grace.seen["Cache-Control"] == "private, no-store"
    assert grace.cookies["cheeseshop-session"] != before
    old = Browser(index.port, cookies={"cheeseshop-session": before})
    assert (await old.look(LIST, follow=False)).status == 303
    page = (await grace.look(LIST)).text
    assert "10 left" in page
    assert not CODE.search(page)
    assert events(index, "grace") == [("totp-added", {}), ("recovery-codes-made", {"count": 10})]
    assert told(index, "grace") == [
        ("factor-added", "authenticator app"),
        ("factor-added", "10 recovery codes"),
    ]
    secrets = {app.secret, *codes, *(code.replace("-", "") for code in codes)}
    for table, rows in index.state().tables.items():
        assert not any(secret in row for row in rows for secret in secrets), table


async def test_forms_after(index: Index) -> None:
    """The page with the codes has forms that this browser may send, though its session has another secret."""
    vera = await visitor(index, "vera")
    await with_app(vera)
    assert "You are signed out." in (await vera.send("/account/sign-out/")).text


async def test_replayed(index: Index) -> None:
    """The code that set the app up signs nobody in."""
    hedy = await visitor(index, "hedy")
    app = await begin(hedy)
    code = app.at(datetime.now(UTC))
    await hedy.send(f"{APP}confirm/", {"code": code})
    other = Browser(index.port)
    await other.sign_in("hedy")
    assert other.path.startswith("/account/second-factor/")
    reply = await other.send("/account/second-factor/", {"code": code})
    assert (reply.status, "was used before" in reply.text) == (403, True)
    assert (await other.look(LIST, follow=False)).status == 303


@pytest.mark.parametrize(("code", "status"), [("000000", 403), ("", 400), ("x" * 41, 400), ("abc", 403)])
async def test_wrong_code(index: Index, code: str, status: int) -> None:
    """With a wrong code the app counts for nothing, and its key is not shown again."""
    joan = await visitor(index, "joan")
    app = await begin(joan)
    if app.at(datetime.now(UTC)) == code:
        return
    reply = await joan.send(f"{APP}confirm/", {"code": code})
    assert (reply.status, "<title>Error: " in reply.text) == (status, True)
    assert 'class="qr"' not in reply.text
    assert app.secret not in reply.text.replace(" ", "")
    assert events(index, "joan") == []
    assert "10 left" not in (await joan.look(LIST)).text


async def test_guessed(new_index: Index) -> None:
    """Nobody guesses the code of an app that was begun, which would stand for the password from then on."""
    joan = await visit(new_index, "joan")
    await joan.look(APP)
    await joan.send(f"{APP}begin/", {"again": PASSWORD})
    statuses = [(await joan.send(f"{APP}confirm/", {"code": "abc"})).status for _ in range(5)]
    form = joan.forms()[f"{APP}confirm/"]
    statuses.append((await joan.post(f"{APP}confirm/", {**form, "code": "abc"})).status)
    assert statuses == [403] * 5 + [429]


@pytest.mark.parametrize(
    ("page", "action"),
    [(APP, f"{APP}begin/"), (CODES, CODES), (NEW, "/account/factors/passkeys/new/ask/")],
)
async def test_at_a_browser_left_open(index: Index, page: str, action: str) -> None:
    """Nobody adds a second factor, or makes codes, without the password."""
    tom = await visitor(index, "tom")
    await tom.look(APP)
    token = {"csrf_token": tom.forms()[f"{APP}begin/"]["csrf_token"]}
    for wrong in ({}, {"again": ""}, {"again": "wrong"}):
        reply = await tom.post(action, {**token, **wrong})
        assert (reply.status, "This is not your password." in reply.text) == (403, True), page
    assert events(index, "tom") == []


async def test_app_removed(index: Index) -> None:
    """An app is removed by who proves to own it, and the codes with it; the password alone does now."""
    lise = await visitor(index, "lise")
    await with_app(lise)
    await lise.look(APP)
    index.sql("UPDATE sessions SET second_factor = now() - interval '16 minutes' RETURNING id")
    reply = await lise.send(f"{APP}remove/", {"again": "wrong"})
    assert (reply.status, "This is not your password." in reply.text) == (403, True)
    before = lise.cookies["cheeseshop-session"]
    reply = await lise.send(f"{APP}remove/", {"again": PASSWORD})
    assert "The app is no second factor any more." in reply.text
    assert lise.cookies["cheeseshop-session"] != before
    assert events(index, "lise")[-1] == ("totp-removed", {})
    assert told(index, "lise")[-1] == ("factor-removed", "authenticator app")
    assert (await Browser(index.port).sign_in("lise")).text.count("<h1>lise</h1>") == 1


async def test_lately_shown(index: Index) -> None:
    """Who has just shown a second factor is not asked for the password, and a quarter of an hour later is."""
    ida = await visitor(index, "ida")
    await with_app(ida)
    assert "Your password" not in (await ida.look(CODES)).text
    reply = await ida.send(CODES)
    assert len(set(CODE.findall(reply.text))) == 10
    index.sql("UPDATE sessions SET second_factor = now() - interval '16 minutes' RETURNING id")
    await index.application.members.sessions.forget([])
    assert "Your password" in (await ida.look(CODES)).text
    assert (await ida.send(CODES)).status == 403


async def test_codes(index: Index) -> None:
    """New codes put the old ones out of use, and one is reminded when few are left."""
    dorothy = await visitor(index, "dorothy")
    _, old = await with_app(dorothy)
    await dorothy.look(CODES)
    reply = await dorothy.send(CODES, {"again": PASSWORD})
    new = CODE.findall(reply.text)
    assert not set(old) & set(new)
    assert events(index, "dorothy")[-1] == ("recovery-codes-made", {"count": 10})
    for code, status in ((old[0], 403), (new[0], 200), (new[0], 403)):
        other = Browser(index.port)
        await other.sign_in("dorothy")
        assert (await other.send("/account/second-factor/", {"code": code})).status == status
    assert "9 left" in (await dorothy.look(LIST)).text
    index.sql(
        "UPDATE recovery_codes SET used = now() WHERE digest IN (SELECT digest FROM recovery_codes c "
        "JOIN users u ON u.id = c.user_id AND u.name = 'dorothy' WHERE used IS NULL LIMIT 6) RETURNING used"
    )
    assert "You have 3 recovery codes left." in (await dorothy.look(LIST)).text


async def test_codes_for_nothing(index: Index) -> None:
    """There are no codes without a second factor."""
    emmy = await visitor(index, "emmy")
    await emmy.look(LIST)
    token = {"csrf_token": emmy.forms()["/account/sign-out/"]["csrf_token"]}
    reply = await emmy.post(CODES, {**token, "again": PASSWORD})
    assert (reply.status, CODE.search(reply.text)) == (409, None)


async def test_passkey(index: Index) -> None:
    """A passkey is added with a name, called otherwise, and removed; of each the log tells."""
    sofia = await visitor(index, "sofia")
    await with_passkey(sofia)
    assert sofia.seen is not None
    assert len(set(CODE.findall(sofia.seen.text))) == 10, "the first factor comes with codes"
    page = (await sofia.look(LIST)).text
    [path] = re.findall(r'href="(/account/factors/passkeys/[^"/]+/)">desk<', page)
    await sofia.look(path)
    reply = await sofia.send(f"{path}rename/", {"name": " dra\0\r\n"})
    assert ">dra</a>" in reply.text
    await sofia.look(path)
    reply = await sofia.send(f"{path}rename/", {"name": "drawer"})
    assert ">drawer</a>" in reply.text
    index.sql("UPDATE sessions SET second_factor = now() - interval '16 minutes' RETURNING id")
    await sofia.look(path)
    assert (await sofia.send(f"{path}remove/", {"again": "wrong"})).status == 403
    reply = await sofia.send(f"{path}remove/", {"again": PASSWORD})
    assert "good for nothing here any more" in reply.text
    assert ">drawer</a>" not in reply.text
    assert [one for one in events(index, "sofia") if one[0].startswith("passkey")] == [
        ("passkey-added", {"name": "desk"}),
        ("passkey-renamed", {"name": "dra"}),
        ("passkey-renamed", {"name": "drawer"}),
        ("passkey-removed", {"name": "drawer"}),
    ]
    assert told(index, "sofia")[0] == ("factor-added", "passkey “desk”")
    assert told(index, "sofia")[-1] == ("factor-removed", "passkey “drawer”")


async def test_passkey_that_was_not_asked_for(index: Index) -> None:
    """What the browser was not asked for, was answered before, or is for another site, is no passkey."""
    eve = await visitor(index, "eve")
    asked = (await ask(eve)).text
    device = Authenticator(ORIGIN)
    await eve.look(NEW)
    form = {**eve.forms()[NEW], "name": "x"}
    answers = [
        device.make(asked, origin="https://evil.example"),
        device.make(asked),
        "{}",
        "",
        "x" * 100_000,
    ]
    for answer in answers:
        reply = await eve.post(NEW, {**form, "answer": answer})
        assert reply.status in (400, 409), answer[:40]
        assert "No passkey was added" in reply.text
    assert events(index, "eve") == []


async def test_passkey_of_another(index: Index) -> None:
    """The passkey of somebody else and one that is not there are told apart by nothing, and it stays."""
    owner, mallory = await visitor(index, "owner"), await visitor(index, "mallory")
    device = await with_passkey(owner, "mine")
    await mallory.look(LIST)
    form = {
        "csrf_token": mallory.forms()["/account/sign-out/"]["csrf_token"],
        "again": PASSWORD,
        "name": "got it",
    }
    pages: dict[str, set[str]] = {}
    for id in (base64url(device.id), base64url(b"nothing of anybody"), "!", "A"):
        path = f"/account/factors/passkeys/{id}/"
        replies = {
            "look": await mallory.look(path),
            "rename": await mallory.post(f"{path}rename/", form),
            "remove": await mallory.post(f"{path}remove/", form),
        }
        for what, reply in replies.items():
            assert reply.status == 404
            text = re.sub(r'value="[0-9a-f]{128}"', "", reply.text).replace(path, "")
            pages.setdefault(what, set()).add(text)
    assert (len(pages["rename"]), len(pages["remove"])) == (1, 1)
    assert index.sql("SELECT name FROM passkeys WHERE name IN ('mine', 'got it')") == [("mine",)]


async def test_operators(index: Index) -> None:
    """Who runs the index is led to set up a second factor, is let in with it, and keeps one."""
    root = await visitor(index, "root")
    index.sql("UPDATE users SET is_admin = true WHERE name = 'root' RETURNING id")
    await root.look("/admin/")
    assert root.path == f"{LIST}?why=operator"
    assert root.seen is not None
    assert "Who runs this index shows more than a password." in root.seen.text
    await with_app(root)
    assert (await root.look("/admin/", follow=False)).status == 200
    await root.look(APP)
    reply = await root.send(f"{APP}remove/", {"again": PASSWORD})
    assert (reply.status, "Operators need a second factor." in reply.text) == (403, True)
    device = await with_passkey(root)
    await root.look(APP)
    assert "The app is no second factor any more." in (await root.send(f"{APP}remove/")).text
    path = f"/account/factors/passkeys/{base64url(device.id)}/"
    await root.look(path)
    reply = await root.send(f"{path}remove/")
    assert (reply.status, "Operators need a second factor." in reply.text) == (403, True)


async def test_without_password(index: Index) -> None:
    """Who has no password proves it by a second factor shown lately, or by having just signed in."""
    pia = await visitor(index, "pia")
    index.sql("UPDATE users SET password_hash = NULL WHERE name = 'pia' RETURNING id")
    await with_app(pia)
    index.sql("UPDATE sessions SET second_factor = now() - interval '16 minutes' RETURNING id")
    page = (await pia.look(CODES)).text
    assert f'href="/account/second-factor/?next={CODES}"' in page
    reply = await pia.send(CODES)
    assert (reply.status, "show your second factor" in reply.text) == (403, True)
