"""Passkeys: made and shown by an authenticator in software, and proven by the real library."""

from __future__ import annotations

import hashlib
import json
import secrets
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from attrs import define
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred, gatherResults

from pypi.accounts import ceremonies
from pypi.accounts.factor_errors import (
    CopiedPasskey,
    NoSuchPasskey,
    PasskeyKnown,
    PasskeysImpossible,
    StaleChallenge,
    TooManyPasskeys,
    UnusablePasskey,
    WrongPasskey,
)
from pypi.accounts.passkeys import LIFETIME, MOST, Passkeys
from pypi.accounts.relying import RelyingParty
from pypi.domain.errors import Refusal
from tests.accounts.conftest import Kept, owner
from tests.accounts.test_totp import account
from tests.support.authenticator import PRESENT, VERIFIED, Authenticator, base64url, bytes_of, changed
from tests.support.databases import ask

ORIGIN = "https://pypi.example"
SITE = RelyingParty.of(ORIGIN, "Cheese")
BROWSER = hashlib.sha256(b"a browser").digest()


def passkeys_of(kept: Kept, site: RelyingParty = SITE) -> Passkeys:
    return Passkeys(
        database=kept.accounts.database, now=kept.clock.now, random_bytes=secrets.token_bytes, site=site
    )


@define(eq=False)
class Person:
    """Somebody with an account, a session, and a device."""

    kept: Kept
    id: int
    name: str
    session: bytes
    device: Authenticator

    @property
    def passkeys(self) -> Passkeys:
        """Those of the index."""
        return passkeys_of(self.kept)

    async def add(self, *, name: str = "Key", **more: Any) -> None:
        """Make a passkey and have it added."""
        asked = await self.passkeys.ask_for_new(self.session, self.id, self.name)
        await self.passkeys.add(self.session, owner(self.id), self.device.make(asked, **more), name=name)

    async def asked(self) -> str:
        """What the index asks as a second factor."""
        return await self.passkeys.ask_for_one(self.session, self.id)

    async def use(self, answer: str) -> str:
        """The name of the passkey that was accepted as a second factor."""
        return (await self.passkeys.use(self.session, self.id, answer)).name


async def person(kept: Kept, name: str = "ada") -> Person:
    user_id = await account(kept, name)
    return Person(kept, user_id, name, session(kept, user_id), Authenticator(ORIGIN))


def session(kept: Kept, user_id: int) -> bytes:
    """The digest of a new session."""
    digest = secrets.token_bytes(32)
    ask(
        kept.url,
        "INSERT INTO sessions (digest, user_id, created, last_seen, expires) VALUES "
        f"('\\x{digest.hex()}', {user_id}, '2026-01-01', '2026-01-01', '2027-01-01')",
    )
    return digest


async def outcome(asking: Awaitable[object]) -> str:
    """The type of the refusal, or ``ok``."""
    try:
        await asking
    except Refusal as refusal:
        return type(refusal).__name__
    return "ok"


async def at_once(number: int, asking: Callable[[], Awaitable[object]]) -> list[str]:
    return sorted(await gatherResults([Deferred.fromCoroutine(outcome(asking())) for _ in range(number)]))


# Made


async def test_what_browsers_are_asked(kept: Kept) -> None:
    """A new passkey is one to be found without a name, whose user is verified, and which is not there yet."""
    ada = await person(kept)
    await ada.add()
    asked = json.loads(await ada.passkeys.ask_for_new(ada.session, ada.id, ada.name))
    assert asked["rp"] == {"id": "pypi.example", "name": "Cheese"}
    assert asked["user"]["name"] == "ada"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["attestation"] == "none"
    assert [one["id"] for one in asked["excludeCredentials"]] == [base64url(ada.device.id)]
    shown = json.loads(await ada.asked())
    assert (shown["rpId"], shown["userVerification"]) == ("pypi.example", "required")
    assert [(one["id"], sorted(one["transports"])) for one in shown["allowCredentials"]] == [
        (base64url(ada.device.id), ["hybrid", "internal"])
    ]
    assert json.loads(await ada.passkeys.ask_anybody(BROWSER)).get("allowCredentials", []) == []


