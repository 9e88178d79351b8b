"""What reads an index, on a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_twisted
from twisted.internet import reactor

from pypi.db.database import Database
from pypi.index.names import Names


@pytest_twisted.async_yield_fixture
async def names(database_url: str) -> AsyncIterator[Names]:
    """The list of all projects, of which there are none yet."""
    database = Database(database_url, reactor, size=4)
    made = Names(database)
    await made.start()
    yield made
    await made.stop()
    await database.stop()
