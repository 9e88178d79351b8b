"""Services to be hurt."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_twisted

from tests.support.index import OWNER
from tests.support.rig import Victim


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
