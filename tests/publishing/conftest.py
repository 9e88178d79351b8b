"""What tests of managing begin with, where they say nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_twisted

from tests.support.archives import wheel
from tests.support.index import Index, running


@pytest_twisted.async_yield_fixture
async def new_index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index with ``demo``, and accounts that are nothing to it."""
    async with running(database_url, tmp_path) as made:
        await made.upload(wheel("demo"), "demo-1.0-py3-none-any.whl")
        await made.add_user("eve")
        await made.add_user("Bob")
        yield made
