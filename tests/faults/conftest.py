"""Services to be hurt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from tests.support.databases import Databases
from tests.support.index import OWNER
from tests.support.rig import Victim

LONG = 1800
"""Seconds that a long test may take on a busy machine."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give long tests their time."""
    for item in items:
        if item.path.parent == Path(__file__).parent and item.get_closest_marker("long"):
            item.add_marker(pytest.mark.timeout(LONG))


@pytest_twisted.async_yield_fixture
async def resting(database_url: str, tmp_path: Path) -> AsyncIterator[Victim]:
    """A service that was not started yet, on a database and a folder of its own, with one account."""
    made = Victim(tmp_path, database_url=database_url)
    await made.welcome(OWNER)
    try:
        yield made
    finally:
        made.end()


@pytest_twisted.async_yield_fixture
async def victim(resting: Victim) -> AsyncIterator[Victim]:
    """The same service, running."""
    resting.start()
    yield resting


@pytest_twisted.async_yield_fixture
async def embedded(tmp_path: Path) -> AsyncIterator[Victim]:
    """A running service with a PostgreSQL of its own."""
    made = Victim(tmp_path)
    made.start()
    try:
        await made.welcome(OWNER)
        yield made
    finally:
        made.end()


@pytest_twisted.async_yield_fixture(scope="module")
async def survivor(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Victim]:
    """A running service for all tests of a module: after each of them it has to be as good as new."""
    url = databases.make()
    made = Victim(tmp_path_factory.mktemp("survivor"), database_url=url)
    try:
        await made.welcome(OWNER)
        made.start()
        yield made
    finally:
        made.end()
        databases.drop(url)
