"""The security log: written with what it tells of, read by page, and kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pypi.accounts import audit
from pypi.accounts.audit import LONGEST, Audit, Event, Kind
from pypi.db.connection import Cursor
from tests.accounts.conftest import Kept
from tests.support.databases import ask


@pytest.fixture
def log(kept: Kept) -> Audit:
    """The log of an index."""
    return Audit(database=kept.accounts.database, now=kept.clock.now)


async def account(kept: Kept, name: str = "ada") -> int:
    await kept.accounts.add_user(name, email=f"{name}@people.example", password=None)
    [(user_id,)] = ask(kept.url, f"SELECT id FROM users WHERE name = '{name}'")
    return int(str(user_id))


async def write(kept: Kept, kind: Kind = Kind.SIGNED_IN, **more: Any) -> None:
    given = {"user_id": None, "actor": "ada"} | more
    database = kept.accounts.database
    await database.transact(audit.write, Event(kind=kind, **given), now=kept.clock.time)


async def test_a_line(kept: Kept, log: Audit) -> None:
    """A line says what happened, when, to whom, by whom, from where, and what else there is to know."""
    user_id = await account(kept)
    about = {"user": "eve", "role": "Owner", "before": None}
    await write(
        kept, Kind.ROLE_CHANGED, user_id=user_id, address="192.0.2.1", normalized="cheese", about=about
    )
    [line] = await log.of_user(user_id)
    assert (line.at, line.actor, line.address) == (kept.clock.time, "ada", "192.0.2.1")
    assert (line.event, line.normalized) == ("project.role-changed", "cheese")
    assert line.about == {"user": "eve", "role": "Owner"}
    assert await log.of_project("cheese") == [line]
    assert await log.of_project("other") == []


def test_kinds_are_told_apart() -> None:
    """No two kinds are written alike, and a line is about nothing its kind does not foresee."""
    assert len({kind.event for kind in Kind}) == len(list(Kind))
    with pytest.raises(ValueError, match=r"account\.signed-out is not about password"):
        Event(kind=Kind.SIGNED_OUT, user_id=None, actor="ada", about={"password": "x"})


async def test_with_what_it_tells_of(kept: Kept, log: Audit) -> None:
    """What was not done is not told."""

    async def fail(cursor: Cursor) -> None:
        await audit.write(cursor, Event(kind=Kind.SIGNED_OUT, user_id=None, actor="ada"), now=kept.clock.time)
        raise RuntimeError("after all")

    with pytest.raises(RuntimeError):
        await kept.accounts.database.transact(fail)
    assert await log.everything() == []


async def test_pages(kept: Kept, log: Audit) -> None:
    """The log is read page by page, last first, each line once, of one account or kind or of all."""
    ada, eve = await account(kept), await account(kept, "eve")
    for number in range(7):
        await write(kept, user_id=(ada, eve)[number % 2], about={"by": str(number)})
    await write(kept, Kind.NAME_ALLOWED, normalized="cheese")
    seen, before = [], None
    while page := await log.of_user(ada, before=before, limit=3):
        assert len(page) <= 3
        seen += [line.about["by"] for line in page]
        before = page[-1].id
    assert seen == ["6", "4", "2", "0"]
    assert len(await log.everything()) == 8
    assert len(await log.everything(kind=Kind.SIGNED_IN)) == 7
    [last] = await log.everything(limit=1)
    assert last.event == "index.name-allowed"
    assert len(await log.everything(before=last.id, limit=-5)) == 1


async def test_an_account_that_is_deleted(kept: Kept, log: Audit) -> None:
    """What an account did is known when it is no more."""
    user_id = await account(kept)
    await write(kept, user_id=user_id)
    ask(kept.url, "DELETE FROM users")
    assert await log.of_user(user_id) == []
    [line] = await log.everything()
    assert (line.user_id, line.actor) == (None, "ada")


async def test_addresses_are_forgotten(kept: Kept, log: Audit) -> None:
    """After its time a line no longer says from where; the line stays."""
    await write(kept, address="192.0.2.1")
    kept.clock.advance(log.addresses_kept)
    await write(kept, address="192.0.2.2")
    assert await log.tidy() == 0
    kept.clock.advance(timedelta(seconds=1))
    assert await log.tidy() == 1
    assert await log.tidy() == 0
    assert [line.address for line in await log.everything()] == ["192.0.2.2", ""]


async def test_anything_can_be_written(kept: Kept, log: Audit) -> None:
    """However long or strange what strangers typed is, it does not keep the line from being written."""
    await write(
        kept, Kind.SIGN_IN_FAILED, actor="\0é" * 5000, address="x" * 900, about={"reason": "\0" * 900}
    )
    [line] = await log.everything()
    assert len(line.actor) == LONGEST
    assert len(line.about["reason"]) == LONGEST
    assert len(line.address) == 64
