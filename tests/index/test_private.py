"""What is known of projects that are not for everybody, and how soon."""

from __future__ import annotations

from collections.abc import AsyncIterator
from time import time
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor

from pypi.db.database import Database, DatabaseDown
from pypi.domain.errors import Unavailable
from pypi.domain.permissions import Access
from pypi.index.private import Private
from tests.support.databases import ask
from tests.support.index import eventually


@define(eq=False)
class Failing:
    """A database that does not answer for a while."""

    database: Database
    fails: bool = False
    looks: list[Any] = field(factory=list)
    asked: list[Any] = field(factory=list)

    async def ask(self, function: Any, *args: Any) -> Any:
        self.asked.append(args)
        if self.fails:
            raise DatabaseDown()
        return await self.database.ask(function, *args)

    async def scan(self, function: Any, *args: Any) -> Any:
        self.looks.append(args)
        if self.fails:
            raise DatabaseDown()
        return await self.database.scan(function, *args)


@define(eq=False)
class World:
    url: str
    source: Failing
    private: Private

    def says(self, name: str, reads: str, *digests: str) -> None:
        """There is a project that these read, and that has such files."""
        ask(
            self.url,
            "INSERT INTO projects (name, normalized, look_alike, reads, created)"
            f" VALUES ('{name}', '{name}', '{name}', '{reads}', now())"
            f" ON CONFLICT (normalized) DO UPDATE SET reads = '{reads}' RETURNING id",
        )
        for digest in digests:
            ask(
                self.url,
                "WITH p AS (SELECT id FROM projects WHERE normalized = '" + name + "'), r AS ("
                "INSERT INTO releases (project_id, version, canonical, is_prerelease, metadata, created)"
                " SELECT id, '1', '1', false, '{}', now() FROM p"
                " ON CONFLICT (project_id, canonical) DO UPDATE SET version = '1' RETURNING id)"
                " INSERT INTO files (project_id, release_id, filename, filetype, python_version, size, md5,"
                " sha256, blake2_256, uploaded)"
                f" SELECT p.id, r.id, '{digest}', 'sdist', 'source', 1, '{digest[:32]}', '{digest}',"
                f" '{digest}', now() FROM p, r RETURNING id",
            )


@pytest_twisted.async_yield_fixture
async def world(database_url: str) -> AsyncIterator[World]:
    database = Database(database_url, reactor)
    await database.start()
    source = Failing(database)
    private = Private(source, reactor)  # type: ignore[arg-type]
    yield World(database_url, source, private)
    await private.stop()
    await database.stop()


ONE, TWO, THREE = (digit * 64 for digit in "123")


async def test_from_the_start(world: World) -> None:
    """All private projects are known by name, and by their files; and nothing of others."""
    world.says("brie", "roles", ONE, TWO)
    world.says("feta", "accounts")
    world.says("gouda", "public", THREE)
    await world.private.start()
    brie = world.private.project("brie")
    assert brie is not None
    assert brie.access is Access.ROLES
    assert world.private.file(ONE) == world.private.file(TWO) == brie
    assert world.private.project("feta").access is Access.ACCOUNTS  # type: ignore[union-attr]
    assert world.private.project("gouda") is None
    assert THREE not in world.private
    assert repr(world.private) == "<Private 2 projects, 2 files>"


async def test_nothing_is_guessed(world: World) -> None:
    """Until the database has answered once nobody is told anything; then all is known by itself."""
    world.says("brie", "roles", ONE)
    world.source.fails = True
    await world.private.start()
    for question in (
        lambda: world.private.project("x"),
        lambda: world.private.file(ONE),
        lambda: ONE in world.private,
    ):
        with pytest.raises(Unavailable):
            question()
    world.source.fails = False
    await eventually(lambda: world.private._is_known)
    assert ONE in world.private


async def test_hints(world: World) -> None:
    """A hint names what may have changed, and no more is read; what fails is tried again."""
    world.says("brie", "roles", ONE)
    world.says("feta", "roles", TWO)
    await world.private.start()
    world.says("brie", "accounts", THREE)
    world.says("feta", "public")
    await world.private.look(["brie"])
    assert THREE in world.private
    assert world.private.project("brie").access is Access.ACCOUNTS  # type: ignore[union-attr]
    assert TWO in world.private
    world.source.fails = True
    await world.private.look(["feta"])
    assert TWO in world.private
    world.source.fails = False
    await eventually(lambda: TWO not in world.private)
    assert world.private.project("feta") is None
    assert [args for args in world.source.looks if args] == [
        (["brie"], [1]),
        (["feta"], [2]),
        (["feta"], [2]),
    ]


async def test_names_it_had(world: World) -> None:
    """A private project is private under all names it had; and gone under all of them when it is deleted."""
    world.says("brie", "roles", ONE)
    ask(
        world.url,
        "INSERT INTO former_names (normalized, name, look_alike, project_id, since)"
        " SELECT 'camembert', 'Camembert', 'camembert', id, now() FROM projects RETURNING 1",
    )
    await world.private.start()
    assert world.private.project("camembert") == world.private.project("brie") is not None
    ask(world.url, "DELETE FROM projects RETURNING 1")
    await world.private.look(["camembert"])
    assert world.private.project("brie") is None
    assert ONE not in world.private


async def test_many_hints_at_once(world: World) -> None:
    """Hints that come while it looks are looked after together."""
    await world.private.start()
    begun = len(world.source.looks)
    for number in range(20):
        world.says(f"brie{number}", "roles")
        world.private.hint([f"brie{number}"])
    await eventually(lambda: world.private.project("brie19") and not world.private._turn.locked)
    assert all(world.private.project(f"brie{number}") for number in range(20))
    assert len(world.source.looks) - begun <= 3


async def test_files_of_this_moment(world: World) -> None:
    """Whose a file is that came a moment ago is looked up, once, though nobody has told; of others, never."""
    await world.private.start()
    world.says("brie", "roles", ONE)
    world.says("feta", "public", TWO)
    begun = time()
    looks = len(world.source.looks)
    for digest in (ONE, TWO, TWO, THREE):
        await world.private.settle(digest, begun - 3600)
    assert ONE not in world.private
    for digest in (ONE, TWO, TWO, ONE):
        await world.private.settle(digest, begun)
    assert ONE in world.private
    assert TWO not in world.private
    assert len(world.source.asked) == 2
    assert len(world.source.looks) == looks + 1
    world.source.fails = True
    await world.private.settle(TWO, begun)
    with pytest.raises(DatabaseDown):
        await world.private.settle(THREE, begun)


async def test_heard_before_it_is_said(world: World) -> None:
    """Whoever announces a change of what is private has it known here."""
    announced = []

    async def announce(serial: int, tags: object) -> None:
        announced.append(serial)

    await world.private.start()
    world.says("brie", "roles", ONE)
    heard = world.private.after(announce)
    await heard(7, ["project/brie", "search"])
    assert ONE not in world.private
    await heard(8, ["private", "private/brie"])
    assert ONE in world.private
    assert announced == [7, 8]
