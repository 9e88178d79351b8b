"""Fixtures of the file stores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted
from twisted.internet import reactor

from pypi.files.spool import Spool
from pypi.files.workers import Workers


@pytest_twisted.async_yield_fixture
async def workers() -> AsyncIterator[Workers]:
    made = Workers(reactor, threads=4, name="test")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def spool(tmp_path: Path, workers: Workers) -> Spool:
    """A spool where the local store of the same test looks for it."""
    return Spool(tmp_path / "files" / ".tmp", workers)
