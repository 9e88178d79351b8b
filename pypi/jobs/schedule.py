"""Runs jobs again and again, each at its own pace, none twice at once."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pypi.domain.errors import Unavailable

log = Logger()

FIRST = 20.0
"""Seconds after which every job has begun once: soon after a crash, but not in a command that ends sooner."""


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
    """A loop for each job."""

    reactor: Any = field(repr=False)
    jobs: Sequence[Job]
    _loops: list[Deferred[None]] = field(factory=list, init=False, repr=False)
    _pauses: set[Deferred[None]] = field(factory=set, init=False, repr=False)
    _stopped: bool = field(default=False, init=False, repr=False)

    async def start(self) -> None:
        """Begin to wait for the first run of every job."""
        self._stopped = False
        self._loops = [Deferred.fromCoroutine(self._repeat(job)) for job in self.jobs]

    async def stop(self) -> None:
        """Let running jobs finish, and begin no more."""
        self._stopped = True
        for pause in tuple(self._pauses):
            pause.cancel()
        await gatherResults(self._loops)

    async def _repeat(self, job: Job) -> None:
        await self._pause(min(FIRST, job.every))
        while not self._stopped:
            await _run(job)
            await self._pause(job.every)

    async def _pause(self, seconds: float) -> None:
        if self._stopped:
            return
        pause: Deferred[None] = deferLater(self.reactor, seconds)
        self._pauses.add(pause)
        with suppress(CancelledError):
            await pause
        self._pauses.discard(pause)


async def _run(job: Job) -> None:
    try:
        await job.run()
    except Unavailable as refusal:
        log.warn("{job} waits for better times: {refusal}", job=type(job).__name__, refusal=str(refusal))
    except Exception:
        log.failure("{job} failed", job=type(job).__name__)
