"""Listening on a real PostgreSQL: what is committed is heard at once, and a lost connection is made anew."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.logger import LogEvent

import pypi.db.notify
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.notify import Notifications
from pypi.db.queries import journal
from pypi.domain.cache_tags import all_tags
from pypi.domain.changes import Change, ProjectCreated, RoleAdded
from pypi.domain.names import normalize
from tests.caching.test_redis import until
from tests.http.memory import errors_logged
from tests.support.databases import ask

NOW = datetime(2026, 5, 1, tzinfo=UTC)

CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'cheeseshop listener'"""


@define(eq=False)
class Ear:
    """What a listener was told, and what went wrong meanwhile."""

    heard: list[tuple[int, int, list[str]]] = field(factory=list)
    hints: int = 0
    errors: list[LogEvent] = field(factory=list)

    def hear(self, first: int, last: int, tags: Sequence[str]) -> None:
        """Of a transaction."""
        self.heard.append((first, last, list(tags)))

    def hint(self) -> None:
        """That something may have been missed."""
        self.hints += 1


@pytest.fixture
def ear() -> Ear:
    """It has heard nothing yet."""
    return Ear()


@pytest_twisted.async_yield_fixture
async def listening(database_url: str, ear: Ear) -> AsyncIterator[Notifications]:
    """A listener that is connected."""
    made = Notifications(database_url, reactor, hear=ear.hear, hint=ear.hint)
    with errors_logged() as ear.errors:
        await made.start()
        await until(lambda: made.connected)
        yield made
        await made.stop()
    assert ear.errors == []
    await until(lambda: ask(database_url, listeners) == [(0,)])


listeners = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'cheeseshop listener'"""


@pytest_twisted.async_yield_fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Where changes are written."""
    made = Database(database_url, reactor)
    yield made
    await made.stop()


def changes(name: str = "Cheese", user: str = "ada") -> list[Change]:
    """What is written when somebody takes a name."""
    where: dict[str, Any] = {"project": normalize(name), "name": name, "actor": user}
    return [ProjectCreated(**where), RoleAdded(**where, role="Owner", user=user)]


async def write(cursor: Cursor, lines: Sequence[Change], fail: bool = False) -> int:
    """One transaction."""
    serial = await journal.write(cursor, lines, now=NOW)
    if fail:
        raise LookupError
    return serial


async def test_what_is_committed_is_heard(listening: Notifications, ear: Ear, database: Database) -> None:
    """Each transaction is heard of once, as a whole, with the tags of all its lines."""
    await database.transact(write, changes("Cheese"))
    await database.transact(write, changes("Bread")[:1])
    await until(lambda: len(ear.heard) == 2)
    assert ear.heard == [
        (1, 2, list(all_tags(changes("Cheese")))),
        (3, 3, list(all_tags(changes("Bread")[:1]))),
    ]
    assert listening.heard == 2
    assert ear.hints == 1


async def test_what_is_rolled_back_is_not(listening: Notifications, ear: Ear, database: Database) -> None:
    """Nobody hears of a change that was never made (and its serial is given to the next)."""
    with pytest.raises(LookupError):
        await database.transact(write, changes("Cheese"), fail=True)
    await database.transact(write, changes("Bread"))
    await until(lambda: ear.heard)
    assert [(first, last) for first, last, _ in ear.heard] == [(1, 2)]


async def test_what_is_heard_can_be_read(listening: Notifications, ear: Ear, database: Database) -> None:
    """Whoever hears of a change and reads at once, sees it."""
    read: list[tuple[int, int]] = []

    async def look(last: int) -> None:
        read.append((last, await database.read(journal.last_serial)))

    looks: list[Deferred[None]] = []
    listening.hear = lambda first, last, tags: looks.append(Deferred.fromCoroutine(look(last)))
    for number in range(50):
        await database.transact(write, changes(f"p{number}"))
    await until(lambda: len(read) == 50)
    assert all(seen >= told for told, seen in read)


async def test_more_tags_than_fit(listening: Notifications, ear: Ear, database: Database) -> None:
    """A change that touches more than can be told is hinted at, and committed all the same."""
    lines = [line for number in range(400) for line in changes(f"project-{number}", user=f"user-{number}")]
    serial = await database.transact(write, lines)
    await until(lambda: ear.hints == 2)
    assert serial == 800
    assert ear.heard == []


