"""Answers that come at the same time whatever they were about, so that their time tells nothing."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

T = TypeVar("T")

SECONDS = 0.5
"""More than the work takes: a password is hashed in a fifth of it."""


async def evenly(reactor: Any, work: Coroutine[Any, Any, T], *, seconds: float = SECONDS) -> T:
    """What the work returns or raises, no sooner than after so many seconds."""
    waiting: Deferred[None] = deferLater(reactor, seconds)
    try:
        return await Deferred.fromCoroutine(work)
    finally:
        await waiting


async def refusing_evenly(
    reactor: Any, work: Coroutine[Any, Any, T], refusal: type[Exception], *, seconds: float = SECONDS
) -> T:
    """What the work returns, at once; a refusal of it, no sooner than after so many seconds."""
    waiting: Deferred[None] = deferLater(reactor, seconds)
    try:
        return await Deferred.fromCoroutine(work)
    except refusal:
        await waiting
        raise
    finally:
        waiting.addErrback(lambda _: None).cancel()
