"""Computations that outlive whoever asked for them first."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, TypeVar

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

T = TypeVar("T")

log = Logger()


async def shielded(work: Coroutine[Any, Any, T]) -> T:
    """Run ``work`` to its end even if the one awaiting it is cancelled.

    A client that hangs up cancels its handler at the ``await`` it stands at; a write half-way through must
    not stop there. The canceller gets its ``CancelledError`` at once, the work goes on, and a failure nobody
    waits for any more is logged.

    Returns:
        what ``work`` returns; its exceptions pass through.
    """
    waiter: Deferred[T] = Deferred()
    running = Deferred.fromCoroutine(work)

    def settled(result: T | Failure) -> None:
        if not waiter.called:
            waiter.callback(result)  # a Failure starts the errbacks
        elif isinstance(result, Failure) and not isinstance(result.value, CancelledError):
            log.failure("Shielded work failed after its caller had left", failure=result)

    running.addBoth(settled)
    return await waiter
