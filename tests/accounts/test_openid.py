"""Signing in with a provider: accounts that are linked, accounts that are made, and who is sent away."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_twisted
from attrs import define, evolve, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred, DeferredList

from caching.client import Client
from pypi.accounts.browsers import Browser, Browsers
from pypi.accounts.confirming import Confirming
from pypi.accounts.entrance import Entrance
from pypi.accounts.errors import NameTaken, SessionOver, UnusableName
from pypi.accounts.openid import LASTS, Back, Linked, OpenId, SignedIn, Unnamed
from pypi.accounts.openid_errors import (
    AccountClosed,
    AddressKnown,
    IdentityTaken,
    LastWayIn,
    NobodyHere,
    NoSuchIdentity,
    ProviderDown,
    ProviderRefused,
    ProviderUntrue,
    StaleSignIn,
    TooManyIdentities,
    WrongDomain,
)
from pypi.accounts.openid_links import MOST, Links
from pypi.accounts.openid_newcomers import Newcomers
from pypi.accounts.openid_provider import Provider
from pypi.accounts.second_factor import SecondFactors
from pypi.accounts.sessions import Sessions, Started
from pypi.accounts.throttle import Throttle, Throttled
from pypi.db.queries.sessions import SessionRow
from tests.accounts.conftest import Clock, Kept
from tests.accounts.mailed import send
from tests.support.databases import ask
from tests.support.openid_provider import ADA, CLIENT, SECRET, OpenIdProvider, openid_provider, rsa_key

HERE = "192.0.2.1"
RSA = rsa_key()
CHEST = hashlib.sha256(b"a browser").digest()
"""What is kept of the secret in a browser's cookie."""


@define(eq=False)
class Desk:
    """A provider, and an index that people sign in to by it."""

    kept: Kept
    there: OpenIdProvider
    here: OpenId
    sessions: Sessions
    ids: dict[str, int] = field(factory=dict)

    @property
    def clock(self) -> Clock:
        """The time of both."""
        return self.kept.clock

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        """What the database says."""
        return ask(self.kept.url, text)

    async def add(self, name: str, *, password: str | None = "correct horse") -> int:
        """An account."""
        await self.kept.accounts.add_user(name, email=f"{name}@people.example", password=password)
        [(user_id,)] = self.sql(f"SELECT id FROM users WHERE name = '{name}'")
        self.ids[name] = int(user_id)
        return self.ids[name]

    def link(self, name: str, subject: str = ADA["sub"], issuer: str | None = None) -> None:
        """An account that is linked."""
        self.sql(
            "INSERT INTO external_identities (issuer, subject, user_id, called, linked) VALUES "
            f"('{issuer or self.there.url}', '{subject}', {self.ids[name]}, 'x', now()) RETURNING 1"
        )

    async def session(self, name: str) -> Started:
        """Somebody who is signed in."""
        return await self.sessions.begin(
            self.ids[name], asked=self.clock.time, by="password", address=HERE, agent="x"
        )

    async def sent(self, browser: bytes = CHEST, *, next: str = "", **more: Any) -> Back:
        """Somebody is sent to the provider, and is on the way back."""
        url = await self.here.ask(browser, next=next, address=HERE, **more)
        query = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
        back = {
            name: value for name, [value] in parse_qs(urlsplit(self.there.authorize(query)).query).items()
        }
        return Back(
            state=back["state"],
            code=back.get("code", ""),
            error=back.get("error", ""),
            issuer=back.get("iss"),
        )

    async def arrive(self, back: Back, browser: bytes = CHEST, session: SessionRow | None = None) -> Any:
        """Somebody is back."""
        return await self.here.arrive(back, browser, _browser(session))

    async def go(self, **more: Any) -> Any:
        """There, and back again."""
        return await self.arrive(await self.sent(**more))

    async def join(self, unnamed: Unnamed, name: str) -> SignedIn:
        """A name is chosen."""
        return await self.here.join(_chest(unnamed), name, _browser())

    def admits(self, **changes: Any) -> None:
        """Let others have accounts."""
        self.here = evolve(self.here, newcomers=evolve(self.here.newcomers, **changes))

    def letters(self) -> list[tuple[str, str]]:
        """To whom what is on its way."""
        rows = self.sql(
            "SELECT payload->>'to', payload->>'letter' FROM outbox WHERE kind = 'mail' ORDER BY id"
        )
        return [(to, name) for to, name in rows]

    def log(self) -> list[tuple[str, str, Any]]:
        """The security log."""
        return [
            (one, two, three)
            for one, two, three in self.sql("SELECT event, actor, about FROM audit ORDER BY id")
        ]