async def test_several(kept: Kept) -> None:
    """An account has several passkeys, each with a name, of which one may be changed."""
    ada = await person(kept)
    await ada.add(name=" Yellow\n key \x00")
    first = ada.device
    ada.device = Authenticator(ORIGIN)
    kept.clock.advance(timedelta(minutes=1))
    await ada.add(name="")
    assert [line.name for line in await ada.passkeys.of(ada.id)] == ["Yellow key", "Passkey"]
    await ada.passkeys.rename(owner(ada.id), ada.device.id, "x" * 500)
    assert [line.name for line in await ada.passkeys.of(ada.id)] == ["Yellow key", "x" * 100]
    kept.clock.advance(timedelta(minutes=1))
    assert await ada.use(first.show(await ada.asked())) == "Yellow key"
    lines = await ada.passkeys.of(ada.id)
    assert [(line.id, line.last_used) for line in lines] == [
        (first.id, kept.clock.time),
        (ada.device.id, None),
    ]


async def test_names_of_others_stay(kept: Kept) -> None:
    """Nobody names a passkey of somebody else."""
    ada, bob = await person(kept), await person(kept, "bob")
    await ada.add()
    with pytest.raises(NoSuchPasskey):
        await bob.passkeys.rename(owner(bob.id), ada.device.id, "mine")
    assert [line.name for line in await ada.passkeys.of(ada.id)] == ["Key"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://pypi.example.evil.example"},
        {"origin": "http://pypi.example"},
        {"origin": "https://pypi.example:8443"},
        {"rp_id": "evil.example"},
        {"challenge": base64url(bytes(32))},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"crossOrigin": True},
    ],
    ids=str,
)
async def test_not_made(kept: Kept, wrong: dict[str, Any]) -> None:
    """What was made elsewhere, for another challenge, in a frame, or without its user, is refused."""
    ada = await person(kept)
    with pytest.raises(UnusablePasskey):
        await ada.add(**wrong)
    assert await ada.passkeys.of(ada.id) == []


async def test_made_for_another_question(kept: Kept) -> None:
    """Whoever may be asked for a passkey, with no password said, makes no other by that question."""
    ada = await person(kept)
    await ada.add()
    other = Authenticator(ORIGIN)
    asked = await ada.passkeys.ask_for_new(ada.session, ada.id, ada.name)
    challenge = json.loads(await ada.asked())["challenge"]
    with pytest.raises(StaleChallenge):
        await ada.passkeys.add(
            ada.session, owner(ada.id), other.make(asked, challenge=challenge), name="Mine"
        )
    challenge = json.loads(await ada.passkeys.ask_for_new(ada.session, ada.id, ada.name))["challenge"]
    with pytest.raises(StaleChallenge):
        await ada.use(ada.device.show(json.dumps({"rpId": SITE.id, "challenge": challenge})))
    assert [line.id for line in await ada.passkeys.of(ada.id)] == [ada.device.id]


async def test_made_twice(kept: Kept) -> None:
    """A passkey belongs to one account, and is added once."""
    ada, bob = await person(kept), await person(kept, "bob")
    await ada.add()
    with pytest.raises(PasskeyKnown):
        await ada.add()
    bob.device.id = ada.device.id
    with pytest.raises(PasskeyKnown):
        await bob.add()
    assert ask(kept.url, "SELECT user_id FROM passkeys") == [(ada.id,)]


async def test_so_many(kept: Kept) -> None:
    """An account has a bounded number of passkeys, also when several are added at once."""
    ada = await person(kept)
    ask(
        kept.url,
        "INSERT INTO passkeys (id, user_id, public_key, created) SELECT int4send(i), "
        f"{ada.id}, '', '2026-01-01' FROM generate_series(1, {MOST - 1}) i",
    )
    answers = []
    for _ in range(3):
        place, device = session(kept, ada.id), Authenticator(ORIGIN)
        asked = await ada.passkeys.ask_for_new(place, ada.id, ada.name)
        answers.append((place, device.make(asked)))
    added = [outcome(ada.passkeys.add(place, owner(ada.id), answer, name="")) for place, answer in answers]
    assert sorted(await gatherResults([Deferred.fromCoroutine(one) for one in added])) == [
        "TooManyPasskeys",
        "TooManyPasskeys",
        "ok",
    ]
    with pytest.raises(TooManyPasskeys):
        await ada.add()


# Shown as a second factor


async def test_second_factor(kept: Kept) -> None:
    """A passkey of the account is accepted, again and again, each time for a challenge of its own."""
    ada = await person(kept)
    await ada.add()
    challenges = set()
    for _ in range(3):
        asked = await ada.asked()
        challenges.add(json.loads(asked)["challenge"])
        assert await ada.use(ada.device.show(asked)) == "Key"
    assert len(challenges) == 3
    assert ask(kept.url, "SELECT sign_count FROM passkeys") == [(3,)]
    assert ask(kept.url, "SELECT challenge FROM sessions") == [(None,)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://pypi.example"},
        {"rp_id": "evil.example"},
        {"challenge": base64url(bytes(32))},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"handle": (10**9).to_bytes(8, "big")},
        {"handle": b"ada"},
        {"crossOrigin": True},
    ],
    ids=str,
)
async def test_not_accepted(kept: Kept, wrong: dict[str, Any]) -> None:
    """What was shown elsewhere, for another challenge, in a frame, or without its user, is refused."""
    ada = await person(kept)
    await ada.add()
    with pytest.raises(WrongPasskey):
        await ada.use(ada.device.show(await ada.asked(), **wrong))
    assert ask(kept.url, "SELECT sign_count, last_used FROM passkeys") == [(0, None)]


