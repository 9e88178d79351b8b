"""Threads for what blocks: bounds, faults, and how they end."""

from __future__ import annotations

import errno
import threading

import pytest
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from pypi.domain.errors import StorageFailed, StorageFull
from pypi.files import workers as workers_module
from pypi.files.workers import StoreBusy, Workers


async def test_result_and_exceptions_come_back(workers: Workers) -> None:
    """A call runs in another thread; what it returns or raises reaches the caller."""
    assert await workers.run(threading.get_ident) != threading.get_ident()
    with pytest.raises(ZeroDivisionError):
        await workers.run(lambda: 1 // 0)


@pytest.mark.parametrize(
    ("error", "refusal"),
    [(errno.ENOSPC, StorageFull), (errno.EDQUOT, StorageFull), (errno.EIO, StorageFailed)],
)
async def test_errors_of_the_system_become_refusals(
    workers: Workers, error: int, refusal: type[Exception]
) -> None:
    """An error of the operating system is a refusal that keeps its cause."""

    def fail() -> None:
        raise OSError(error, "injected")

    with pytest.raises(refusal) as refused:
        await workers.run(fail)
    assert isinstance(refused.value.__cause__, OSError)


async def test_queue_is_bounded() -> None:
    """As many calls wait as may; one more is refused, and taken again when there is room."""
    workers = Workers(reactor, threads=2, backlog=3)
    await workers.start()
    gate = threading.Event()
    calls = [Deferred.fromCoroutine(workers.run(gate.wait)) for _ in range(5)]
    with pytest.raises(StoreBusy, match="Try again later"):
        await workers.run(gate.wait)
    let_go = workers.release(lambda: "freed")
    gate.set()
    assert [await call for call in calls] == [True] * 5
    assert await let_go == "freed"
    assert await workers.run(gate.wait)
    await workers.stop()


async def test_cancelled_call_runs_to_its_end(workers: Workers) -> None:
    """Who waits for a call may leave; the call ends on its own and its thread is free again."""
    gate, ended = threading.Event(), threading.Event()

    def work() -> None:
        gate.wait()
        ended.set()

    call = Deferred.fromCoroutine(workers.run(work))
    call.cancel()
    with pytest.raises(CancelledError):
        await call
    gate.set()
    for _ in range(workers.threads):
        await workers.run(ended.wait)
    assert "0 calls" in repr(workers)


async def test_stopping_waits_for_the_calls_that_run() -> None:
    """``stop`` takes no more calls and returns when the last has ended; what frees something still runs."""
    workers = Workers(reactor, threads=1)
    await workers.start()
    gate = threading.Event()
    call = Deferred.fromCoroutine(workers.run(gate.wait))
    stopping = Deferred.fromCoroutine(workers.stop())
    with pytest.raises(StoreBusy):
        await workers.run(gate.wait)
    assert not stopping.called
    gate.set()
    await stopping
    assert await call
    assert await workers.release(lambda: None) is None


async def test_stopping_gives_up_on_a_call_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that does not end holds up neither ``stop`` nor the end of the process."""
    monkeypatch.setattr(workers_module, "PATIENCE", 0.05)
    workers = Workers(reactor, threads=1)
    await workers.start()
    gate = threading.Event()
    is_daemon: list[bool] = []

    def work() -> None:
        is_daemon.append(threading.current_thread().daemon)
        gate.wait()

    call = Deferred.fromCoroutine(workers.run(work))
    await workers.stop()
    assert not call.called
    gate.set()
    await call
    assert is_daemon == [True]


async def test_never_started() -> None:
    """Threads that were never started refuse calls, and stop without ado."""
    workers = Workers(reactor)
    with pytest.raises(StoreBusy):
        await workers.run(print)
    await workers.stop()
    await deferLater(reactor, 0)
