"""Runs jobs again and again, each at its own pace, none twice at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from pypi.domain.errors import Unavailable

GRACE = 0.5
"""Seconds that ``stop`` gives the jobs under way."""

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
        """Do what is to be done now; a failure is logged, and the next run tries again.

        It may be cancelled at any ``await`` when the service stops.
        """


@define(eq=False)
class Schedule:
    """A looping call for each job."""

    reactor: Any = field(repr=False)
    jobs: Sequence[Job]
    _loops: list[LoopingCall] = field(factory=list, init=False, repr=False)
    _ends: list[Deferred[Any]] = field(factory=list, init=False, repr=False)
    _runs: set[Deferred[None]] = field(factory=set, init=False, repr=False)

    async def start(self) -> None:
        """Run every job for the first time once the reactor is free."""
        for job in self.jobs:
            loop = LoopingCall(self._begin, job)
            loop.clock = self.reactor
            self._loops.append(loop)
            self._ends.append(loop.start(job.every, now=False))

    async def stop(self) -> None:
        """Begin no more jobs, and cancel those that do not finish within ``GRACE`` seconds."""
        for loop in self._loops:
            if loop.running:
                loop.stop()
        late = self.reactor.callLater(GRACE, self._cancel)
        await gatherResults(self._ends)
        if late.active():
            late.cancel()
        self._loops.clear()
        self._ends.clear()

    def _begin(self, job: Job) -> Deferred[None]:
        run = Deferred.fromCoroutine(_run(job))
        self._runs.add(run)
        run.addBoth(lambda _: self._runs.discard(run))
        return run

    def _cancel(self) -> None:
        for run in tuple(self._runs):
            run.cancel()


async def _run(job: Job) -> None:
    try:
        await job.run()
    except Unavailable as refusal:
        log.warn("{job} waits for better times: {refusal}", job=type(job).__name__, refusal=str(refusal))
    except CancelledError:
        log.info("{job} was interrupted; the next process goes on with it", job=type(job).__name__)
    except Exception:
        log.failure("{job} failed", job=type(job).__name__)
