"""Addresses of an account: proven, made primary, removed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from attrs import evolve

from pypi.accounts.emails import MOST
from pypi.accounts.errors import (
    AddressTaken,
    NoSuchAddress,
    PrimaryAddress,
    SessionOver,
    TooManyAddresses,
    UnusableAddress,
    UnusableProof,
)
from pypi.accounts.even import SECONDS
from pypi.accounts.notices import Word
from pypi.accounts.throttle import Throttled
from tests.accounts.conftest import Kept
from tests.accounts.mailed import HERE, Office

NEW = "new@people.example"


@pytest.fixture
def office(kept: Kept) -> Office:
    """Rooms that send mail."""
    return Office(kept)


async def test_add(office: Office) -> None:
    """An address is the account's when it is proven, and until then is said to be pending."""
    ada = await office.account()
    await office.emails.add(ada, NEW, address=HERE)
    have = await office.emails.of_user(ada.user_id)
    assert [one.address for one in have.proven] == ["ada@people.example"]
    assert [one.address for one in have.pending] == [NEW]
    assert await office.emails.verify(ada, office.secret(), address=HERE) == NEW
    have = await office.emails.of_user(ada.user_id)
    assert [(one.address, one.is_primary) for one in have.proven] == [
        ("ada@people.example", True),
        (NEW, False),
    ]
    assert have.pending == ()
    assert office.events()[-1] == "account.email-verified"


async def test_proven_once_and_in_time(office: Office) -> None:
    """A secret proves an address once, in its time, and only the last one sent there does."""
    ada = await office.account()
    await office.emails.add(ada, NEW, address=HERE)
    first = office.secret()
    await office.emails.add(ada, NEW.upper(), address=HERE)
    second = office.secret()
    with pytest.raises(UnusableProof):
        await office.emails.verify(ada, first, address=HERE)
    await office.emails.verify(ada, second, address=HERE)
    with pytest.raises(UnusableProof):
        await office.emails.verify(ada, second, address=HERE)
    await office.emails.add(ada, "late@people.example", address=HERE)
    office.kept.clock.advance(office.emails.lasts)
    with pytest.raises(UnusableProof):
        await office.emails.verify(ada, office.secret(), address=HERE)
    with pytest.raises(UnusableProof):
        await office.emails.verify(ada, "nonsense", address=HERE)


async def test_for_who_asked(office: Office) -> None:
    """A secret adds the address to the account that asked, and to none whose owner follows the link."""
    ada, eve = await office.account(), await office.account("eve")
    await office.emails.add(eve, NEW, address=HERE)
    text = office.secret()
    with pytest.raises(UnusableProof):
        await office.emails.verify(ada, text, address=HERE)
    assert await office.emails.verify(eve, text, address=HERE) == NEW


async def test_an_address_of_somebody_else(office: Office) -> None:
    """Whether an address is somebody else's is told to that address, and shows nowhere."""
    ada, _ = await office.account(), await office.account("eve")
    await office.emails.add(ada, "EVE@people.example", address=HERE)
    [notice] = office.sent()
    assert (notice.word, notice.secret) == (Word.VERIFY_KNOWN, None)
    await office.emails.add(ada, NEW, address=HERE)
    assert len(office.sql("SELECT 1 FROM proofs")) == 2
    have = await office.emails.of_user(ada.user_id)
    assert {one.address for one in have.pending} == {"EVE@people.example", NEW}
    assert office.reactor.waits == [SECONDS] * 2


async def test_somebody_was_faster(office: Office) -> None:
    """An address that somebody else has proven in the meantime stays theirs."""
    ada, eve = await office.account(), await office.account("eve")
    await office.emails.add(ada, NEW, address=HERE)
    slow = office.secret()
    await office.emails.add(eve, NEW, address=HERE)
    await office.emails.verify(eve, office.secret(), address=HERE)
    with pytest.raises(AddressTaken):
        await office.emails.verify(ada, slow, address=HERE)


