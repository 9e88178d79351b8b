"""Another password: by the old one, or by mail."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from twisted.internet.defer import Deferred, gatherResults

from pypi.accounts.errors import (
    SessionOver,
    UnusableAddress,
    UnusablePassword,
    UnusableProof,
    WrongCredentials,
)
from pypi.accounts.even import SECONDS, evenly
from pypi.accounts.notices import Word
from pypi.accounts.strength import Strength
from pypi.accounts.throttle import Throttled
from pypi.domain.permissions import Credentials
from tests.accounts.conftest import Kept
from tests.accounts.mailed import HERE, PASSWORD, Office

ADDRESS = "ada@people.example"
OTHER = "a staple for the battery"


@pytest.fixture
def office(kept: Kept) -> Office:
    """Rooms that send mail."""
    return Office(kept)


async def reset_secret(office: Office, email: str = ADDRESS) -> str:
    await office.renewal.ask(email, address=HERE)
    return office.secret()


async def signs_in(office: Office, password: str) -> bool:
    try:
        await office.kept.accounts.authenticate(Credentials("ada", password))
    except WrongCredentials:
        return False
    return True


async def begin(office: Office, user_id: int) -> Any:
    now = office.kept.clock.time
    return await office.sessions.begin(user_id, asked=now, by="password", address=HERE, agent="")


# Reset


async def test_reset(office: Office) -> None:
    """Who reads the mail chooses another password; all sessions end, and the primary address is told."""
    ada = await office.account()
    begun = await begin(office, ada.user_id)
    await office.renewal.ask("ADA@people.example", address=HERE)
    [notice] = office.sent()
    assert (notice.word, notice.user) == (Word.RESET, "ada")
    text = notice.secret or ""
    assert await office.renewal.look(text)
    await office.renewal.reset(text, OTHER, address=HERE)
    assert not await signs_in(office, PASSWORD)
    assert await signs_in(office, OTHER)
    assert await office.sessions.read(begun.secret) is None
    assert office.sql("SELECT * FROM sessions") == []
    assert [(one.word, one.to) for one in office.sent()] == [(Word.PASSWORD_CHANGED, ADDRESS)]
    assert office.events()[-2:] == ["account.reset-asked", "account.password-reset"]


@pytest.mark.parametrize(
    "email", ["ada@people.examp\u0142e", "ada@gr\u0130d.example", "ada@\u212aiel.example"]
)
async def test_addresses_that_are_almost_the_same(office: Office, email: str) -> None:
    """Nobody gets the secret at an address whose letters only have the same lower case."""
    await office.kept.accounts.add_user("ada", email="ada@grid.example", password=PASSWORD)
    await office.kept.accounts.add_user("eva", email="ada@kiel.example", password=PASSWORD)
    await office.renewal.ask(email, address=HERE)
    assert office.sent() == []
    await office.renewal.ask("Ada@GRID.example", address=HERE)
    assert [one.to for one in office.sent()] == ["ada@grid.example"]


async def test_an_address_in_another_alphabet(office: Office) -> None:
    """An address that is not of ASCII is found as it is spelled."""
    await office.kept.accounts.add_user("ada", email="ada@k\u00e4se.example", password=PASSWORD)
    await office.renewal.ask("ada@k\u00e4se.example", address=HERE)
    assert [one.to for one in office.sent()] == ["ada@k\u00e4se.example"]


async def test_only_a_digest_is_kept(office: Office) -> None:
    """Of the secret only a digest is kept."""
    await office.account()
    text = await reset_secret(office)
    assert text not in str(office.sql("SELECT encode(digest, 'escape'), * FROM proofs"))


async def test_reset_once(office: Office) -> None:
    """A secret is good once, also for those who show it at the same time."""
    await office.account()
    text = await reset_secret(office)

    async def reset(number: int) -> bool:
        try:
            await office.renewal.reset(text, f"{OTHER} {number}", address=HERE)
        except UnusableProof:
            return False
        return True

    found = await gatherResults([Deferred.fromCoroutine(reset(number)) for number in range(4)])
    assert sorted(found) == [False, False, False, True]


async def test_reset_in_time(office: Office) -> None:
    """A secret that is too old, or none, resets nothing."""
    await office.account()
    text = await reset_secret(office)
    office.kept.clock.advance(office.renewal.lasts)
    for wrong in (text, "", "x" * 43):
        assert not await office.renewal.look(wrong)
        with pytest.raises(UnusableProof):
            await office.renewal.reset(wrong, OTHER, address=HERE)
    assert await signs_in(office, PASSWORD)


async def test_a_weak_password_spends_nothing(office: Office) -> None:
    """Whose new password is refused may choose another one."""
    await office.account()
    text = await reset_secret(office)
    with pytest.raises(UnusablePassword):
        await office.renewal.reset(text, "short", address=HERE)
    await office.renewal.reset(text, OTHER, address=HERE)


async def test_dead_after_a_change(office: Office) -> None:
    """Whatever was sent before a password was changed is worth nothing after."""
    ada = await office.account()
    first, second = await reset_secret(office), await reset_secret(office)
    await office.emails.add(ada, "new@people.example", address=HERE)
    third = office.secret()
    await office.renewal.reset(first, OTHER, address=HERE)
    with pytest.raises(UnusableProof):
        await office.renewal.reset(second, PASSWORD, address=HERE)
    with pytest.raises(UnusableProof):
        await office.emails.verify(ada, third, address=HERE)


async def test_bound_to_its_address(office: Office) -> None:
    """A secret is worth nothing once the address it was sent to is not the account's, or not proven."""
    await office.account()
    text = await reset_secret(office)
    office.sql("UPDATE emails SET verified = NULL")
    assert not await office.renewal.look(text)
    office.sql("UPDATE emails SET verified = now(), address = 'other@people.example'")
    with pytest.raises(UnusableProof):
        await office.renewal.reset(text, OTHER, address=HERE)
    await office.account("eve")
    office.sql(f"UPDATE emails SET address = '{ADDRESS}' WHERE address = 'eve@people.example'")
    with pytest.raises(UnusableProof):
        await office.renewal.reset(text, OTHER, address=HERE)