def _browser(session: SessionRow | None = None) -> Browser:
    return Browser(address=HERE, agent="Browser/1.0", session=session)


def _chest(unnamed: Unnamed) -> bytes:
    return hashlib.sha256(unnamed.secret.encode()).digest()


@pytest_twisted.async_yield_fixture
async def desk(kept: Kept) -> AsyncIterator[Desk]:
    """A provider whose clock is ours, and an index that makes accounts."""
    database, now = kept.accounts.database, kept.clock.now
    kept.clock.time = datetime(2026, 5, 1, tzinfo=UTC)
    with openid_provider(RSA, now=lambda: kept.clock.time.timestamp()) as there:
        provider = Provider(
            issuer=there.url,
            client_id=CLIENT,
            client_secret=SECRET,
            name="Staff",
            scopes=("openid",),
            redirect_uri="https://index.example/account/openid/callback",
            client=Client(reactor),
            now=now,
        )
        throttle = Throttle(database=database, now=now)
        standing: dict[str, Any] = {"database": database, "now": now, "random_bytes": secrets.token_bytes}
        sessions = Sessions(redis=None, **standing)
        confirming = Confirming(
            sessions=sessions,
            browsers=Browsers(send=send, **standing),
            throttle=throttle,
            send=send,
            **standing,
        )
        entrance = Entrance(
            database=database,
            accounts=kept.accounts,
            sessions=sessions,
            second_factors=SecondFactors(database=database, now=now),
            confirming=confirming,
            throttle=throttle,
            now=now,
            reactor=reactor,
        )
        here = OpenId(
            provider=provider,
            links=Links(database=database, issuer=there.url, provider="Staff", now=now),
            newcomers=Newcomers(
                database=database,
                throttle=throttle,
                provider="Staff",
                now=now,
                random_bytes=secrets.token_bytes,
                is_open=True,
            ),
            database=database,
            entrance=entrance,
            throttle=throttle,
            now=now,
            random_bytes=secrets.token_bytes,
        )
        yield Desk(kept, there, here, sessions)


# Accounts that are linked


async def test_linked(desk: Desk) -> None:
    """Who is linked is signed in by that, and goes on to where they wanted; the log says by what."""
    await desk.add("grace")
    desk.link("grace")
    found = await desk.go(next="/project/x/")
    assert isinstance(found, SignedIn)
    assert (found.started.session.name, found.started.session.is_partial, found.next) == (
        "grace",
        False,
        "/project/x/",
    )
    assert await desk.sessions.read(found.started.secret) is not None
    assert desk.log() == [("account.signed-in", "grace", {"by": "openid"})]
    assert desk.sql("SELECT last_used = '2026-05-01Z' FROM external_identities") == [(True,)]


async def test_not_by_address(desk: Desk) -> None:
    """An account with the same address is not theirs for that: it is to be linked by who has its password."""
    await desk.add("ada")
    with pytest.raises(AddressKnown, match="sign in to it another way"):
        await desk.go()
    assert desk.sql("SELECT count(*) FROM external_identities") == [(0,)]
    assert desk.sql("SELECT count(*) FROM sessions") == [(0,)]


async def test_not_by_subject_alone(desk: Desk) -> None:
    """The subject of another issuer is somebody else."""
    await desk.add("grace")
    desk.link("grace", issuer="https://another.example")
    assert isinstance(await desk.go(), Unnamed)


async def test_session_before(desk: Desk) -> None:
    """The session that a browser had ends when another begins, whatever its secret was known to."""
    await desk.add("grace")
    desk.link("grace")
    before = await desk.session("grace")
    found = await desk.arrive(await desk.sent(), session=before.session)
    assert await desk.sessions.read(before.secret) is None
    assert found.started.secret != before.secret


