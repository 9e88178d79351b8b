"""Runs jobs again and again, each at its own pace, none twice at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pypi.domain.errors import Unavailable

log = Logger()


class Job(Protocol):
    """Something to be done every now and then.

    Attributes:
        every: seconds from the end of one run to the next.
    """

    @property
    def every(self) -> float:
        """Seconds between runs."""

    async def run(self) -> None:
        """Do what is to be done now; a failure is logged, and the next run tries again."""


@define(eq=False)
class Schedule:
    """A looping call for each job."""

    reactor: Any = field(repr=False)
    jobs: Sequence[Job]
    _loops: list[LoopingCall] = field(factory=list, init=False, repr=False)
    _ends: list[Deferred[Any]] = field(factory=list, init=False, repr=False)

    async def start(self) -> None:
        """Run every job for the first time once the reactor is free."""
        for job in self.jobs:
            loop = LoopingCall(lambda job=job: Deferred.fromCoroutine(_run(job)))
            loop.clock = self.reactor
            self._loops.append(loop)
            self._ends.append(loop.start(job.every, now=False))

    async def stop(self) -> None:
        """Let running jobs finish, and begin no more."""
        for loop in self._loops:
            if loop.running:
                loop.stop()
        await gatherResults(self._ends)
        self._loops.clear()
        self._ends.clear()


async def _run(job: Job) -> None:
    try:
        await job.run()
    except Unavailable as refusal:
        log.warn("{job} waits for better times: {refusal}", job=type(job).__name__, refusal=str(refusal))
    except Exception:
        log.failure("{job} failed", job=type(job).__name__)
