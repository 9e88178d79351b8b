"""Registration: asked for, proven, and telling nobody who has an account."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults

from pypi.accounts.errors import (
    AddressTaken,
    NameTaken,
    RegistrationOff,
    UnusableAddress,
    UnusableName,
    UnusablePassword,
    UnusableProof,
    WeakPassword,
    WrongCredentials,
)
from pypi.accounts.even import SECONDS
from pypi.accounts.notices import Word
from pypi.accounts.strength import Strength
from pypi.accounts.throttle import Throttled
from pypi.domain.errors import Unavailable
from pypi.domain.permissions import Credentials
from tests.accounts.conftest import Kept
from tests.accounts.mailed import HERE, PASSWORD, Office


@pytest.fixture
def office(kept: Kept) -> Office:
    """Rooms that send mail."""
    return Office(kept)


async def register(office: Office, name: str = "ada", **more: Any) -> None:
    given = {"email": f"{name}@people.example", "password": PASSWORD, "address": HERE} | more
    await office.registration.ask(name, **given)


async def test_an_account(office: Office) -> None:
    """Who proves the address and says the password again has an account, and its address is proven."""
    await register(office)
    assert office.sql("SELECT * FROM users") == []
    [notice] = office.sent()
    assert (notice.word, notice.to, notice.user) == (Word.REGISTER, "ada@people.example", "ada")
    made = await office.registration.confirm(notice.secret or "", password=PASSWORD, address=HERE)
    assert await office.kept.accounts.authenticate(Credentials("ada", PASSWORD)) == made
    assert office.sql("SELECT address, is_primary, verified FROM emails") == [
        ("ada@people.example", True, office.kept.clock.time)
    ]
    assert office.events() == ["account.registered"]


async def test_only_a_digest_is_kept(office: Office) -> None:
    """Of the secret and the password only digests are kept."""
    await register(office)
    kept_rows = str(office.sql("SELECT encode(digest, 'escape'), * FROM proofs"))
    assert office.secret() not in kept_rows
    assert PASSWORD not in kept_rows


async def test_closed(office: Office) -> None:
    """Where accounts are the operator's business nothing is asked, nor proven any longer."""
    await register(office)
    text = office.secret()
    closed = evolve(office.registration, is_open=False)
    with pytest.raises(RegistrationOff):
        await closed.ask("eve", email="eve@people.example", password=PASSWORD, address=HERE)
    with pytest.raises(RegistrationOff):
        await closed.confirm(text, password=PASSWORD, address=HERE)


async def test_proven_once(office: Office) -> None:
    """A secret is good once, also for two who show it at the same time."""
    await register(office)
    text = office.secret()

    async def confirm() -> bool:
        try:
            await office.registration.confirm(text, password=PASSWORD, address=HERE)
        except UnusableProof:
            return False
        return True

    found = await gatherResults([Deferred.fromCoroutine(confirm()) for _ in range(4)])
    assert sorted(found) == [False, False, False, True]


async def test_proven_in_time(office: Office) -> None:
    """A secret that is too old, or none, proves nothing; what is too old is forgotten."""
    await register(office)
    text = office.secret()
    office.kept.clock.advance(office.registration.lasts - timedelta(seconds=1))
    assert await office.registration.tidy() == 0
    office.kept.clock.advance(timedelta(seconds=1))
    for wrong in (text, text[:-1], "", "x" * 43, "x" * 10_000):
        with pytest.raises(UnusableProof):
            await office.registration.confirm(wrong, password=PASSWORD, address=HERE)
    assert await office.registration.tidy() == 1
    assert office.sql("SELECT * FROM proofs") == []


async def test_not_by_a_link_alone(office: Office) -> None:
    """Who follows a link they did not ask for makes no account; who asked can still."""
    await register(office)
    text = office.secret()
    with pytest.raises(WrongCredentials):
        await office.registration.confirm(text, password="not the password", address=HERE)
    assert office.sql("SELECT * FROM users") == []
    await office.registration.confirm(text, password=PASSWORD, address=HERE)


async def test_passwords_are_not_tried_for_long(kept: Kept) -> None:
    """Who has a secret and tries passwords is soon refused."""
    office = Office(kept, factor=1.0)
    await register(office)
    text = office.secret()
    for _ in range(10):
        with pytest.raises(WrongCredentials):
            await office.registration.confirm(text, password="not the password", address=HERE)
    with pytest.raises(Throttled):
        await office.registration.confirm(text, password=PASSWORD, address=HERE)