@pytest.mark.parametrize("part", ["signature", "authenticatorData", "clientDataJSON"])
async def test_tampered(kept: Kept, part: str) -> None:
    """A changed signature, or anything changed of what was signed, is refused."""
    ada = await person(kept)
    await ada.add()
    answer = ada.device.show(await ada.asked())
    with pytest.raises(WrongPasskey):
        await ada.use(changed(answer, part, lambda data: data[:-1] + bytes([data[-1] ^ 1])))


async def test_more_than_was_signed(kept: Kept) -> None:
    """A counter that was raised on the way is refused, since it is signed."""
    ada = await person(kept)
    await ada.add()
    answer = ada.device.show(await ada.asked())
    with pytest.raises(WrongPasskey):
        await ada.use(changed(answer, "authenticatorData", lambda data: data[:33] + b"\0\0\1\0"))


async def test_key_of_another(kept: Kept) -> None:
    """A passkey of another account is refused, and so is another key under the name of one's own."""
    ada, bob = await person(kept), await person(kept, "bob")
    await ada.add()
    await bob.add()
    with pytest.raises(WrongPasskey):
        await ada.use(bob.device.show(await ada.asked()))
    with pytest.raises(WrongPasskey):
        await ada.use(bob.device.show(await ada.asked(), handle=ada.device.handle))
    bob.device.id = ada.device.id
    with pytest.raises(WrongPasskey):
        await ada.use(bob.device.show(await ada.asked(), handle=ada.device.handle))


async def test_counter_going_back(kept: Kept) -> None:
    """A passkey that was used more often than it says is refused, and told apart: it may be a copy."""
    ada = await person(kept)
    await ada.add()
    ada.device.count = 9
    await ada.use(ada.device.show(await ada.asked()))
    for count, counts in ((9, True), (8, True), (0, True), (0, False)):
        ada.device.count, ada.device.counts = count, counts
        with pytest.raises(CopiedPasskey) as caught:
            await ada.use(ada.device.show(await ada.asked()))
        assert (caught.value.user_id, caught.value.name) == (ada.id, "Key")
    ada.device.count, ada.device.counts = 10, True
    await ada.use(ada.device.show(await ada.asked()))


async def test_not_counting(kept: Kept) -> None:
    """A passkey that does not count, as those that are synchronised, is accepted each time."""
    ada = await person(kept)
    ada.device.counts = False
    await ada.add()
    for _ in range(3):
        await ada.use(ada.device.show(await ada.asked()))


# Challenges


async def test_answered_once(kept: Kept) -> None:
    """A challenge is answered once, also by a passkey that does not count; a wrong answer uses it up, too."""
    ada = await person(kept)
    ada.device.counts = False
    await ada.add()
    answer = ada.device.show(await ada.asked())
    await ada.use(answer)
    with pytest.raises(StaleChallenge):
        await ada.use(answer)
    right = ada.device.show(await ada.asked())
    with pytest.raises(WrongPasskey):
        await ada.use(changed(right, "signature", lambda data: data[:-1] + bytes([data[-1] ^ 1])))
    with pytest.raises(StaleChallenge):
        await ada.use(right)


async def test_replaced(kept: Kept) -> None:
    """Only the last challenge of a session counts, and an old answer to another is refused."""
    ada = await person(kept)
    await ada.add()
    old = ada.device.show(await ada.asked())
    await ada.asked()
    with pytest.raises(WrongPasskey):
        await ada.use(old)


async def test_of_its_session(kept: Kept) -> None:
    """An answer counts only in the session that was asked, and for its account."""
    ada, bob = await person(kept), await person(kept, "bob")
    await ada.add()
    answer = ada.device.show(await ada.asked())
    with pytest.raises(StaleChallenge):
        await ada.passkeys.use(session(kept, ada.id), ada.id, answer)
    with pytest.raises(StaleChallenge):
        await ada.passkeys.use(ada.session, bob.id, answer)
    with pytest.raises(StaleChallenge):
        await ada.passkeys.ask_for_one(bob.session, ada.id)
    assert await ada.use(answer) == "Key"


