"""What lets a waiting browser in: its own link, once, whoever is faster."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
from attrs import define, evolve, field
from twisted.internet.defer import Deferred, DeferredList

from pypi.accounts.browsers import Browser, Browsers
from pypi.accounts.confirming import LASTS, Confirming
from pypi.accounts.errors import SessionOver, UnusableProof
from pypi.accounts.throttle import Throttle
from pypi.db.queries.sessions import SessionRow
from tests.accounts.conftest import Kept
from tests.accounts.mailed import HERE, Office, send

BROWSER = Browser(address=HERE, agent="")


@define(eq=False)
class Desk:
    """Accounts whose sign-ins wait."""

    office: Office
    confirming: Confirming = field(init=False)

    def __attrs_post_init__(self) -> None:
        database, now = self.office.kept.accounts.database, self.office.kept.clock.now
        standing: dict[str, Any] = {"database": database, "now": now, "random_bytes": secrets.token_bytes}
        self.confirming = Confirming(
            sessions=self.office.sessions,
            browsers=Browsers(send=send, **standing),
            throttle=Throttle(database=database, now=now, factor=0),
            send=send,
            **standing,
        )

    async def waiting(self, user_id: int) -> tuple[SessionRow, str]:
        """A session that waits, and the secret of the letter about it."""
        begun = await self.office.sessions.begin(
            user_id,
            asked=self.office.kept.clock.time,
            by="password",
            address=HERE,
            agent="",
            is_partial=True,
        )
        started = await self.confirming.ask(begun.session, "authenticator app", BROWSER)
        return started.session, self.office.secret()


@pytest.fixture
def desk(kept: Kept) -> Desk:
    return Desk(Office(kept))


async def test_its_own(desk: Desk) -> None:
    """A secret is good for the one session it was sent for, and stays so when others are tried with it."""
    ada, eve = await desk.office.account("ada"), await desk.office.account("eve")
    mine, secret = await desk.waiting(ada.user_id)
    other, _ = await desk.waiting(ada.user_id)
    hers, _ = await desk.waiting(eve.user_id)
    strange = (
        other,
        hers,
        ada,
        eve,
        evolve(hers, id=mine.id),
        evolve(other, user_id=eve.user_id, id=mine.id),
    )
    for session in strange:
        with pytest.raises(UnusableProof):
            await desk.confirming.confirm(secret, session, BROWSER)
    started, wanted = await desk.confirming.confirm(secret, mine, BROWSER)
    assert (started.session.id, started.session.is_partial, wanted) == (mine.id, False, "")
    found = await desk.office.sessions.read(started.secret)
    assert found is not None
    assert (found.is_partial, found.is_waiting, found.second_factor) == (False, False, mine.second_factor)
    with pytest.raises(UnusableProof):
        await desk.confirming.confirm(secret, mine, BROWSER)


async def test_ended(desk: Desk) -> None:
    """A session that was ended, or is too old, is not let in by what was sent for it."""
    ada = await desk.office.account("ada")
    first, secret = await desk.waiting(ada.user_id)
    await desk.office.sessions.end(first, address=HERE)
    with pytest.raises(SessionOver):
        await desk.confirming.confirm(secret, first, BROWSER)
    with pytest.raises(SessionOver):
        await desk.confirming.ask_again(first)
    second, secret = await desk.waiting(ada.user_id)
    desk.office.kept.clock.advance(LASTS)
    with pytest.raises(UnusableProof):
        await desk.confirming.confirm(secret, second, BROWSER)


@pytest.mark.parametrize("turn", range(4))
async def test_at_once(desk: Desk, turn: int) -> None:
    """Of an answer and its contrary, by two letters at the same time, one counts; the other is too late."""
    ada = await desk.office.account("ada")
    session, first = await desk.waiting(ada.user_id)
    await desk.confirming.ask_again(session)
    second = desk.office.secret()
    work = [
        desk.confirming.confirm(first, session, BROWSER),
        desk.confirming.deny(second, address=HERE),
        desk.confirming.confirm(second, session, BROWSER),
        desk.confirming.deny(first, address=HERE),
    ]
    turned = work[turn:] + work[:turn]
    results = await DeferredList([Deferred.fromCoroutine(one) for one in turned], consumeErrors=True)
    assert sorted(success for success, _ in results) == [False, False, False, True]
    assert all(one.check(UnusableProof, SessionOver) for success, one in results if not success)
    answered = [
        event for event in desk.office.events() if event in ("account.signed-in", "account.sign-in-denied")
    ]
    assert len(answered) == 2, "one of them for the session of ada, which does not wait"
    assert desk.office.sql("SELECT count(*) FROM proofs") == [(0,)]
