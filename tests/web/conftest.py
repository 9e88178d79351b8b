"""Indexes for the tests of the rooms."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path

import pytest
import pytest_twisted

from tests.support.databases import Databases
from tests.support.index import Index, running

_numbers = count(1)


@pytest_twisted.async_yield_fixture(scope="module")
async def index(
    request: pytest.FixtureRequest, databases: Databases, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Index]:
    """One index for all tests of a module, each of which uses project names of its own.

    The module may set ``SETTINGS``, options of ``running``.
    """
    url = databases.make()
    settings = getattr(request.module, "SETTINGS", {})
    async with running(url, tmp_path_factory.mktemp("index"), **settings) as made:
        yield made
    databases.drop(url)


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index that nobody has used yet."""
    async with running(database_url, tmp_path) as made:
        yield made


@pytest.fixture
def name() -> str:
    """A project name nobody else uses."""
    return f"project{next(_numbers)}"
