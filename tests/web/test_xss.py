"""What people write stays text, wherever it is shown."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_twisted

from tests.support.hostile import hostile_project, publish
from tests.support.index import Index, running


@pytest_twisted.async_yield_fixture
async def index(database_url: str, tmp_path: Path) -> AsyncIterator[Index]:
    """An index that nobody has used yet."""
    async with running(database_url, tmp_path) as made:
        yield made


@pytest.mark.parametrize("content_type", ["text/markdown", "text/x-rst", "text/plain"])
async def test_it_is_published(index: Index, content_type: str) -> None:
    """A project that is hostile in every field is one that keeps to the standard, and is taken."""
    reply = await publish(index, hostile_project(content_type=content_type))
    assert reply.status == 200, reply.text
    assert "Warning" not in reply.text
    assert index.sql("SELECT count(*) FROM descriptions WHERE html IS NOT NULL") == [(1,)]