async def test_closed(desk: Desk) -> None:
    """An account that is closed is closed to this as well."""
    await desk.add("grace")
    desk.link("grace")
    desk.sql("UPDATE users SET is_active = false RETURNING 1")
    with pytest.raises(AccountClosed):
        await desk.go()
    assert desk.log()[-1][2] == {"reason": "the account is closed"}


@pytest.mark.parametrize("amr", [None, ["mfa"]])
@pytest.mark.parametrize("trusts", [False, True])
async def test_second_factor(desk: Desk, amr: Any, trusts: bool) -> None:
    """The account's own second factor is owed, unless one was shown there and the operator trusts in that."""
    await desk.add("grace")
    desk.link("grace")
    desk.sql(
        "INSERT INTO totp (user_id, secret, confirmed) "
        "SELECT id, '12345678901234567890', now() FROM users RETURNING 1"
    )
    desk.here = evolve(desk.here, trusts_mfa=trusts)
    desk.there.claims["amr"] = amr
    session = (await desk.go()).started.session
    assert session.is_partial is not (trusts and amr is not None)
    assert (session.second_factor is None) is session.is_partial


async def test_of_an_account_that_is_gone(desk: Desk) -> None:
    """Who makes an account of the same name later has nothing of the sign-in that was linked to that."""
    await desk.add("grace")
    desk.link("grace")
    desk.sql("DELETE FROM users RETURNING 1")
    await desk.add("grace")
    assert isinstance(await desk.go(), Unnamed)


# Accounts that are made


async def test_newcomer(desk: Desk) -> None:
    """Somebody unknown chooses a name, has their address taken over, and is signed in from then on."""
    unnamed = await desk.go(next="/manage/")
    assert desk.sql("SELECT count(*) FROM users") == [(0,)]
    newcomer = await desk.here.newcomers.look(_chest(unnamed))
    assert (newcomer.called, newcomer.email, newcomer.name) == ("ada", "ada@people.example", "ada")
    found = await desk.join(unnamed, "Ada-1")
    assert (found.started.session.name, found.next) == ("Ada-1", "/manage/")
    assert desk.sql("SELECT address, is_primary, verified IS NOT NULL FROM emails") == [
        ("ada@people.example", True, True)
    ]
    assert desk.sql("SELECT password_hash FROM users") == [(None,)]
    assert desk.log() == [
        ("account.registered", "Ada-1", {}),
        ("account.openid-linked", "Ada-1", {"issuer": desk.there.url, "called": "ada"}),
        ("account.signed-in", "Ada-1", {"by": "openid"}),
    ]
    assert (await desk.go()).started.session.name == "Ada-1"


async def test_joined_once(desk: Desk) -> None:
    """A name is chosen once."""
    unnamed = await desk.go()
    await desk.join(unnamed, "ada")
    with pytest.raises(StaleSignIn):
        await desk.join(unnamed, "ada2")
    assert desk.sql("SELECT count(*) FROM users") == [(1,)]


async def test_two_browsers(desk: Desk) -> None:
    """Who comes by two browsers makes one account."""
    one, two = await desk.go(), await desk.go()
    await desk.join(one, "ada")
    with pytest.raises(AddressKnown):
        await desk.join(two, "ada2")
    desk.there.claims["email_verified"] = False
    desk.sql("DELETE FROM external_identities RETURNING 1")
    one, two = await desk.go(), await desk.go()
    await desk.join(one, "ada2")
    with pytest.raises(IdentityTaken):
        await desk.join(two, "ada3")
    assert desk.sql("SELECT name FROM users ORDER BY name") == [("ada",), ("ada2",)]


