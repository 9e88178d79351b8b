"""For tests of what is kept: until it is."""

from __future__ import annotations

import pytest
from twisted.internet import reactor
from twisted.internet.task import deferLater

from tests.support.index import Index


async def until_kept(index: Index, path: str) -> None:
    """Ask until an answer comes out of memory: what is made before all changes are known is not kept."""
    for _ in range(1000):
        if (await index.ask(path))["Cache-Status"] == "cheeseshop-l1; hit":
            return
        await deferLater(reactor, 0.05)
    pytest.fail(f"{path} is not kept")
