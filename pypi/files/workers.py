"""Threads for what blocks: a bounded pool in front of a disk or a bucket."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from pypi.domain.errors import StorageFailed, StorageFull, Unavailable

T = TypeVar("T")

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
PATIENCE = 3.0
"""Seconds ``stop`` gives the calls that still run."""

log = Logger()


@frozen
class StoreBusy(Unavailable):
    """As many calls wait for a thread as may."""

    def __str__(self) -> str:
        return "The file store has more to do than it can take at the moment. Try again later."


@define(eq=False)
class Workers:
    """A pool of threads with a bounded number of calls waiting for one.

    Attributes:
        reactor: whose thread gets the results.
        threads: most calls that run at once.
        backlog: most calls that wait; the next is refused.
        name: of the threads, in logs and debuggers.
    """

    reactor: Any
    threads: int = 8
    backlog: int = 1024
    name: str = "files"
    _pool: ThreadPool = field(init=False)
    _calls: int = field(default=0, init=False)
    _running: bool = field(default=False, init=False)
    _idle: Deferred[None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._pool = ThreadPool(0, self.threads, self.name)
        # A call that outlasts the service's patience must not keep the process from ending.
        self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Workers {self.name}: {self._calls} calls on {self.threads} threads>"

    async def start(self) -> None:
        """Take calls."""
        self._running = True
        self._pool.start()

    async def stop(self) -> None:
        """Take no more calls, and give those that run ``PATIENCE`` seconds."""
        self._running = False
        if self._calls:
            self._idle = Deferred()
            self._idle.addTimeout(PATIENCE, self.reactor, lambda *_: None)
            await self._idle
        if self._calls:
            log.warn("{calls} calls of {name} did not end in time", calls=self._calls, name=self.name)
        elif self._pool.started:
            self._pool.stop()

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        """What ``function(*args)`` returns, run in a thread.

        It runs to its end also if nobody waits for it any more.

        Raises:
            StoreBusy: too many calls wait, or the pool is stopped.
            StorageFull: it met the end of the disk, of a quota or of a size limit.
            StorageFailed: it met another error of the operating system, which is logged.
            Exception: whatever else the function raises.
        """
        if not self._running or self._calls >= self.threads + self.backlog:
            raise StoreBusy()
        try:
            return await self._submit(function, *args)
        except OSError as error:
            work = getattr(function, "__qualname__", repr(function))
            log.error("The file store failed in {work}: {error}", work=work, error=error)
            raise (StorageFull() if error.errno in FULL else StorageFailed()) from error

    def release(self, function: Callable[..., object], *args: Any) -> Deferred[Any]:
        """Run what only lets go of something: never refused, and at once when the threads are gone."""
        if self._pool.started:
            return self._submit(function, *args)
        function(*args)
        done: Deferred[Any] = Deferred()
        done.callback(None)
        return done

    def _submit(self, function: Callable[..., T], *args: Any) -> Deferred[T]:
        self._calls += 1
        waiter: Deferred[T] = Deferred()

        def finished(_ok: bool, result: T | Failure) -> None:
            self.reactor.callFromThread(self._finished, waiter, result)

        self._pool.callInThreadWithCallback(finished, function, *args)
        return waiter

    def _finished(self, waiter: Deferred[T], result: T | Failure) -> None:
        self._calls -= 1
        if not self._calls and self._idle is not None and not self._idle.called:
            self._idle.callback(None)
        if not waiter.called:
            waiter.callback(result)  # a Failure starts the errbacks