async def test_another_name(desk: Desk) -> None:
    """A name that is taken or none is chosen anew, and nothing is lost by it."""
    await desk.add("grace")
    unnamed = await desk.go()
    for name, why in (("Grace", NameTaken), ("__token__", UnusableName), ("", UnusableName)):
        with pytest.raises(why):
            await desk.join(unnamed, name)
    assert (await desk.join(unnamed, "ada")).started.session.name == "ada"


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("ada", "ada3"),
        ("Ada Lovelace", "Ada-Lovelace"),
        ("ada.l@people.example", "ada.l"),
        ("é", ""),
        ("..", ""),
        ("x" * 300, "x" * 46),
        (7, "name"),
    ],
)
async def test_names_to_suggest(desk: Desk, wish: Any, name: str) -> None:
    """A name is suggested that is like the one there, and free."""
    for taken in ("Ada", "ada2"):
        await desk.add(taken, password=None)
    desk.there.claims |= {"preferred_username": wish, "email": "name@other.example", "name": None}
    unnamed = await desk.go()
    assert (await desk.here.newcomers.look(_chest(unnamed))).name == name


async def test_unverified(desk: Desk) -> None:
    """An address that the provider has not verified is not taken over."""
    desk.there.claims["email_verified"] = False
    await desk.join(await desk.go(), "ada")
    assert desk.sql("SELECT count(*) FROM emails") == [(0,)]


async def test_nobody_here(desk: Desk) -> None:
    """Where accounts are made by the operator, somebody unknown gets none, nor is asked for more."""
    desk.admits(is_open=False)
    desk.there.thin = True
    with pytest.raises(NobodyHere, match="ask the operator"):
        await desk.go()
    assert "/userinfo" not in desk.there.asked
    assert desk.log() == [
        ("account.sign-in-failed", "", {"reason": "the provider knows somebody whom nobody here does"})
    ]


@pytest.mark.parametrize(
    ("email", "verified", "gets_one"),
    [
        ("ada@People.example", True, True),
        ("ada@people.example", False, False),
        ("ada@sub.people.example", True, False),
        ("ada@people.example.evil.example", True, False),
        ("people.example@evil.example", True, False),
        (None, True, False),
    ],
)
async def test_domains(desk: Desk, email: Any, verified: bool, gets_one: bool) -> None:
    """Where domains are named, an account needs a verified address at one of them."""
    desk.admits(domains=frozenset({"people.example"}))
    desk.there.claims |= {"email": email, "email_verified": verified}
    desk.there.discovery["userinfo_endpoint"] = None
    if gets_one:
        assert isinstance(await desk.go(), Unnamed)
    else:
        with pytest.raises(WrongDomain):
            await desk.go()


async def test_domains_of_old(desk: Desk) -> None:
    """Whose account is there already keeps it whatever their address is."""
    await desk.add("grace")
    desk.link("grace")
    desk.admits(domains=frozenset({"elsewhere.example"}), is_open=False)
    assert isinstance(await desk.go(), SignedIn)


async def test_too_late_for_a_name(desk: Desk) -> None:
    """Who takes too long begins again; so does who never began."""
    unnamed = await desk.go()
    desk.clock.advance(LASTS)
    for call in (
        desk.here.newcomers.look(_chest(unnamed)),
        desk.join(unnamed, "ada"),
        desk.here.newcomers.look(CHEST),
    ):
        with pytest.raises(StaleSignIn):
            await call


async def test_another_secret(desk: Desk) -> None:
    """Who put a secret into somebody's browser before has nothing of who arrives in it."""
    unnamed = await desk.go()
    with pytest.raises(StaleSignIn):
        await desk.here.join(CHEST, "ada", _browser())
    assert _chest(unnamed) != CHEST


async def test_many_newcomers(desk: Desk) -> None:
    """Of those who make accounts from one address, there are not too many."""
    for number in range(10):
        desk.there.person = {"sub": str(number)}
        await desk.join(await desk.go(), f"user{number}")
    desk.there.person = {"sub": "x"}
    unnamed = await desk.go()
    with pytest.raises(Throttled):
        await desk.join(unnamed, "userx")


# Accounts that are being linked