async def test_secrets_are_for_one_thing(office: Office) -> None:
    """What proves an address resets no password, and the other way round."""
    ada = await office.account()
    await office.emails.add(ada, "new@people.example", address=HERE)
    with pytest.raises(UnusableProof):
        await office.renewal.reset(office.secret(), OTHER, address=HERE)
    text = await reset_secret(office)
    with pytest.raises(UnusableProof):
        await office.emails.verify(ada, text, address=HERE)
    with pytest.raises(UnusableProof):
        await office.registration.confirm(text, password=PASSWORD, address=HERE)


async def test_nobody_is_told_who_has_an_account(office: Office) -> None:
    """An address without account, unproven, or of a disabled one is answered as any other, at its time."""
    ada = await office.account()
    await office.account("off")
    office.sql("UPDATE users SET is_active = false WHERE name = 'off'")
    office.sql(
        "INSERT INTO emails (user_id, address, created) "
        f"VALUES ({ada.user_id}, 'unproven@people.example', now())"
    )
    for email in ("nobody@people.example", "off@people.example", "unproven@people.example"):
        await office.renewal.ask(email, address=HERE)
        assert office.sent() == []
    await reset_secret(office)
    assert office.reactor.waits == [SECONDS] * 4
    with pytest.raises(UnusableAddress):
        await office.renewal.ask("nonsense", address=HERE)


async def test_answers_wait_for_their_time() -> None:
    """What is done sooner is answered at its time, a refusal too."""
    from twisted.internet.task import Clock

    async def work(fails: bool) -> str:
        if fails:
            raise ValueError
        return "done"

    for fails in (False, True):
        clock = Clock()
        answer = Deferred.fromCoroutine(evenly(clock, work(fails)))
        clock.advance(SECONDS - 0.01)
        assert not answer.called
        clock.advance(0.01)
        assert answer.called
        if fails:
            with pytest.raises(ValueError, match=r"^$"):
                await answer
        else:
            assert await answer == "done"


