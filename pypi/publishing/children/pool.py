"""A bounded pool of children, and the jobs that wait for one.

A child lives long and takes one job at a time. One that takes too long, needs too much memory or says what
it should not is killed, and its job lost; the next job gets a new one.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from attrs import asdict, define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import Logger

from pypi.publishing.children.confined import Budget
from pypi.publishing.children.process import Child, ChildUnavailable, Errand

log = Logger()

T = TypeVar("T")

# Isolated and without ``site``, which nothing here needs: what the parent can import, the child can. Ctrl-C
# in a terminal reaches children too, and is the parent's to heed, also while they are importing.
_START = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.SIG_IGN); sys.path += sys.argv[2].split(':'); "
    "from importlib import import_module; import_module(sys.argv[1]).main()"
)


class ChildrenBusy(Exception):
    """As many jobs wait for a child as may."""


@define(eq=False, repr=False, kw_only=True)
class Children(Generic[T]):
    """A bounded pool of child processes.

    Attributes:
        reactor: starts processes and tells the time.
        module: whose ``main`` a child runs; it calls ``confined.serve``.
        read: a reply → the result of the job; raises what it likes if it is none.
        arguments: of a child's command, before its budget.
        budget: what the operating system grants a child.
        processes: at most this many children; each is started when there is need of it.
        deadline_seconds: for one job, by the clock on the wall.
        most_waiting: jobs that may wait for a child; more are refused.
        most_received: bytes of a reply.
        jobs_each: after which a child is replaced.
        resident_bytes: a child that holds more than this after a job is replaced.
        idle_seconds: after so long without a job a child is ended; ``None`` keeps it.
    """

    reactor: Any
    module: str
    read: Callable[[bytes], T]
    arguments: tuple[str, ...] = ()
    budget: Budget = field(factory=Budget)
    processes: int
    deadline_seconds: float
    most_waiting: int
    most_received: int
    jobs_each: int = 500
    resident_bytes: int = 256 << 20
    idle_seconds: float | None = None
    _all: set[Child[T]] = field(factory=set, init=False)
    _idle: list[Child[T]] = field(factory=list, init=False)
    _waiting: deque[Errand[T]] = field(factory=deque, init=False)
    _stopped: bool = field(default=False, init=False)

    def __str__(self) -> str:
        return (
            f"{len(self._all)} of {self.processes} processes, "
            f"{len(self._idle)} idle, {len(self._waiting)} jobs waiting"
        )

    async def start(self) -> None:
        """Have children that are kept ready for the first job; without this, that one waits for its own."""
        self._stopped = False
        try:
            while self.idle_seconds is None and len(self._all) < self.processes:
                self._rest(self._start())
        except OSError:
            # Reading the index needs none, and there may be one by the time of the first job.
            log.failure("No child can be started for {module}", module=self.module)

    async def ask(self, job: bytes, label: str) -> T:
        """Have a child do a job.

        Args:
            label: what the log calls it.

        Raises:
            ChildrenBusy: too many jobs are waiting.
            ChildUnavailable: no child can be started, or the pool stopped.
            JobLost: the job was the end of its child.
        """
        if self._stopped:
            raise ChildUnavailable
        if len(self._waiting) >= self.most_waiting:
            raise ChildrenBusy
        errand: Errand[T] = Errand(label, job, Deferred(self._forget))
        self._waiting.append(errand)
        self._serve()
        return await errand.answer

    async def stop(self) -> None:
        """End every child; jobs under way or waiting fail. Returns when no process is left."""
        self._stopped = True
        while self._waiting:
            self._waiting.popleft().fail(ChildUnavailable())
        ended = [child.ended for child in self._all]
        for child in tuple(self._all):
            child.abandon(ChildUnavailable())
        await gatherResults(ended)

    def _forget(self, answer: Deferred[T]) -> None:
        """Called by a cancelled answer. A job under way goes on to its end: its child is worth more."""
        self._waiting = deque(errand for errand in self._waiting if errand.answer is not answer)

    def _serve(self) -> None:
        while self._waiting:
            try:
                child = self._free()
            except OSError:
                log.failure("No child can be started for {module}", module=self.module)
                self._waiting.popleft().fail(ChildUnavailable())
                continue
            if child is None:
                return
            child.give(self._waiting.popleft())

    def _free(self) -> Child[T] | None:
        while self._idle:
            child = self._idle.pop()
            if not child.dying:
                return child
        return self._start() if len(self._all) < self.processes else None

    def _start(self) -> Child[T]:
        child = Child(
            reactor=self.reactor,
            read=self.read,
            deadline_seconds=self.deadline_seconds,
            most_received=self.most_received,
            done=self._done,
            gone=self._gone,
        )
        path = ":".join(os.path.abspath(entry) for entry in sys.path)
        settings = (*self.arguments, json.dumps(asdict(self.budget)))
        command = [sys.executable, "-I", "-S", "-c", _START, self.module, path, *settings]
        self.reactor.spawnProcess(child, sys.executable, command, env={})
        self._all.add(child)
        return child

    def _rest(self, child: Child[T]) -> None:
        self._idle.append(child)
        child.rest(self.idle_seconds)

    def _done(self, child: Child[T]) -> None:
        if child.jobs >= self.jobs_each or child.resident_bytes() > self.resident_bytes:
            child.kill()
            return
        self._rest(child)
        self._serve()

    def _gone(self, child: Child[T]) -> None:
        child.dying = True
        self._all.discard(child)
        self._idle = [other for other in self._idle if other is not child]
        self._serve()
