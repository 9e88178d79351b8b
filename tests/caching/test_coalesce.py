"""Computations that outlive their callers."""

from __future__ import annotations

import pytest
from twisted.internet.defer import CancelledError, Deferred

from caching.coalesce import shielded


async def wait(gate: Deferred[str], done: list[str]) -> str:
    result = await gate
    done.append(result)
    return result


async def test_the_result_passes_through() -> None:
    """Undisturbed, a shield is not noticed."""
    gate: Deferred[str] = Deferred()
    waiting = Deferred.fromCoroutine(shielded(wait(gate, [])))
    gate.callback("result")
    assert await waiting == "result"


async def test_failures_pass_through() -> None:
    """An exception of the work is the caller's to see."""
    gate: Deferred[str] = Deferred()
    waiting = Deferred.fromCoroutine(shielded(wait(gate, [])))
    gate.errback(LookupError("no"))
    with pytest.raises(LookupError):
        await waiting


async def test_cancelling_the_caller_lets_the_work_finish() -> None:
    """The caller is gone at once; the work does not learn of it."""
    gate: Deferred[str] = Deferred()
    done: list[str] = []
    waiting = Deferred.fromCoroutine(shielded(wait(gate, done)))
    waiting.cancel()
    with pytest.raises(CancelledError):
        await waiting
    assert done == []
    gate.callback("result")
    assert done == ["result"]


@pytest.mark.parametrize(("expected", "logged"), [((), True), ((LookupError,), False)])
async def test_a_failure_nobody_waits_for_is_logged(expected: tuple[type[Exception]], logged: bool) -> None:
    """What goes wrong after the caller left is not lost, unless it was to be expected."""
    from twisted.logger import globalLogPublisher

    events: list[object] = []
    globalLogPublisher.addObserver(events.append)  # type: ignore[arg-type]
    try:
        gate: Deferred[str] = Deferred()
        waiting = Deferred.fromCoroutine(shielded(wait(gate, []), *expected))
        waiting.cancel()
        waiting.addErrback(lambda _: None)
        gate.errback(LookupError("late"))
    finally:
        globalLogPublisher.removeObserver(events.append)  # type: ignore[arg-type]
    assert any("log_failure" in event for event in events) is logged  # type: ignore[operator]
