"""Signing in with a provider over HTTP: there and back by a browser that keeps cookies and follows."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_twisted
from attrs import define

from tests.support.client import Reply
from tests.support.databases import Databases
from tests.support.factors import give_app
from tests.support.index import Index, running
from tests.support.openid_provider import CLIENT, SECRET, OpenIdProvider, openid_provider, rsa_key
from tests.support.visitor import PASSWORD, Visitor, visitor

BEGIN, LINK, UNLINK = "/account/openid/", "/account/openid/link/", "/account/openid/unlink/"
NAME, CALLBACK = "/account/openid/name/", "/account/openid/callback"
RSA = rsa_key()


@define(eq=False)
class Place:
    """An index, and the provider it sends people to."""

    index: Index
    there: OpenIdProvider

    def somebody(self) -> Visitor:
        """Somebody who is not signed in."""
        return Visitor(self.index.port)

    def person(self, name: str, **claims: object) -> None:
        """Who is signed in at the provider, from now on, where nothing is amiss."""
        self.there.person = {
            "sub": f"sub-{name}",
            "preferred_username": name,
            "email": f"{name}@staff.example",
            "email_verified": True,
            **claims,
        }
        self.there.claims.clear()
        self.there.answers.clear()
        self.there.refuses = ""

    async def leave(self, who: Visitor, action: str = BEGIN, **fields: str) -> str:
        """Press the button; where the provider sends them back to."""
        reply = await who.send(action, fields, follow=False)
        assert reply.status == 200, reply.text
        found = re.search(r'<meta http-equiv="refresh" content="0; url=([^"]*)">', reply.text)
        assert found, reply.text
        url = unescape(found[1])
        assert f'href="{found[1]}"' in reply.text
        query = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
        back = urlsplit(self.there.authorize(query))
        assert back.path == CALLBACK
        return f"{back.path}?{back.query}"

    async def go(self, who: Visitor, action: str = BEGIN, *, follow: bool = True, **fields: str) -> Reply:
        """There and back."""
        return await who.look(await self.leave(who, action, **fields), follow=follow)

    async def sign_in(self, who: Visitor, next: str = "") -> Reply:
        """From the page where one signs in."""
        await who.look(f"/account/sign-in/?next={next}" if next else "/account/sign-in/")
        return await self.go(who)

    async def join(self, name: str) -> Visitor:
        """Somebody who has made an account by it."""
        self.person(name)
        who = self.somebody()
        await self.sign_in(who)
        reply = await who.send(NAME, {"name": name})
        assert reply.status == 200, reply.text
        return who


@pytest_twisted.async_yield_fixture(scope="module")
async def place(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    """An index where one signs in with a provider, and gets an account by that."""
    url = databases.make()
    with openid_provider(RSA) as there:
        settings = {
            "openid.issuer": there.url,
            "openid.client_id": CLIENT,
            "openid.client_secret": SECRET,
            "openid.name": "Staff",
            "openid.registration": "on",
            "limits.factor": 0,
        }
        given = {name.replace(".", "__"): value for name, value in settings.items()}
        async with running(url, tmp_path_factory.mktemp("index"), **given) as index:
            yield Place(index, there)
    databases.drop(url)


async def test_first_time(place: Place) -> None:
    """Somebody new chooses a name, is signed in, and is led where they wanted to go."""
    place.person("ada.l")
    who = place.somebody()
    assert "Sign in with Staff: you get an account by that." in (await who.look("/account/sign-in/")).text
    reply = await place.sign_in(who, "/project/x/")
    assert who.path == NAME
    assert "Staff knows you as <strong>ada.l</strong>" in reply.text
    assert "Mail will go to ada.l@staff.example." in reply.text
    assert who.forms()[NAME]["name"] == "ada.l"
    reply = await who.send(NAME, follow=False)
    assert (reply.status, reply["Location"]) == (303, "/project/x/")
    assert "<h1>ada.l</h1>" in (await who.look("/account/")).text


async def test_next_time(place: Place) -> None:
    """Whose account is linked is signed in at once; the session is a new one."""
    first = await place.join("grace")
    second = place.somebody()
    await place.sign_in(second)
    assert second.path == "/account/"
    assert second.cookies["cheeseshop-session"] != first.cookies["cheeseshop-session"]
    assert "cheeseshop-visit" not in second.cookies


async def test_signed_in_already(place: Place) -> None:
    """Who is signed in is not sent there to sign in."""
    who = await place.join("twice")
    token = who.forms()["/account/sign-out/"]["csrf_token"]
    reply = await who.post(BEGIN, {"csrf_token": token}, follow=False)
    assert (reply.status, reply["Location"]) == (303, "/account/")


async def test_next_elsewhere(place: Place) -> None:
    """Nobody is led to another site by it."""
    await place.join("elsewhere")
    for elsewhere in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        who = place.somebody()
        await who.look("/account/sign-in/")
        reply = await place.go(who, follow=False, next=elsewhere)
        assert reply["Location"] == "/account/"


async def test_name_taken(place: Place) -> None:
    """A name that is taken is said to be, in the form, and another one does."""
    place.person("ada")
    who = place.somebody()
    await place.sign_in(who)
    assert who.forms()[NAME]["name"] == "ada2"
    reply = await who.send(NAME, {"name": "Ada"})
    assert reply.status == 409
    assert "There is already a user named" in reply.text
    assert (await who.send(NAME, {"name": ""})).status == 400
    assert (await who.send(NAME, {"name": "__token__"})).status == 400
    assert (await who.send(NAME, {"name": "ada-of-staff"}, follow=False)).status == 303


async def test_link(place: Place) -> None:
    """Who is signed in by a password links the account, sees it, signs in by it, and ends that again."""
    who = await visitor(place.index, "linus")
    reply = await who.look(BEGIN)
    assert "Your account is not linked to Staff." in reply.text
    place.person("torvalds")
    reply = await who.send(LINK, {"again": "wrong"})
    assert reply.status == 403
    assert "This is not your password." in reply.text
    reply = await place.go(who, LINK, again=PASSWORD)
    assert "Your account is linked." in reply.text
    assert "torvalds" in reply.text
    again = place.somebody()
    await place.sign_in(again)
    assert "<h1>linus</h1>" in again.seen.text  # type: ignore[union-attr]
    reply = await who.send(UNLINK)
    assert "Your account is no longer linked to it." in reply.text
    assert "torvalds" not in reply.text
    events = [
        event for (event,) in place.index.sql("SELECT event FROM audit WHERE actor = 'linus' ORDER BY id")
    ]
    assert events[-3:] == ["account.openid-linked", "account.signed-in", "account.openid-unlinked"]


async def test_link_of_others(place: Place) -> None:
    """Nobody ends the link of somebody else, nor one that is not there."""
    await place.join("victim")
    [(identity,)] = place.index.sql("SELECT id FROM external_identities WHERE subject = 'sub-victim'")
    who = await visitor(place.index, "mallory")
    await who.look(BEGIN)
    token = who.forms()[LINK]["csrf_token"]
    for wrong in (str(identity), "0", "x", "٣", "9" * 30, ""):
        reply = await who.post(UNLINK, {"csrf_token": token, "identity": wrong})
        assert reply.status == 404
    assert place.index.sql("SELECT count(*) FROM external_identities WHERE subject = 'sub-victim'") == [(1,)]


async def test_the_last_way_in(place: Place) -> None:
    """The only way to sign in is not removed."""
    who = await place.join("only")
    await who.look(BEGIN)
    reply = await who.send(UNLINK)
    assert reply.status == 409
    assert "the only way you can sign in" in reply.text


async def test_second_factor(place: Place) -> None:
    """Who has a second factor shows it here as well: the session is good for nothing else until then."""
    await place.join("careful")
    place.index.sql(
        "INSERT INTO totp (user_id, secret, confirmed) "
        "SELECT id, '12345678901234567890', now() FROM users WHERE name = 'careful' RETURNING 1"
    )
    who = place.somebody()
    reply = await who.look("/account/sign-in/?next=/account/")
    reply = await place.go(who, follow=False)
    assert reply["Location"].startswith("/account/second-factor/?next=")
    reply = await who.look("/account/", follow=False)
    assert reply["Location"].startswith("/account/second-factor/")


async def test_new_browser(place: Place) -> None:
    """A code after that is asked about by mail like any other, in a browser that is not known."""
    await place.join("wary")
    app = give_app(place.index, "wary")
    who = place.somebody()
    await who.look("/account/sign-in/?next=/account/log/")
    await place.go(who)
    await who.send("/account/second-factor/", {"code": app.now()})
    assert who.path == "/account/confirm/?next=/account/log/"


async def test_someone_else_in_between(place: Place) -> None:
    """Who owes the second factor of one account, and comes as somebody new, leaves that session behind."""
    await place.join("half")
    place.index.sql(
        "INSERT INTO totp (user_id, secret, confirmed) "
        "SELECT id, '12345678901234567890', now() FROM users WHERE name = 'half' RETURNING 1"
    )
    who = place.somebody()
    await who.look("/account/sign-in/")
    await place.go(who, follow=False)
    half = who.cookies["cheeseshop-session"]
    place.person("whole")
    await place.sign_in(who)
    assert who.path == NAME
    assert "cheeseshop-session" not in who.cookies
    await who.send(NAME, {"name": "whole"})
    assert "<h1>whole</h1>" in (await who.look("/account/")).text
    left = Visitor(place.index.port, cookies={"cheeseshop-session": half})
    assert (await left.look("/account/", follow=False))["Location"].startswith("/account/sign-in/")


async def test_failed(place: Place) -> None:
    """Whatever goes wrong is one sentence on a page, of which no address tells anybody."""
    await place.join("unlucky")
    wrong = [
        (lambda: place.there.claims.update(nonce="x"), 403, "could not be verified"),
        (lambda: setattr(place.there, "refuses", "access_denied"), 403, "did not sign you in"),
        (lambda: place.there.answers.update({"/token": "500"}), 503, "does not answer"),
        (lambda: place.there.answers.update({"/token": "html"}), 403, "could not be verified"),
    ]
    for spoil, code, sentence in wrong:
        place.person("unlucky")
        who = place.somebody()
        await who.look("/account/sign-in/")
        spoil()
        reply = await place.go(who)
        assert (reply.status, who.path.partition("?")[0]) == (code, CALLBACK)
        assert sentence in reply.text
        assert reply["Referrer-Policy"] == "strict-origin"
        assert reply["Cache-Control"] == "private, no-store"
        assert "cheeseshop-session" not in who.cookies
        for told in parse_qs(urlsplit(who.path).query).values():
            assert told[0] not in reply.text or told[0] == place.there.url
    place.person("unlucky")


async def test_come_back_twice(place: Place) -> None:
    """An address that brought somebody back brings nobody a second time, nor in another browser."""
    await place.join("once")
    who, other = place.somebody(), place.somebody()
    await who.look("/account/sign-in/")
    back = await place.leave(who)
    for stranger in (other, await visitor(place.index, "stranger")):
        reply = await stranger.look(back)
        assert reply.status == 409
        assert "begun in another browser" in reply.text
    assert (await who.look(back, follow=False)).status == 303
    assert (await who.look(back)).status == 409


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?state=",
        "?code=x",
        "?state=x&code=x",
        f"?state={'x' * 43}&code=x",
        "?state=%c3%bf&code=%e2%82",
        "?state=a&state=b",
    ],
)
async def test_come_from_nowhere(place: Place, query: str) -> None:
    """Who was not sent there does not come back."""
    assert (await place.somebody().look(f"{CALLBACK}{query}")).status == 409


async def test_forms(place: Place) -> None:
    """Nobody is sent there by a page of strangers, and no link begins it."""
    who = place.somebody()
    await who.look("/account/sign-in/")
    token = who.forms()[BEGIN]["csrf_token"]
    headers = {"Origin": "https://evil.example"}
    assert (await who.post(BEGIN, {"csrf_token": token}, headers=headers)).status == 403
    assert (await who.post(BEGIN, {"csrf_token": "0" * 128})).status == 403
    assert (await who.post(NAME, {"name": "x"})).status == 403
    assert (await place.somebody().post(BEGIN, {})).status == 403
    assert (await who.look(BEGIN, follow=False)).status == 303
    assert (await who.look(NAME)).status == 409


async def test_without(index: Index) -> None:
    """Where there is no provider, nothing speaks of one, and its addresses lead nowhere."""
    who = await visitor(index, "grace")
    token = who.forms()["/account/sign-out/"]["csrf_token"]
    for path in (BEGIN, CALLBACK, NAME):
        reply = await who.look(path)
        assert reply.status == 404
    for path in (LINK, UNLINK):
        assert (await who.post(path, {"csrf_token": token})).status == 404
    reply = await Visitor(index.port).look("/account/sign-in/")
    assert "openid" not in reply.text
