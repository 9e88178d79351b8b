"""Reads of one statement, in one round trip."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from twisted.internet import reactor

from pypi.db import database as module
from pypi.db.connection import Cursor
from pypi.db.database import Database, DeadlineExceeded
from tests.support.databases import Databases
from tests.support.databases import ask as ask_database


@pytest.fixture
def url(databases: Databases) -> Any:
    made = databases.make(migrated=False)
    ask_database(made, "CREATE TABLE notes (id int PRIMARY KEY, text text)")
    yield made
    databases.drop(made)


@pytest_twisted.async_yield_fixture
async def database(url: str) -> AsyncIterator[Database]:
    made = Database(url, reactor, size=1, patience=0.5)
    yield made
    await made.stop()


async def texts(cursor: Cursor, number: int) -> list[tuple[Any, ...]]:
    return await cursor.tuples("SELECT text FROM notes WHERE id = %(n)s", {"n": number})


async def add(cursor: Cursor, number: int) -> int:
    return await cursor.run("INSERT INTO notes VALUES (%(n)s, '%%')", {"n": number})


async def twice(cursor: Cursor) -> None:
    await texts(cursor, 1)
    await texts(cursor, 1)


async def pid(cursor: Cursor) -> int:
    return int(await cursor.value("SELECT pg_backend_pid()"))


async def sleep(cursor: Cursor) -> None:
    await cursor.run("SELECT pg_sleep(30)")


async def timeout(cursor: Cursor) -> str:
    return str(await cursor.value("SHOW statement_timeout"))


async def test_rows(database: Database) -> None:
    """The rows are those of the statement, whatever was sent in front of it."""
    assert await database.ask(texts, 1) == []
    await database.transact(add, 1)
    assert await database.ask(texts, 1) == [("%",)]


async def test_it_cannot_write(database: Database) -> None:
    """It refuses to change anything, and the connection goes on."""
    with pytest.raises(psycopg2.Error, match="read-only"):
        await database.ask(add, 1)
    assert await database.ask(texts, 1) == []
    assert await database.transact(add, 1) == 1


async def test_one_statement(database: Database) -> None:
    """A second statement, which would see another moment, is refused; the connection goes on."""
    with pytest.raises(RuntimeError, match="second statement"):
        await database.ask(twice)
    assert await database.ask(texts, 1) == []


async def test_the_server_ends_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement that takes too long is ended by the server, and the connection goes on."""
    monkeypatch.setattr(module, "_ASK", "SET LOCAL statement_timeout = 1000; ")
    before = await database.ask(pid)
    with pytest.raises(DeadlineExceeded):
        await database.ask(sleep)
    assert await database.ask(pid) == before


async def test_a_deadline_ends_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not answer in time is no longer waited for."""
    await database.ask(texts, 1)  # that there is a connection
    monkeypatch.setattr(module, "_ASK", "SET LOCAL statement_timeout = 60000; ")
    monkeypatch.setattr(module, "READ_DEADLINE", 0.2)
    with pytest.raises(DeadlineExceeded):
        await database.ask(sleep)
    monkeypatch.undo()
    assert await database.ask(texts, 1) == []


async def test_its_limit_ends_with_it(database: Database) -> None:
    """What it sets for itself is not there for the next one on the same connection."""

    assert await database.ask(timeout) != "0"
    [connection] = database._idle
    assert connection.is_idle
    cursor: Cursor = connection.cursor()
    assert await timeout(cursor) == "0"
    assert await cursor.value("SHOW transaction_read_only") == "off"