@pytest.mark.parametrize("email", [ADDRESS, "nobody@people.example"])
async def test_so_often_and_no_more(kept: Kept, email: str) -> None:
    """An address is asked about five times a day, whether it has an account or not."""
    office = Office(kept, factor=1.0)
    await office.account()
    for number in range(5):
        await office.renewal.ask(email, address=f"192.0.2.{number}")
    with pytest.raises(Throttled):
        await office.renewal.ask(email, address="192.0.2.9")
    assert len(office.sent()) == (5 if email == ADDRESS else 0)


# Change


async def test_change(office: Office) -> None:
    """Who says the old password gets another one; other sessions end, and this one has another secret."""
    ada = await office.account()
    here, there = await begin(office, ada.user_id), await begin(office, ada.user_id)
    renewed = await office.renewal.change(here.session, old=PASSWORD, new=OTHER, address=HERE)
    assert await signs_in(office, OTHER)
    assert not await signs_in(office, PASSWORD)
    for secret in (here.secret, there.secret):
        assert await office.sessions.read(secret) is None
    assert (await office.sessions.read(renewed.secret)) == renewed.session
    assert [one.word for one in office.sent()] == [Word.PASSWORD_CHANGED]
    assert office.events()[-1] == "account.password-changed"


async def test_a_wrong_password_changes_nothing(office: Office) -> None:
    """Who does not know the old password, or chooses a weak one, changes nothing."""
    ada = await office.account()
    with pytest.raises(WrongCredentials):
        await office.renewal.change(ada, old=OTHER, new=OTHER, address=HERE)
    with pytest.raises(UnusablePassword):
        await office.renewal.change(ada, old=PASSWORD, new="short", address=HERE)
    with pytest.raises(SessionOver):
        await office.renewal.change(evolve(ada, is_partial=True), old=PASSWORD, new=OTHER, address=HERE)
    assert await signs_in(office, PASSWORD)
    assert office.sent() == []


async def test_two_change_it_at_once(office: Office) -> None:
    """Of two changes at once, one is made: the other's old password is the old one no longer."""
    ada = await office.account()
    begun = [await begin(office, ada.user_id) for _ in range(2)]

    async def change(number: int) -> bool:
        session = begun[number].session
        try:
            await office.renewal.change(session, old=PASSWORD, new=f"{OTHER} {number}", address=HERE)
        except (WrongCredentials, SessionOver):
            return False
        return True

    found = await gatherResults([Deferred.fromCoroutine(change(number)) for number in range(2)])
    assert sorted(found) == [False, True]
    assert await signs_in(office, f"{OTHER} {found.index(True)}")
    assert len(office.sql("SELECT * FROM sessions")) == 1


async def test_a_password_that_was_changed_meanwhile(office: Office) -> None:
    """The old password has to be the old one still when the new one is kept."""
    ada = await office.account()

    async def meanwhile(password: str) -> bool:
        office.sql("UPDATE users SET password_hash = 'another'")
        return False

    renewal = evolve(office.renewal, strength=Strength(breached=meanwhile))
    with pytest.raises(WrongCredentials):
        await renewal.change(ada, old=PASSWORD, new=OTHER, address=HERE)
    assert office.sql("SELECT password_hash FROM users") == [("another",)]


async def test_a_session_that_was_ended(office: Office) -> None:
    """Who was signed out in the meantime changes nothing."""
    ada = await office.account()
    office.sql("DELETE FROM sessions")
    with pytest.raises(SessionOver):
        await office.renewal.change(ada, old=PASSWORD, new=OTHER, address=HERE)
    assert await signs_in(office, PASSWORD)


async def test_old_passwords_are_not_tried_for_long(kept: Kept) -> None:
    """Who has a session, and not the password, is soon refused; right ones are not counted."""
    office = Office(kept, factor=1.0)
    ada = await office.account()
    for number in range(12):
        new = await office.renewal.change(
            ada,
            old=PASSWORD if not number else f"{OTHER} {number - 1}",
            new=f"{OTHER} {number}",
            address=HERE,
        )
        ada = new.session
    for _ in range(10):
        with pytest.raises(WrongCredentials):
            await office.renewal.change(ada, old=PASSWORD, new=OTHER, address=HERE)
    with pytest.raises(Throttled):
        await office.renewal.change(ada, old=f"{OTHER} 11", new=OTHER, address=HERE)