async def test_too_late(kept: Kept) -> None:
    """After five minutes an answer counts for nothing, nor does one in a session that is over."""
    ada = await person(kept)
    await ada.add()
    answer = ada.device.show(await ada.asked())
    kept.clock.advance(LIFETIME)
    with pytest.raises(StaleChallenge):
        await ada.use(answer)
    signing_in = ada.device.show(await ada.passkeys.ask_anybody(BROWSER))
    kept.clock.advance(LIFETIME)
    with pytest.raises(StaleChallenge):
        await ada.passkeys.sign_in(BROWSER, signing_in)
    ask(kept.url, "UPDATE sessions SET expires = '2026-04-01'")
    with pytest.raises(StaleChallenge):
        await ada.asked()


async def test_nothing_asked(kept: Kept) -> None:
    """An account without passkeys is not asked for any; what nobody asked is not answered."""
    ada = await person(kept)
    with pytest.raises(NoSuchPasskey):
        await ada.asked()
    with pytest.raises(StaleChallenge):
        await ada.use("{}")
    with pytest.raises(StaleChallenge):
        await ada.passkeys.add(ada.session, owner(ada.id), "{}", name="")


@pytest.mark.parametrize("counts", [True, False])
async def test_race(kept: Kept, counts: bool) -> None:
    """Of eight who give the same answer at once, one is accepted."""
    ada = await person(kept)
    ada.device.counts = counts
    await ada.add()
    answer = ada.device.show(await ada.asked())
    assert await at_once(8, lambda: ada.use(answer)) == ["StaleChallenge"] * 7 + ["ok"]
    answer = ada.device.show(await ada.passkeys.ask_anybody(BROWSER))
    assert await at_once(8, lambda: ada.passkeys.sign_in(BROWSER, answer)) == ["StaleChallenge"] * 7 + ["ok"]


async def test_race_of_copies(kept: Kept) -> None:
    """Of two with the same count, asked in sessions of their own, one is accepted."""
    ada = await person(kept)
    await ada.add()
    answers = []
    for _ in range(4):
        place = session(kept, ada.id)
        ada.device.count = 0
        answers.append((place, ada.device.show(await ada.passkeys.ask_for_one(place, ada.id))))
    shown = [outcome(ada.passkeys.use(place, ada.id, answer)) for place, answer in answers]
    assert sorted(await gatherResults([Deferred.fromCoroutine(one) for one in shown])) == [
        *["CopiedPasskey"] * 3,
        "ok",
    ]


# Shown to sign in


async def test_sign_in(kept: Kept) -> None:
    """A passkey alone says who somebody is, without a name or a password."""
    ada, bob = await person(kept), await person(kept, "bob")
    await ada.add()
    await bob.add(name="Bob's")
    for who in (ada, bob):
        shown = await ada.passkeys.sign_in(BROWSER, who.device.show(await ada.passkeys.ask_anybody(BROWSER)))
        assert (shown.user_id, shown.user_name) == (who.id, who.name)
    assert ask(kept.url, "SELECT count(*) FROM throttles") == [(0,)]


async def test_sign_in_elsewhere(kept: Kept) -> None:
    """An answer counts only for the browser that was asked, and what was never asked does not count."""
    ada = await person(kept)
    await ada.add()
    answer = ada.device.show(await ada.passkeys.ask_anybody(BROWSER))
    assert await outcome(ada.passkeys.sign_in(bytes(32), answer)) == "StaleChallenge"
    own = base64url((2**40).to_bytes(8, "big") + bytes(24))
    made_up = ada.device.show(await ada.passkeys.ask_anybody(BROWSER), challenge=own)
    assert await outcome(ada.passkeys.sign_in(BROWSER, made_up)) == "StaleChallenge"
    in_session = ada.device.show(await ada.asked())
    assert await outcome(ada.passkeys.sign_in(BROWSER, in_session)) == "StaleChallenge"
    assert await outcome(ada.passkeys.sign_in(BROWSER, answer)) == "ok"


@pytest.mark.parametrize(
    "wrong",
    [{"flags": PRESENT}, {"handle": bytes(8)}, {"handle": b""}, {"origin": "https://evil.example"}],
    ids=str,
)
async def test_sign_in_refused(kept: Kept, wrong: dict[str, Any]) -> None:
    """Who was not verified, or says another account than the passkey's, or none, is not signed in."""
    ada = await person(kept)
    await ada.add()
    answer = ada.device.show(await ada.passkeys.ask_anybody(BROWSER), **wrong)
    assert await outcome(ada.passkeys.sign_in(BROWSER, answer)) == "WrongPasskey"


