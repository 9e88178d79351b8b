"""What a provider says, and all the ways in which it is not believed."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from caching.client import Client, NoReply
from pypi.accounts import openid_tokens
from pypi.accounts.openid_errors import ProviderDown, ProviderRefused, ProviderUntrue, Untrue
from pypi.accounts.openid_provider import Provider, shown_name
from pypi.accounts.openid_tokens import Person
from tests.support.openid_provider import (
    ADA,
    CLIENT,
    SECRET,
    Key,
    OpenIdProvider,
    ec_key,
    openid_provider,
    rsa_key,
)

BACK = "https://index.example/account/openid/callback"

RSA = rsa_key()
"""Made once: it takes a tenth of a second."""


@define(eq=False)
class Desk:
    """A provider, and this index as it is known there.

    Attributes:
        there: the provider.
        here: what asks it.
        hours: what the clock of this index is off.
    """

    there: OpenIdProvider
    timeout: float = 5.0
    hours: float = 0.0
    here: Provider = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.here = Provider(
            issuer=self.there.url,
            client_id=CLIENT,
            client_secret=SECRET,
            name="Staff",
            scopes=("openid", "email"),
            redirect_uri=BACK,
            client=Client(reactor, timeout=self.timeout),
            now=lambda: datetime.now(UTC) + timedelta(hours=self.hours),
        )

    async def go(self, **more: Any) -> Person:
        """Somebody is sent there, and comes back."""
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        url = await self.here.address(state="s" * 43, nonce=nonce, verifier=verifier)
        query = {name: value for name, [value] in parse_qs(urlsplit(url).query).items()}
        back = parse_qs(urlsplit(self.there.authorize(query)).query)
        await self.here.check_sender(*back.get("iss", [None]))
        given = {"code": back["code"][0], "verifier": verifier, "nonce": nonce, "is_new": new}
        return await self.here.redeem(**{**given, "asked": self.here.now(), **more})

    def count(self, path: str) -> int:
        """How often the provider was asked for a path."""
        return self.there.asked.count(path)


async def new(_: Person) -> bool:
    """Nobody knows them."""
    return True


async def known(_: Person) -> bool:
    """They are known."""
    return False


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A provider that signs with RS256."""
    with openid_provider(RSA) as there:
        yield Desk(there)


# The truth


async def test_who_it_is(desk: Desk) -> None:
    """Somebody is who the provider says, by issuer and subject; the rest is what it tells of them."""
    assert await desk.go() == Person(
        issuer=desk.there.url,
        subject=ADA["sub"],
        called="ada",
        email="ada@people.example",
        wish="ada",
        has_mfa=False,
    )


async def test_address(desk: Desk) -> None:
    """Who is sent there brings along what the standards ask for, and no secret of this index."""
    desk.there.discovery["authorization_endpoint"] = f"{desk.there.url}/authorize?tenant=1"
    url = await desk.here.address(state="state", nonce="nonce", verifier="verifier")
    assert url.startswith(f"{desk.there.url}/authorize?tenant=1&response_type=code&")
    query = parse_qs(urlsplit(url).query)
    assert (query["redirect_uri"], query["scope"]) == ([BACK], ["openid email"])
    assert query["code_challenge_method"] == ["S256"]
    # RFC 7636, section 4.2, by hand.
    assert query["code_challenge"] == ["iMnq5o6zALKXGivsnlom_0F5_WYda32GHkxlV7mq7hQ"]
    assert "verifier" not in query
    assert "s3cret" not in url


@pytest.mark.parametrize("key", [RSA, ec_key()], ids=["RS256", "ES256"])
@pytest.mark.parametrize("how", ["client_secret_basic", "client_secret_post"])
async def test_keys_and_secrets(key: Key, how: str) -> None:
    """Both common kinds of keys are known, and both ways to say who this index is."""
    with openid_provider(key, path="/realm/") as there:
        there.discovery["token_endpoint_auth_methods_supported"] = [how]
        assert (await Desk(there).go()).issuer == f"{there.base}/"


async def test_asked_once(desk: Desk) -> None:
    """What a provider publishes is fetched once, for all who come at the same time and after."""
    await gatherResults([Deferred.fromCoroutine(desk.go()) for _ in range(5)])
    await desk.go()
    assert (desk.count("/.well-known/openid-configuration"), desk.count("/keys")) == (1, 1)


async def test_new_keys(desk: Desk) -> None:
    """A key that is not known yet is looked for, and those that are gone count no longer."""
    await desk.go()
    there, desk.here._keys.reactor = desk.there, Ahead(61)
    there.keys = [rsa_key("new")]
    await desk.go()
    assert desk.count("/keys") == 2
    there.keys = [RSA]
    desk.here._keys.reactor = Ahead(122)
    await desk.go()
    assert desk.count("/keys") == 3


