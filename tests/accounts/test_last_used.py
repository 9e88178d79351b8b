"""When tokens were used last: noted in memory, written down in one go, and bounded."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pypi.accounts import last_used
from pypi.accounts.last_used import EXACTLY, LastUsed
from pypi.db.database import Database, DatabaseDown
from tests.accounts.conftest import Kept
from tests.support.databases import ask


async def token(kept: Kept) -> str:
    """The id of a new token of somebody's."""
    if not ask(kept.url, "SELECT 1 FROM users"):
        await kept.accounts.add_user("ada", email="ada@people.example", password=None)
    return (await kept.accounts.add_token("ada")).split("-")[1]


def used(kept: Kept) -> list[tuple[object, ...]]:
    return ask(kept.url, "SELECT id FROM tokens WHERE last_used IS NOT NULL ORDER BY id")


async def test_kept(kept: Kept) -> None:
    """What was used is written down with the time of its use, once a minute at the most."""
    first, second = await token(kept), await token(kept)
    noted = LastUsed(kept.clock.now, kept.accounts.database)
    began = kept.clock.time
    for _ in range(3):
        noted.note(first)
    kept.clock.advance(timedelta(seconds=30))
    noted.note(second)
    await noted.keep()
    rows = dict(ask(kept.url, "SELECT id, last_used FROM tokens"))
    assert rows == {first: began, second: began + timedelta(seconds=30)}
    kept.clock.advance(EXACTLY - timedelta(seconds=31))
    noted.note(first)
    await noted.keep()
    assert dict(ask(kept.url, "SELECT id, last_used FROM tokens")) == rows
    kept.clock.advance(timedelta(seconds=31))
    noted.note(first)
    await noted.keep()
    assert ask(kept.url, f"SELECT last_used FROM tokens WHERE id = '{first}'") == [
        (began + timedelta(seconds=90),)
    ]


async def test_gone(kept: Kept) -> None:
    """A token that is gone by then hinders no other."""
    noted = LastUsed(kept.clock.now, kept.accounts.database)
    there = await token(kept)
    for one in ("0" * 16, there, "no id"):
        noted.note(one)
    await noted.keep()
    assert used(kept) == [(there,)]


async def test_down(kept: Kept) -> None:
    """Where the database is down nothing waits for it, and the next use is noted again."""
    there = await token(kept)
    down = Database("postgresql://nobody@127.0.0.1:1/nothing", kept.accounts.database.reactor)
    noted = LastUsed(kept.clock.now, down)
    noted.note(there)
    with pytest.raises(DatabaseDown):
        await noted.keep()
    noted.database = kept.accounts.database
    noted.note(there)
    await noted.keep()
    assert used(kept) == [(there,)]


async def test_bounded(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many tokens, those used least of late are forgotten."""
    monkeypatch.setattr(last_used, "MOST", 2)
    noted = LastUsed(kept.clock.now, kept.accounts.database)
    ids = [await token(kept) for _ in range(3)]
    for one in ids:
        noted.note(one)
    await noted.keep()
    assert used(kept) == sorted((one,) for one in ids[1:])