async def test_sign_in_without_account(kept: Kept) -> None:
    """A passkey that says nothing of its account, one of an inactive account, or of none, signs nobody in."""
    ada = await person(kept)
    await ada.add()
    told = json.loads(ada.device.show(await ada.passkeys.ask_anybody(BROWSER)))
    del told["response"]["userHandle"]
    assert await outcome(ada.passkeys.sign_in(BROWSER, json.dumps(told))) == "WrongPasskey"
    ask(kept.url, "UPDATE users SET is_active = false")
    answer = ada.device.show(await ada.passkeys.ask_anybody(BROWSER))
    assert await outcome(ada.passkeys.sign_in(BROWSER, answer)) == "WrongPasskey"
    ask(kept.url, "DELETE FROM users")
    answer = ada.device.show(await ada.passkeys.ask_anybody(BROWSER))
    assert await outcome(ada.passkeys.sign_in(BROWSER, answer)) == "WrongPasskey"


# What is no answer


WORDS = st.sampled_from(
    ["id", "rawId", "type", "response", "clientDataJSON", "attestationObject", "signature", "userHandle"]
)
NONSENSE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("AAAA"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=12,
)


@given(NONSENSE.map(json.dumps) | st.text(max_size=60) | st.just("[" * 30_000) | st.just(" " * 10**5))
def test_nonsense(answer: str) -> None:
    """Whatever is sent in place of an answer is untrue, and nothing worse."""
    for asking in (
        lambda: ceremonies.made(SITE, answer, challenge=bytes(32)),
        lambda: ceremonies.counted(SITE, answer, challenge=bytes(32), public_key=b"\xa0"),
    ):
        with pytest.raises(ceremonies.Untrue):
            asking()


DEVICE = Authenticator(ORIGIN)
MADE = DEVICE.make(ceremonies.creation(SITE, challenge=bytes(32), user_id=1, user_name="ada", known=()))


@given(st.integers(0, 300), st.integers(0, 255), st.integers(0, 2))
def test_damaged(place: int, byte: int, kind: int) -> None:
    """A damaged new passkey is untrue or, where the damage hits what nobody vouches for, a whole one."""

    def damage(data: bytes) -> bytes:
        at = place % len(data)
        return (data[:at] + bytes([byte]) + data[at + 1 :], data[:at], data + bytes([byte]))[kind]

    try:
        made = ceremonies.made(SITE, changed(MADE, "attestationObject", damage), challenge=bytes(32))
    except ceremonies.Untrue:
        return
    assert made.id
    assert made.public_key


# Where


@pytest.mark.parametrize(
    ("url", "origin", "host", "may"),
    [
        ("https://pypi.example", "https://pypi.example", "pypi.example", True),
        ("https://pypi.example:443", "https://pypi.example", "pypi.example", True),
        ("https://PyPI.Example:8443", "https://pypi.example:8443", "pypi.example", True),
        ("https://käse.example", "https://xn--kse-qla.example", "xn--kse-qla.example", True),
        ("http://localhost:8080", "http://localhost:8080", "localhost", True),
        ("http://pypi.example", "http://pypi.example", "pypi.example", False),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", "127.0.0.1", False),
        ("https://[::1]:8443", "https://[::1]:8443", "::1", False),
    ],
)
def test_where(url: str, origin: str, host: str, may: bool) -> None:
    """Passkeys are bound to the configured origin, and offered where browsers offer them."""
    site = RelyingParty.of(url, "Cheese")
    assert (site.origin, site.id, site.may_have_passkeys) == (origin, host, may)


async def test_not_here(kept: Kept) -> None:
    """An index that is called by its address offers no passkeys, and says so."""
    ada = await person(kept)
    passkeys = passkeys_of(kept, RelyingParty.of("http://127.0.0.1:8080", "Cheese"))
    for asking in (
        passkeys.ask_for_new(ada.session, ada.id, ada.name),
        passkeys.ask_anybody(BROWSER),
        passkeys.sign_in(BROWSER, "{}"),
    ):
        with pytest.raises(PasskeysImpossible, match="HTTPS"):
            await asking


def test_library_on_first_use() -> None:
    """A worker that sees no passkey never loads the library behind them, nor the one for QR codes."""
    code = (
        "import sys, pypi.app, pypi.accounts.passkeys, pypi.accounts.second_factor\n"
        "print([name for name in ('webauthn', 'cbor2', 'segno') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"


def test_bytes_in_json() -> None:
    """The test's own authenticator speaks of bytes as browsers do."""
    assert bytes_of(base64url(b"\xff\xfe\x00")) == b"\xff\xfe\x00"
