"""The database layer: transactions, deadlines, retries, lost connections."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import psycopg2
import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from pypi.db import database as module
from pypi.db.connection import Cursor
from pypi.db.database import Database, DatabaseDown, DeadlineExceeded, OutcomeUnknown
from tests.support.databases import Databases, ask
from tests.support.index import eventually


@pytest.fixture
def url(databases: Databases) -> Any:
    made = databases.make(migrated=False)
    ask(made, "CREATE TABLE notes (id int PRIMARY KEY, text text)")
    yield made
    databases.drop(made)


@pytest_twisted.async_yield_fixture
async def database(url: str) -> AsyncIterator[Database]:
    made = Database(url, reactor, size=4, patience=60.0)
    yield made
    await made.stop()


async def add(cursor: Cursor, number: int, text: str = "") -> int:
    return await cursor.run("INSERT INTO notes VALUES (%(n)s, %(t)s)", {"n": number, "t": text})


async def count(cursor: Cursor) -> int:
    return int(await cursor.value("SELECT count(*) FROM notes"))


async def pid(cursor: Cursor) -> int:
    return int(await cursor.value("SELECT pg_backend_pid()"))


async def test_returning_commits(database: Database) -> None:
    """What a transaction did is there for the next one."""
    assert await database.transact(add, 1) == 1
    assert await database.read(count) == 1


async def test_raising_rolls_back(database: Database) -> None:
    """An exception passes through, and nothing of its transaction remains."""

    async def fail(cursor: Cursor) -> None:
        await add(cursor, 1)
        raise LookupError("no")

    with pytest.raises(LookupError):
        await database.transact(fail)
    assert await database.read(count) == 0


async def test_a_refused_statement_leaves_the_connection_usable(database: Database) -> None:
    """A broken constraint is the caller's to see; the next transaction is none the worse."""
    await database.transact(add, 1)
    with pytest.raises(psycopg2.IntegrityError):
        await database.transact(add, 1)
    assert await database.read(count) == 1


async def test_reads_cannot_write(database: Database) -> None:
    """A read-only snapshot refuses to change anything."""
    with pytest.raises(psycopg2.Error, match="read-only"):
        await database.read(add, 1)


async def test_reads_see_one_moment(database: Database) -> None:
    """Rows committed between two queries of a read stay invisible to it."""

    async def twice(cursor: Cursor) -> tuple[int, int]:
        before = await count(cursor)
        await database.transact(add, 7)
        return before, await count(cursor)

    assert await database.read(twice) == (0, 0)
    assert await database.read(count) == 1


async def test_a_caller_who_leaves_does_not_stop_the_transaction(database: Database, url: str) -> None:
    """Cancelling whoever waits cancels the waiting alone: the write is committed."""
    begun: Deferred[None] = Deferred()
    ended: Deferred[None] = Deferred()

    async def slow(cursor: Cursor) -> None:
        await add(cursor, 1)
        begun.callback(None)
        await cursor.run("SELECT pg_sleep(0.2)")
        await add(cursor, 2)
        ended.callback(None)

    waiting = Deferred.fromCoroutine(database.transact(slow))
    await begun
    waiting.cancel()
    with pytest.raises(CancelledError):
        await waiting
    await ended
    await eventually(lambda: ask(url, "SELECT count(*) FROM notes") == [(2,)])


async def test_a_deadline_ends_a_slow_statement(database: Database, monkeypatch: Any) -> None:
    """A transaction over its time fails with a sentence, changes nothing, and frees its place."""
    await gatherResults([Deferred.fromCoroutine(database.read(pid)) for _ in range(2)])
    monkeypatch.setattr(module, "WRITE_DEADLINE", 0.2)

    async def slow(cursor: Cursor) -> None:
        await add(cursor, 1)
        await cursor.run("SELECT pg_sleep(30)")

    failures = await gatherResults(
        [Deferred.fromCoroutine(database.transact(slow)).addErrback(lambda f: f.value) for _ in range(2)]
    )
    assert [type(one) for one in failures] == [DeadlineExceeded] * 2
    assert await database.read(count) == 0


async def test_a_deadline_ends_a_function_that_never_returns(database: Database, monkeypatch: Any) -> None:
    """It is the whole transaction that has a deadline, not only its statements."""
    await gatherResults([Deferred.fromCoroutine(database.read(pid)) for _ in range(2)])
    monkeypatch.setattr(module, "WRITE_DEADLINE", 0.2)

    async def dawdle(cursor: Cursor) -> None:
        await add(cursor, 1)
        await deferLater(reactor, 0.5)
        await add(cursor, 2)

    with pytest.raises(DeadlineExceeded):
        await database.transact(dawdle)
    assert await database.read(count) == 0


async def test_a_backend_ended_in_mid_transaction_is_tried_again(database: Database) -> None:
    """A connection lost before the commit changed nothing, so the transaction simply runs again."""
    tries = []

    async def once_unlucky(cursor: Cursor) -> None:
        tries.append(1)
        await add(cursor, 1)
        if len(tries) == 1:
            await cursor.run("SELECT pg_terminate_backend(pg_backend_pid())")

    await database.transact(once_unlucky)
    assert len(tries) == 2
    assert await database.read(count) == 1


