"""Migrations: from nothing to the newest schema, once, whoever else is at it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from twisted.internet import reactor

from pypi.db.database import Database
from pypi.db.migrations import SchemaBehind, apply, current, head
from tests.support.databases import Databases, ask


@pytest.fixture
def empty(databases: Databases) -> Iterator[str]:
    """A database without any schema."""
    url = databases.make(migrated=False)
    yield url
    databases.drop(url)


def test_from_nothing_to_the_newest(empty: str) -> None:
    """An empty database gets the whole schema, and a second run finds nothing to do."""
    assert apply(empty) == (None, head())
    assert apply(empty) == (head(), head())


async def test_the_revision_is_known_without_alembic(empty: str) -> None:
    """A running service asks for the revision with one query."""
    database = Database(empty, reactor)
    assert await database.read(current) is None
    apply(empty)
    assert await database.read(current) == head()
    await database.stop()


def test_two_at_once_do_not_race(empty: str) -> None:
    """Of several processes that migrate one database, one does it and the others find it done."""
    command = [sys.executable, "-m", "pypi.db.migrations"]
    piped = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, **piped) for _ in range(3)]
    for process in running:
        process.stdin.write(f"{empty}\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0].strip() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0]
    assert sorted(said) == sorted([f"empty -> {head()}", *[f"{head()} -> {head()}"] * 2])


def test_a_newer_schema_is_refused(empty: str) -> None:
    """Old code does not touch a database of newer code, and says what to do."""
    apply(empty)
    ask(empty, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(SchemaBehind, match="newer than this Cheeseshop"):
        apply(empty)


def test_a_step_that_fails_leaves_nothing_behind(empty: str) -> None:
    """Each step is one transaction: a table in its way stops it, and no other table is there."""
    ask(empty, "CREATE TABLE files (id int)")
    with pytest.raises(Exception, match="already exists"):
        apply(empty)
    tables = ask(empty, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert {name for (name,) in tables} <= {"files", "alembic_version"}