async def test_keys_are_looked_for_rarely(desk: Desk) -> None:
    """Tokens by keys that nobody knows have the keys fetched no more than once a minute."""
    await desk.go()
    desk.there.header["kid"] = "unknown"
    for _ in range(3):
        with pytest.raises(ProviderUntrue):
            await desk.go()
    assert desk.count("/keys") == 1


async def test_without_a_name(desk: Desk) -> None:
    """A token that does not name its key is by the only one that fits; of two, nobody knows."""
    desk.there.header["kid"] = None
    desk.there.keys.append(ec_key())
    await desk.go()
    desk.there.keys.append(rsa_key("another"))
    with pytest.raises(ProviderUntrue):
        await Desk(desk.there).go()


async def test_told_elsewhere(desk: Desk) -> None:
    """Where the token says little, who is new is asked for elsewhere; who is known is not."""
    desk.there.thin = True
    person = await desk.go()
    assert (person.email, person.wish) == ("ada@people.example", "ada")
    assert (await desk.go(is_new=known)).email is None
    assert desk.count("/userinfo") == 1


@pytest.mark.parametrize(
    ("claims", "email"),
    [
        ({"email_verified": False}, None),
        ({"email_verified": None}, None),
        ({"email_verified": "true"}, "ada@people.example"),
        ({"email_verified": 1}, "ada@people.example"),
        ({"email_verified": "false"}, None),
        ({"email": "ada"}, None),
        ({"email": ["ada@people.example"]}, None),
        ({"email": "a\0@people.example"}, None),
    ],
)
async def test_addresses(desk: Desk, claims: dict[str, Any], email: str | None) -> None:
    """An address counts only if the provider has verified it, and it is one."""
    desk.there.claims |= claims
    desk.there.discovery["userinfo_endpoint"] = None
    assert (await desk.go()).email == email


def test_addresses_of_two_places() -> None:
    """What one place says of an address is not believed of the address that another one tells."""
    here = {"iss": "i", "sub": "s", "email": "a@people.example"}
    there = {"email": "b@people.example", "email_verified": True}
    assert openid_tokens.person(here, there).email == "b@people.example"


@pytest.mark.parametrize(
    ("amr", "has_mfa"),
    [(["pwd", "mfa"], True), (["pwd"], False), ("mfa", False), (None, False), ({"mfa": 1}, False)],
)
async def test_second_factors(desk: Desk, amr: Any, has_mfa: bool) -> None:
    """A second factor was shown where the provider says so in the way of the standard."""
    desk.there.claims["amr"] = amr
    assert (await desk.go()).has_mfa is has_mfa


@pytest.mark.parametrize("aud", [CLIENT, [CLIENT], [CLIENT, "another"]])
async def test_audiences(desk: Desk, aud: Any) -> None:
    """A token may be for several, if it was made for this index."""
    desk.there.claims |= {"aud": aud, "azp": CLIENT}
    await desk.go()


def test_names() -> None:
    """A provider that has no name is called by its host."""
    assert shown_name("", "https://id.example:8443/realm") == "id.example:8443"
    assert shown_name("Staff", "https://id.example") == "Staff"


# Lies


