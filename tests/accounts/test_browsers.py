"""Browsers are known for a year, and so many of each account."""

from __future__ import annotations

import secrets
from datetime import timedelta

import pytest

from pypi.accounts import browsers
from pypi.accounts.browsers import KEPT, MOST, YOUNG, Arrival, Browsers
from pypi.accounts.notices import Notice
from pypi.db.connection import Cursor
from tests.accounts.conftest import Kept
from tests.accounts.test_totp import account
from tests.support.databases import ask

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0"


class Told(list[Notice]):
    """What was sent."""

    async def send(self, cursor: Cursor, notice: Notice) -> None:
        self.append(notice)


async def arrive(known: Browsers, user_id: int, browser: str) -> None:
    arrival = Arrival(user_id=user_id, name="ada", browser=browser, address="192.0.2.7", agent=CHROME)
    await known.database.transact(known.arrived, arrival)


def browsers_of(kept: Kept, told: Told) -> Browsers:
    return Browsers(
        database=kept.accounts.database,
        send=told.send,
        now=kept.clock.now,
        random_bytes=secrets.token_bytes,
    )


async def test_told(kept: Kept) -> None:
    """A new browser is told of in words, but for the first minutes of an account; a known one is not."""
    told = Told()
    known, user_id = browsers_of(kept, told), await account(kept)
    await arrive(known, user_id, "first")
    assert told == []
    kept.clock.advance(YOUNG)
    await arrive(known, user_id, "first")
    await arrive(known, user_id, "second")
    await arrive(known, user_id, "second")
    [notice] = told
    assert (notice.to, notice.address, notice.agent) == ("ada@people.example", "192.0.2.7", "Chrome on Linux")


async def test_forgotten(kept: Kept) -> None:
    """A browser that is used stays known; one that is not is forgotten after a year."""
    told = Told()
    known, user_id = browsers_of(kept, told), await account(kept)
    await arrive(known, user_id, "used")
    await arrive(known, user_id, "left")
    kept.clock.advance(KEPT - timedelta(days=1))
    await arrive(known, user_id, "used")
    assert await known.tidy() == 0
    kept.clock.advance(timedelta(days=2))
    assert await known.tidy() == 1
    await arrive(known, user_id, "used")
    assert told == []


async def test_so_many(kept: Kept) -> None:
    """One more than are kept, and the one not seen for longest is forgotten."""
    known, user_id = browsers_of(kept, Told()), await account(kept)
    for number in range(MOST + 3):
        kept.clock.advance(timedelta(seconds=1))
        await arrive(known, user_id, f"browser {number}")
    assert ask(kept.url, "SELECT count(*) FROM browsers") == [(MOST,)]


@pytest.mark.parametrize("text", [None, "", "x", "x" * 44, "é" * 43])
def test_secret(kept: Kept, text: str | None) -> None:
    """What cannot be the secret of a browser is replaced by one, and what can is kept."""
    known = browsers_of(kept, Told())
    made = known.known_or_new(text)
    assert made != text
    assert known.known_or_new(made) == made
    assert browsers.secret.digest(made) is not None