async def test_link(desk: Desk) -> None:
    """Who is signed in links their account, and signs in by that from then on; twice does nothing more."""
    await desk.add("grace")
    session = (await desk.session("grace")).session
    for _ in range(2):
        back = await desk.sent(session.digest, user_id=session.user_id, next="/account/factors/")
        found = await desk.arrive(back, session.digest, session)
        assert found == Linked(next="/account/factors/")
    [line] = await desk.here.links.of_user(session.user_id)
    assert (line.issuer, line.called, line.last_used) == (desk.there.url, "ada", None)
    assert [event for event, _, _ in desk.log()] == ["account.signed-in", "account.openid-linked"]
    assert (await desk.go()).started.session.name == "grace"
    assert desk.letters() == [("grace@people.example", "sign-in-linked")]
    # Its address is the provider's business.
    assert desk.sql("SELECT address FROM emails") == [("grace@people.example",)]


async def test_linked_to_another(desk: Desk) -> None:
    """What one account is linked to no other is."""
    await desk.add("grace")
    await desk.add("linus")
    desk.link("linus")
    session = (await desk.session("grace")).session
    back = await desk.sent(session.digest, user_id=session.user_id)
    with pytest.raises(IdentityTaken):
        await desk.arrive(back, session.digest, session)
    assert await desk.here.links.of_user(session.user_id) == []


@pytest.mark.parametrize("how", ["nobody", "another", "partial", "ended"])
async def test_link_by_others(desk: Desk, how: str) -> None:
    """Only who asked for a link, and is signed in yet, gets it."""
    await desk.add("grace")
    await desk.add("linus")
    mine, other = (await desk.session("grace")).session, (await desk.session("linus")).session
    back = await desk.sent(mine.digest, user_id=mine.user_id)
    if how == "ended":
        desk.sql("UPDATE users SET is_active = false RETURNING 1")
    session = {
        "nobody": None,
        "another": other,
        "partial": evolve(mine, is_partial=True),
        "ended": mine,
    }[how]
    with pytest.raises((StaleSignIn, SessionOver)):
        await desk.arrive(back, mine.digest, session)
    assert desk.sql("SELECT count(*) FROM external_identities") == [(0,)]


async def test_links_are_few(desk: Desk) -> None:
    """An account has so many links, and no more."""
    await desk.add("grace")
    for number in range(MOST):
        desk.link("grace", subject=str(number))
    session = (await desk.session("grace")).session
    back = await desk.sent(session.digest, user_id=session.user_id)
    with pytest.raises(TooManyIdentities):
        await desk.arrive(back, session.digest, session)


async def test_unlink(desk: Desk) -> None:
    """A link is ended by its owner, and by nobody else."""
    await desk.add("grace")
    await desk.add("linus")
    desk.link("grace")
    mine, other = (await desk.session("grace")).session, (await desk.session("linus")).session
    [line] = await desk.here.links.of_user(mine.user_id)
    for session, identity in ((other, line.id), (mine, line.id + 1)):
        with pytest.raises(NoSuchIdentity):
            await desk.here.links.remove(session, identity, address=HERE)
    with pytest.raises(SessionOver):
        await desk.here.links.remove(evolve(mine, is_partial=True), line.id, address=HERE)
    await desk.here.links.remove(mine, line.id, address=HERE)
    assert desk.log()[-1] == ("account.openid-unlinked", "grace", {"issuer": desk.there.url, "called": "x"})
    assert desk.letters() == [("grace@people.example", "sign-in-unlinked")]
    assert isinstance(await desk.go(), Unnamed)


async def test_the_last_way_in(desk: Desk) -> None:
    """The only way to sign in stays: a password, a passkey or another link is needed first."""
    await desk.add("grace", password=None)
    desk.link("grace")
    desk.link("grace", issuer="https://of-the-past.example")
    mine = (await desk.session("grace")).session
    first, past = await desk.here.links.of_user(mine.user_id)
    with pytest.raises(LastWayIn, match="Choose a password"):
        await desk.here.links.remove(mine, first.id, address=HERE)
    await desk.here.links.remove(mine, past.id, address=HERE)
    assert len(await desk.here.links.of_user(mine.user_id)) == 1
    desk.link("grace", subject="another")
    await desk.here.links.remove(mine, first.id, address=HERE)


# Who is sent away