async def test_idle_connections_that_were_ended_are_replaced(database: Database, url: str) -> None:
    """Backends ended behind the pool's back cost no caller anything, and the pool fills up again."""
    first = await gatherResults([Deferred.fromCoroutine(database.read(pid)) for _ in range(4)])
    ask(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND datname = current_database()",
    )
    second = await gatherResults([Deferred.fromCoroutine(database.read(pid)) for _ in range(4)])
    assert len(set(first)) == 4
    assert not set(first) & set(second)


async def test_a_connection_lost_while_committing_is_an_unknown_outcome(database: Database, url: str) -> None:
    """Nobody guesses whether a commit happened whose answer never came."""
    ask(
        url,
        """
        CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON notes
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()""",
    )
    with pytest.raises(OutcomeUnknown):
        await database.transact(add, 1)
    assert await database.read(count) == 0


async def test_a_constraint_checked_at_commit_is_an_ordinary_refusal(database: Database, url: str) -> None:
    """A commit the server refuses did not happen, and everybody knows."""
    ask(url, "ALTER TABLE notes ADD CONSTRAINT u UNIQUE (text) DEFERRABLE INITIALLY DEFERRED")
    await database.transact(add, 1, "same")
    with pytest.raises(psycopg2.IntegrityError):
        await database.transact(add, 2, "same")
    assert await database.read(count) == 1


async def test_deadlocks_are_tried_again(database: Database) -> None:
    """Of two transactions that block each other the server ends one; it succeeds the second time."""
    await database.transact(add, 1)
    await database.transact(add, 2)

    async def both(cursor: Cursor, first: int, second: int) -> None:
        sql = "UPDATE notes SET text = text || 'x' WHERE id = %(n)s"
        await cursor.run(sql, {"n": first})
        await deferLater(reactor, 0.2)
        await cursor.run(sql, {"n": second})

    await gatherResults(
        [
            Deferred.fromCoroutine(database.transact(both, 1, 2)),
            Deferred.fromCoroutine(database.transact(both, 2, 1)),
        ]
    )

    async def texts(cursor: Cursor) -> list[Any]:
        return await cursor.tuples("SELECT text FROM notes ORDER BY id")

    assert await database.read(texts) == [("xx",), ("xx",)]


async def test_a_full_pool_refuses_after_a_while(database: Database) -> None:
    """Whoever waits too long for a connection is told so; those who hold one finish."""

    held: list[Cursor] = []

    async def hold(cursor: Cursor) -> str:
        held.append(cursor)
        while held:
            await deferLater(reactor, 0.02)
        return "held"

    holding = [Deferred.fromCoroutine(database.read(hold)) for _ in range(4)]
    await eventually(lambda: len(held) == 4)
    database.patience = 0.1
    with pytest.raises(DatabaseDown):
        await database.read(pid)
    database.patience = 60.0
    held.clear()
    assert await gatherResults(holding) == ["held"] * 4
    assert await database.read(pid)


async def test_waiting_for_a_connection_is_in_turn(database: Database) -> None:
    """Many more transactions than connections all come to their end."""
    await gatherResults([Deferred.fromCoroutine(database.transact(add, n)) for n in range(50)])
    assert await database.read(count) == 50


async def test_no_server_is_a_clear_failure() -> None:
    """A server that cannot be reached is a refusal with a sentence, within the deadline."""
    nowhere = Database("postgresql://nobody@/nothing?host=/nonexistent", reactor)
    with pytest.raises(DatabaseDown, match="nothing was changed"):
        await nowhere.read(pid)
    await nowhere.stop()


async def test_host_names_are_looked_up_beforehand() -> None:
    """libpq would look a name up on the reactor's thread, so it is given the address."""
    from pypi.db.connection import resolved

    parts = await resolved("postgresql://u@localhost:1/x", reactor)
    assert parts["hostaddr"] == "127.0.0.1"
    assert parts["host"] == "localhost"


async def test_a_stopped_pool_refuses(url: str) -> None:
    """Nobody gets a connection from a pool that was stopped."""
    stopped = Database(url, reactor)
    await stopped.read(pid)
    await stopped.stop()
    with pytest.raises(DatabaseDown):
        await stopped.read(pid)


async def test_stopping_does_not_wait_for_a_transaction_that_does_not_end(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever waits for the server gets a refusal, one that waits for its turn too, and stop returns."""
    monkeypatch.setattr(module, "GRACE", 0.1)
    stopping = Database(url, reactor, size=1)

    async def wait(cursor: Cursor) -> None:
        await cursor.run("SELECT pg_sleep(20)")

    waiting = [Deferred.fromCoroutine(stopping.transact(wait)) for _ in range(2)]
    await deferLater(reactor, 0.2)
    started = reactor.seconds()
    await stopping.stop()
    for one in waiting:
        with pytest.raises(DatabaseDown):
            await one
    assert reactor.seconds() - started < 15
    assert repr(stopping) == "<Database 0 of 1 connections, 0 busy, 0 waiting>"
