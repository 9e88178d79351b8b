"""Indexes for searches: one that begins with an upload, and one of nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted
from twisted.internet import reactor

from pypi.db.database import Database
from pypi.search.find import Search
from tests.web.conftest import new_index

__all__ = ["empty", "new_index"]


@pytest_twisted.async_yield_fixture
async def empty(database_url: str) -> AsyncIterator[Search]:
    """Searches an index of nothing."""
    database = Database(database_url, reactor)
    yield Search(database=database)
    await database.stop()
