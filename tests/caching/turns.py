"""Waiting on the real reactor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from twisted.internet import reactor as global_reactor
from twisted.internet.task import deferLater

reactor: Any = global_reactor
T = TypeVar("T")


async def turns(count: int = 3) -> None:
    """Let the reactor go round so many times."""
    for _ in range(count):
        await deferLater(reactor, 0)


async def eventually(condition: Callable[[], T], *, within: float = 60.0) -> T:
    """The first result of ``condition`` that counts as true; fails after so many seconds without one."""
    give_up = reactor.seconds() + within
    while not (result := condition()):
        assert reactor.seconds() < give_up, "it never came to that"
        await deferLater(reactor, 0.005)
    return result