async def test_an_address_with_an_account(office: Office) -> None:
    """Whether an address has an account is told to it and to nobody else: the answer is the same."""
    await office.account()
    for email in ("ada@people.example", "ADA@people.example"):
        await register(office, "eve", email=email)
        [notice] = office.sent()
        assert (notice.word, notice.to, notice.secret) == (Word.REGISTER_KNOWN, email, None)
    await register(office, "eve")
    assert office.sent()[0].word is Word.REGISTER
    assert office.reactor.waits == [SECONDS] * 3


async def test_answered_at_the_same_time(office: Office) -> None:
    """No answer that depends on who has an account comes before its time."""
    await office.account()
    for name, email in (("ada", "new@people.example"), ("eve", "ada@people.example"), ("eve", "e@b.example")):
        before = len(office.reactor.waits)
        try:
            await register(office, name, email=email)
        except NameTaken:
            assert name == "ada"
        assert office.reactor.waits[before:] == [SECONDS]


async def test_taken_names(office: Office) -> None:
    """A name that has an account is taken, in any letter case."""
    await office.account()
    with pytest.raises(NameTaken):
        await register(office, "ADA", email="new@people.example")
    assert office.sent() == []


async def test_two_want_the_same(office: Office) -> None:
    """Who proves the address first gets the name; of two who have the address, the first gets that."""
    await register(office, "ada")
    first = office.secret()
    await register(office, "Ada", email="other@people.example")
    second = office.secret()
    await register(office, "eve", email="ada@people.example")
    third = office.secret()
    await office.registration.confirm(first, password=PASSWORD, address=HERE)
    with pytest.raises(NameTaken):
        await office.registration.confirm(second, password=PASSWORD, address=HERE)
    with pytest.raises(AddressTaken):
        await office.registration.confirm(third, password=PASSWORD, address=HERE)
    assert office.sql("SELECT name FROM users") == [("ada",)]


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"name": "-ada"}, UnusableName),
        ({"name": "__token__"}, UnusableName),
        ({"email": "ada"}, UnusableAddress),
        ({"password": "too short"}, UnusablePassword),
        ({"password": "x" * 1025}, UnusablePassword),
        ({"password": "aaaaaaaaaaaaaaaaaa"}, WeakPassword),
        ({"password": "lovelace12345", "name": "lovelace"}, WeakPassword),
        ({"password": "ADA@people.example1"}, WeakPassword),
        ({"password": "people.example"}, WeakPassword),
        ({"password": "it has leaked"}, WeakPassword),
    ],
)
async def test_unusable(office: Office, wrong: dict[str, str], refusal: type[Exception]) -> None:
    """What cannot be a name, an address or a password is refused, and nothing is sent."""
    office.leaked = {"it has leaked"}
    with pytest.raises(refusal):
        await register(office, **wrong)
    assert office.sent() == []


async def test_nobody_can_say_whether_it_leaked() -> None:
    """Where the list of leaked passwords does not answer, passwords are not refused for that."""

    async def away(password: str) -> bool:
        raise Unavailable

    await Strength(breached=away).check(PASSWORD, names=("ada",))


async def test_counted_before_others_are_asked(kept: Kept) -> None:
    """Who has asked too often has nobody else asked about passwords; short ones count for nothing."""
    office = Office(kept, factor=1.0, leaked={PASSWORD})
    for _ in range(12):
        with pytest.raises(UnusablePassword):
            await register(office, password="short")
    for _ in range(10):
        with pytest.raises(WeakPassword):
            await register(office)
    assert office.asked == [PASSWORD] * 10
    with pytest.raises(Throttled):
        await register(office)
    assert office.asked == [PASSWORD] * 10
    office.leaked = set()
    await register(office, address="192.0.2.9")
    assert len(office.sent()) == 1


async def test_so_many_and_no_more(kept: Kept) -> None:
    """One place asks for ten accounts in an hour, and one address of mail is written to five times a day."""
    office = Office(kept, factor=1.0)
    for _ in range(5):
        await register(office)
    with pytest.raises(Throttled):
        await register(office, address="192.0.2.9")
    assert len(office.sent()) == 5
    for number in range(5):
        await register(office, f"user{number}")
    with pytest.raises(Throttled):
        await register(office, "last")