async def test_come_back_once(desk: Desk) -> None:
    """Who came back does not a second time, not even at the same moment."""
    await desk.add("grace")
    desk.link("grace")
    back = await desk.sent()
    both = [Deferred.fromCoroutine(desk.arrive(back)) for _ in range(50)]
    found = await DeferredList(both, consumeErrors=True)
    assert sorted(is_well for is_well, _ in found) == [False] * 49 + [True]
    with pytest.raises(StaleSignIn):
        await desk.arrive(back)
    assert desk.sql("SELECT count(*) FROM sessions") == [(1,)]


async def test_another_browser(desk: Desk) -> None:
    """Who was sent from another browser does not come back in this one, and takes nothing from that."""
    await desk.add("grace")
    desk.link("grace")
    back = await desk.sent()
    with pytest.raises(StaleSignIn):
        await desk.arrive(back, hashlib.sha256(b"another").digest())
    assert isinstance(await desk.arrive(back), SignedIn)


@pytest.mark.parametrize("state", ["", "x", "x" * 43, "é" * 43, "x" * 100_000])
async def test_never_sent(desk: Desk, state: str) -> None:
    """Who was never sent does not come back."""
    with pytest.raises(StaleSignIn):
        await desk.arrive(Back(state=state, code="x"))


async def test_too_late(desk: Desk) -> None:
    """Who comes back too late begins again."""
    back = await desk.sent()
    desk.clock.advance(LASTS)
    with pytest.raises(StaleSignIn):
        await desk.arrive(back)


async def test_refused(desk: Desk) -> None:
    """Whom the provider does not sign in is told so, and is not signed in by whatever else they bring."""
    desk.there.refuses = "access_denied"
    with pytest.raises(ProviderRefused):
        await desk.go()
    desk.there.refuses = ""
    back = await desk.sent()
    with pytest.raises(ProviderRefused):
        await desk.arrive(evolve(back, error="access_denied"))
    for code in ("", "x" * 5000):
        with pytest.raises(ProviderRefused):
            await desk.arrive(evolve(await desk.sent(), code=code))


async def test_mix_up(desk: Desk) -> None:
    """Who is sent back by another issuer is not believed, and the code is not shown to anybody."""
    for issuer in ("https://another.example", None):
        with pytest.raises(ProviderUntrue):
            await desk.arrive(evolve(await desk.sent(), issuer=issuer))
    assert "/token" not in desk.there.asked


async def test_codes_of_others(desk: Desk) -> None:
    """A code that was handed out for another sign-in is not redeemed in this one."""
    theirs, mine = await desk.sent(), await desk.sent()
    with pytest.raises(ProviderRefused):
        await desk.arrive(evolve(mine, code=theirs.code))


async def test_lie(desk: Desk) -> None:
    """A lie of the provider is one sentence, and a line of the security log."""
    desk.there.claims["nonce"] = "x"
    with pytest.raises(ProviderUntrue):
        await desk.go()
    assert desk.log() == [
        ("account.sign-in-failed", "", {"reason": "what the provider says could not be verified"})
    ]


async def test_provider_down(desk: Desk) -> None:
    """While the provider does not answer, nobody is sent there, and nothing is left behind."""
    desk.there.answers["/.well-known/openid-configuration"] = "500"
    with pytest.raises(ProviderDown):
        await desk.sent()
    assert desk.sql("SELECT count(*) FROM openid_asked") == [(0,)]


async def test_too_often(desk: Desk) -> None:
    """Nobody is sent to the provider all the time."""
    for _ in range(30):
        await desk.sent()
    with pytest.raises(Throttled):
        await desk.sent()


async def test_nothing_to_steal(desk: Desk) -> None:
    """Of what comes back in addresses and cookies only digests are kept."""
    back = await desk.sent()
    unnamed = await desk.arrive(await desk.sent())
    rows = str(desk.sql("SELECT openid_asked::text FROM openid_asked")) + str(
        desk.sql("SELECT openid_newcomers::text FROM openid_newcomers")
    )
    for told in (back.state, back.code, unnamed.secret):
        assert told not in rows


async def test_tidy(desk: Desk) -> None:
    """What was begun and came to nothing is forgotten in time."""
    await desk.sent()
    await desk.go()
    assert await desk.here.tidy() == 0
    desk.clock.advance(LASTS + timedelta(seconds=1))
    assert await desk.here.tidy() == 2