LIES: dict[str, Callable[[OpenIdProvider], Any]] = {
    "nonce": lambda there: there.claims.update(nonce="x" * 43),
    "no nonce": lambda there: there.claims.update(nonce=None),
    "nonce of another kind": lambda there: there.claims.update(nonce=[1]),
    "audience": lambda there: there.claims.update(aud="another"),
    "no audience": lambda there: there.claims.update(aud=None),
    "audiences": lambda there: there.claims.update(aud=["a", "b"]),
    "no audiences": lambda there: there.claims.update(aud=[]),
    "several audiences": lambda there: there.claims.update(aud=[CLIENT, "another"]),
    "party": lambda there: there.claims.update(azp="another"),
    "party of several": lambda there: there.claims.update(aud=[CLIENT, "another"], azp="another"),
    "issuer": lambda there: there.claims.update(iss="https://another.example"),
    "issuer with a slash": lambda there: there.claims.update(iss=f"{there.url}/"),
    "no issuer": lambda there: there.claims.update(iss=None),
    "expired": lambda there: there.claims.update(exp=there.now() - 121),
    "no end": lambda there: there.claims.update(exp=None),
    "an end in words": lambda there: there.claims.update(exp="tomorrow"),
    "an end that is true": lambda there: there.claims.update(exp=True),
    "from before": lambda there: there.claims.update(iat=there.now() - 1000),
    "from tomorrow": lambda there: there.claims.update(iat=there.now() + 1000),
    "no beginning": lambda there: there.claims.update(iat=None),
    "not yet": lambda there: there.claims.update(nbf=there.now() + 1000),
    "nobody": lambda there: there.claims.update(sub=None),
    "nobody at all": lambda there: there.claims.update(sub=""),
    "a number": lambda there: there.claims.update(sub=7),
    "a long name": lambda there: there.claims.update(sub="x" * 256),
    "a name with a NUL": lambda there: there.claims.update(sub="a\0b"),
    "none": lambda there: setattr(there, "signing", "none"),
    "none in capitals": lambda there: (setattr(there, "signing", "none"), there.header.update(alg="NONE")),
    "HMAC with the public key": lambda there: setattr(there, "signing", "hs256"),
    "HMAC said to be RSA": lambda there: (
        setattr(there, "signing", "hs256"),
        there.header.update(alg="RS256"),
    ),
    "forged": lambda there: setattr(there, "signing", "forged"),
    "another algorithm": lambda there: there.header.update(alg="RS512"),
    "another kind of key": lambda there: there.header.update(alg="ES256"),
    "no algorithm": lambda there: there.header.update(alg=None),
    "a list of algorithms": lambda there: there.header.update(alg=["RS256"]),
    "unknown key": lambda there: there.header.update(kid="unknown"),
    "a key of its own": lambda there: (
        there.header.update(jwk=there.keys[0].public, kid="own"),
        setattr(there, "signing", "forged"),
    ),
    "something critical": lambda there: there.header.update(crit=["b64"], b64=False),
    "a large token": lambda there: there.claims.update(x="x" * 100_000),
    "keys in depth": lambda there: there.answers.update({"/keys": "list"}),
    "keys as a page": lambda there: there.answers.update({"/keys": "html"}),
    "keys elsewhere": lambda there: there.answers.update({"/keys": "redirect"}),
    "tokens as a page": lambda there: there.answers.update({"/token": "html"}),
    "tokens elsewhere": lambda there: there.answers.update({"/token": "redirect"}),
    "tokens in depth": lambda there: there.answers.update({"/token": "list"}),
    "nothing there": lambda there: there.answers.update({"/token": "404"}),
    "described by another": lambda there: there.discovery.update(issuer="https://another.example"),
    "described with a slash": lambda there: there.discovery.update(issuer=f"{there.url}/"),
    "described elsewhere": lambda there: there.answers.update(
        {"/.well-known/openid-configuration": "redirect"}
    ),
    "not described": lambda there: there.answers.update({"/.well-known/openid-configuration": "404"}),
    "no address": lambda there: there.discovery.update(authorization_endpoint=None),
    "plain address": lambda there: there.discovery.update(token_endpoint="http://id.example/token"),
    "script": lambda there: there.discovery.update(authorization_endpoint="javascript:alert(1)"),
    "a line end": lambda there: there.discovery.update(
        authorization_endpoint="https://id.example/\r\nX-Other: 1"
    ),
    "secrets unknown": lambda there: there.discovery.update(
        token_endpoint_auth_methods_supported=["private_key_jwt", 7]
    ),
    "somebody else": lambda there: (
        setattr(there, "thin", True),
        there.told.update(sub="another"),
    ),
}
"""What goes wrong, by a word for it."""


@pytest.mark.parametrize("lie", LIES)
async def test_lies(desk: Desk, lie: str) -> None:
    """What is not true is not believed, whatever of it: the reason is told to nobody but the log."""
    LIES[lie](desk.there)
    with pytest.raises(ProviderUntrue) as raised:
        await desk.go()
    assert str(raised.value).startswith("What Staff says could not be verified")
    assert "127.0.0.1" not in str(raised.value)


DOWN = [
    ("/.well-known/openid-configuration", "500"),
    ("/token", "500"),
    ("/token", "429"),
    ("/token", "huge"),
    ("/token", "cut"),
    ("/keys", "500"),
    ("/keys", "huge"),
]


@pytest.mark.parametrize(("path", "how"), DOWN)
async def test_down(desk: Desk, path: str, how: str) -> None:
    """A provider that has a bad day is one that does not answer; nothing of it is kept."""
    desk.there.answers[path] = how
    with pytest.raises(ProviderDown, match="Staff does not answer"):
        await desk.go()
    desk.there.answers.clear()
    await desk.go()


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
async def test_hanging(path: str) -> None:
    """Nobody waits long for a provider that hangs."""
    with openid_provider(RSA) as there:
        there.answers[path] = "hang"
        with pytest.raises(ProviderDown):
            await Desk(there, timeout=0.3).go()