async def test_what_one_has_already(office: Office) -> None:
    """To ask for an address one has proven sends nothing; one the operator left unproven can be proven."""
    ada = await office.account()
    await office.emails.add(ada, "Ada@people.example", address=HERE)
    assert office.sent() == []
    office.sql("UPDATE emails SET verified = NULL")
    await office.emails.add(ada, "ada@people.example", address=HERE)
    await office.emails.verify(ada, office.secret(), address=HERE)
    assert office.sql("SELECT is_primary, verified FROM emails") == [(True, office.kept.clock.time)]


async def test_primary(office: Office) -> None:
    """Mail goes to the address its owner says, and the one it went to is told."""
    ada = await office.account()
    await office.emails.add(ada, NEW, address=HERE)
    await office.emails.verify(ada, office.secret(), address=HERE)
    old, new = (await office.emails.of_user(ada.user_id)).proven
    for _ in range(2):
        await office.emails.make_primary(ada, new.id, address=HERE)
    [notice] = office.sent()
    assert (notice.word, notice.to, notice.address) == (Word.PRIMARY_CHANGED, old.address, NEW)
    assert (await office.emails.of_user(ada.user_id)).proven[0].address == NEW
    assert office.events().count("account.email-primary") == 1
    office.sql("UPDATE emails SET verified = NULL WHERE NOT is_primary")
    with pytest.raises(NoSuchAddress):
        await office.emails.make_primary(ada, old.id, address=HERE)


async def test_remove(office: Office) -> None:
    """An address can be removed, unless it is where mail goes; what was sent there is worth nothing then."""
    ada = await office.account()
    await office.emails.add(ada, NEW, address=HERE)
    await office.emails.verify(ada, office.secret(), address=HERE)
    old, new = (await office.emails.of_user(ada.user_id)).proven
    with pytest.raises(PrimaryAddress):
        await office.emails.remove(ada, old.id, address=HERE)
    await office.renewal.ask(NEW, address=HERE)
    text = office.secret()
    await office.emails.remove(ada, new.id, address=HERE)
    assert not await office.renewal.look(text)
    assert [one.address for one in (await office.emails.of_user(ada.user_id)).proven] == [old.address]
    with pytest.raises(NoSuchAddress):
        await office.emails.remove(ada, new.id, address=HERE)


async def test_only_ones_own(office: Office) -> None:
    """Nobody changes an address of another account, whatever its number is."""
    ada, eve = await office.account(), await office.account("eve")
    [hers] = (await office.emails.of_user(eve.user_id)).proven
    for act in (office.emails.make_primary, office.emails.remove):
        with pytest.raises(NoSuchAddress):
            await act(ada, hers.id, address=HERE)


async def test_bounds(kept: Kept) -> None:
    """An account has so many addresses, those to be proven among them, and asks so often."""
    office = Office(kept)
    ada = await office.account()
    for number in range(MOST - 1):
        await office.emails.add(ada, f"a{number}@people.example", address=HERE)
    with pytest.raises(TooManyAddresses, match="at most 10"):
        await office.emails.add(ada, NEW, address=HERE)
    with pytest.raises(UnusableAddress):
        await office.emails.add(ada, "nonsense", address=HERE)
    strict = Office(kept, factor=1.0)
    for _ in range(5):
        await strict.emails.add(ada, "a0@people.example", address=HERE)
    with pytest.raises(Throttled):
        await strict.emails.add(ada, "a0@people.example", address=HERE)


async def test_a_session_that_may_not(office: Office) -> None:
    """Who owes the second factor, or whose account was disabled, changes nothing."""
    ada = await office.account()
    with pytest.raises(SessionOver):
        await office.emails.add(evolve(ada, is_partial=True), NEW, address=HERE)
    office.sql("UPDATE users SET is_active = false")
    with pytest.raises(SessionOver):
        await office.emails.add(ada, NEW, address=HERE)
    office.kept.clock.advance(timedelta(0))
    assert office.sent() == []