async def test_names_of_any_kind(listening: Notifications, ear: Ear, database: Database) -> None:
    """What stands in tags is heard as it was written, also just before there is too much of it."""
    lines = changes(user='"\\ü' * 600)
    await database.transact(write, lines)
    await until(lambda: ear.heard)
    assert ear.heard[0][2] == list(all_tags(lines))


@pytest.mark.parametrize(
    "payload", ["", "x", "[]", "[1, 2]", "null", '[1, "2", ["a"]]', "[1, 2, []]", "[1, 2, [3]]", "[1,2,7]"]
)
async def test_what_others_say(listening: Notifications, ear: Ear, database_url: str, payload: str) -> None:
    """Whatever else is said on the channel is a hint and no more, and what is said on others is nothing."""
    tell(database_url, "something", '[1, 2, ["a"]]')
    tell(database_url, "cheeseshop", payload)
    await until(lambda: ear.hints == 2)
    assert ear.heard == []


def tell(url: str, channel: str, *payloads: str) -> None:
    """Say something, in one transaction."""
    with psycopg2.connect(url) as connection:
        for payload in payloads:
            connection.cursor().execute("SELECT pg_notify(%s, %s)", (channel, payload))
    connection.close()


async def test_very_much_at_once(listening: Notifications, ear: Ear, database_url: str) -> None:
    """A flood is left to whoever looks, rather than worked through while everybody waits."""
    tell(database_url, "cheeseshop", *(f'[{n}, {n}, ["a"]]' for n in range(5000)))
    await until(lambda: ear.hints > 1)
    await deferLater(reactor, 0.2)
    assert len(ear.heard) < 5000


async def test_an_ear_that_fails(listening: Notifications, ear: Ear, database: Database) -> None:
    """Whatever goes wrong with one message, the next is heard."""
    told: list[int] = []

    def fail_once(first: int, last: int, tags: Sequence[str]) -> None:
        told.append(last)
        if len(told) == 1:
            raise LookupError

    listening.hear = fail_once
    await database.transact(write, changes("Cheese"))
    await database.transact(write, changes("Bread"))
    await until(lambda: told == [2, 4])
    assert len(ear.errors) == 1
    ear.errors.clear()
    assert ear.hints == 2


async def test_a_cut_connection(
    listening: Notifications, ear: Ear, database: Database, database_url: str
) -> None:
    """A connection that is cut is made anew, and whoever listens is told that something may be missing."""
    for cuts in range(1, 4):
        ask(database_url, CUT)
        await database.transact(write, changes(f"p{cuts}"))
        await until(lambda: ear.hints == cuts + 1)  # noqa: B023  # it is awaited here
    await database.transact(write, changes("Cheese"))
    await until(lambda: ear.heard and ear.heard[-1][1] == 8)
    assert listening.connected == 4


async def test_a_connection_that_hangs(database_url: str, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is asked whether it is alive; without an answer in time the connection is made anew."""
    monkeypatch.setattr(pypi.db.notify, "PROBE_EVERY", 0.05)
    made = Notifications(database_url, reactor, hear=ear.hear, hint=ear.hint)
    await made.start()
    await until(lambda: made.connected)
    await deferLater(reactor, 0.3)
    assert made.connected == 1
    monkeypatch.setattr(pypi.db.notify, "DEADLINE", 0.5)
    monkeypatch.setattr(journal, "ALIVE", "SELECT pg_sleep(60)")
    await until(lambda: made.connected > 1)
    monkeypatch.undo()
    await made.stop()


async def test_nobody_to_listen_to(ear: Ear) -> None:
    """Without a server the listener starts, tries again and again, and stops."""
    made = Notifications("postgresql://nobody@/none?host=/nowhere", reactor, hear=ear.hear, hint=ear.hint)
    await made.start()
    await deferLater(reactor, 0.3)
    assert repr(made) == "<Notifications not connected, 0 connections, 0 heard>"
    await made.stop()
    assert ear.hints == 0


@pytest.mark.parametrize("seconds", [0, 0.001, 0.005, 0.02])
async def test_stopping_at_any_moment(database_url: str, ear: Ear, seconds: float) -> None:
    """A listener may be stopped while it connects; it leaves no connection behind."""
    made = Notifications(database_url, reactor, hear=ear.hear, hint=ear.hint)
    with errors_logged() as errors:
        await made.start()
        await deferLater(reactor, seconds)
        await made.stop()
        await until(lambda: ask(database_url, listeners) == [(0,)])
    assert errors == []