async def test_gone() -> None:
    """A provider that is not there does not answer."""
    with openid_provider(RSA) as there:
        desk = Desk(there)
    with pytest.raises(ProviderDown):
        await desk.go()


async def test_probe(desk: Desk) -> None:
    """Whoever wants to know whether it is well asks it anew, and hears why it is not."""
    await desk.here.probe()
    await desk.here.probe()
    assert desk.count("/keys") == 2
    desk.there.answers["/keys"] = "500"
    with pytest.raises(NoReply, match="status 500"):
        await desk.here.probe()
    desk.there.discovery["issuer"] = "https://another.example"
    with pytest.raises(Untrue, match=r"openid\.issuer"):
        await desk.here.probe()


async def test_certificates(tmp_path: Path) -> None:
    """A provider for whom nobody vouches is not talked to."""
    with openid_provider(RSA, tls=tmp_path) as there:
        with pytest.raises(ProviderDown):
            await Desk(there).go()
        assert there.asked == []


@pytest.mark.parametrize("wrong", ["verifier", "secret", "code"])
async def test_not_redeemed(desk: Desk, wrong: str) -> None:
    """A code is nothing without the verifier and the secret that belong to it, and nothing twice."""
    if wrong == "secret":
        desk.there.secret = "another"
    given = {"verifier": {"verifier": "x" * 43}, "code": {"code": "x"}}.get(wrong, {})
    with pytest.raises(ProviderRefused, match="did not sign you in"):
        await desk.go(**given)


async def test_sent_by_another(desk: Desk) -> None:
    """Who comes back from another issuer, or from nobody where a name is due, is not let in."""
    for issuer in ("https://another.example", "", None):
        with pytest.raises(ProviderUntrue):
            await desk.here.check_sender(issuer)
    await desk.here.check_sender(desk.there.url)


async def test_nameless_sender(desk: Desk) -> None:
    """An issuer that never says its name need not."""
    desk.there.discovery["authorization_response_iss_parameter_supported"] = None
    await desk.go()
    with pytest.raises(ProviderUntrue):
        await desk.here.check_sender("https://another.example")


@pytest.mark.parametrize("hours", [-1, 1])
async def test_clocks(desk: Desk, hours: float) -> None:
    """Where the two clocks differ by an hour, nobody is signed in."""
    desk.hours = hours
    with pytest.raises(ProviderUntrue):
        await desk.go()


KEYS: list[Any] = [
    None,
    [],
    {},
    {"keys": None},
    {"keys": [1]},
    {"keys": [{}] * 101},
]


@pytest.mark.parametrize("document", KEYS)
def test_no_set_of_keys(document: Any) -> None:
    """What is no set of keys is none."""
    with pytest.raises(Untrue):
        openid_tokens.keys_in(document)


@pytest.mark.filterwarnings("ignore:Key size")
@pytest.mark.parametrize(
    "key",
    [
        {"n": "AQ"},
        {"n": 7},
        {"n": "é"},
        {"e": None},
        {"use": "enc"},
        {"alg": "RS512"},
        {"kty": "oct", "k": "AQ"},
        {"n": rsa_key(bits=1024).public["n"]},
        {"n": "_" * 2800},
    ],
)
async def test_keys_that_are_none(desk: Desk, key: dict[str, Any]) -> None:
    """A key that is broken, too small, too large or for something else signs nothing."""
    published = [{**RSA.public, **key}]
    token = desk.there.token({**ADA, "nonce": "n"})
    now = datetime.now(UTC)
    expected = openid_tokens.Expected(issuer=desk.there.url, audience=CLIENT, nonce="n", asked=now)
    assert openid_tokens.verified(token, [RSA.public], expected, now=now)["sub"] == ADA["sub"]
    with pytest.raises(Untrue):
        openid_tokens.verified(token, published, expected, now=now)


@pytest.mark.parametrize(
    "text", ["", ".", "..", "a.b.c", "e30.e30.", "é.e.e", "x" * 70_000, "W10.e30.", "-.-.-"]
)
def test_no_token(text: str) -> None:
    """Any other text is no token."""
    now = datetime.now(UTC)
    expected = openid_tokens.Expected(issuer="i", audience="a", nonce="n", asked=now)
    with pytest.raises(Untrue):
        openid_tokens.verified(text, [RSA.public], expected, now=now)


@define
class Ahead:
    """The reactor of tests, so many seconds later."""

    by: float

    def seconds(self) -> float:
        """The time."""
        return float(reactor.seconds()) + self.by  # type: ignore[attr-defined]

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)
