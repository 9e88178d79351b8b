"""The schedule: every job at its own pace, none twice at once, none lost to a failure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent

from pypi.domain.errors import Unavailable
from pypi.jobs.schedule import FIRST, Schedule
from tests.http.memory import errors_logged


@define(eq=False)
class Job:
    """A job that notes when it began.

    Attributes:
        lasts: seconds a run takes.
        fails: what a run raises.
    """

    clock: Clock
    every: float = 10.0
    lasts: float = 0.0
    fails: Exception | None = None
    begun: list[float] = field(factory=list)
    ended: list[float] = field(factory=list)

    async def run(self) -> None:
        """Note the time, and take some."""
        self.begun.append(self.clock.seconds())
        if self.lasts:
            over: Deferred[None] = Deferred()
            self.clock.callLater(self.lasts, over.callback, None)
            await over
        self.ended.append(self.clock.seconds())
        if self.fails is not None:
            raise self.fails


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def errors() -> Iterator[list[LogEvent]]:
    with errors_logged() as found:
        yield found


def begin(clock: Clock, *jobs: Job) -> Schedule:
    schedule = Schedule(clock, jobs)
    started = Deferred.fromCoroutine(schedule.start())
    assert started.called
    return schedule


def turn(clock: Clock, seconds: float) -> None:
    """Let time pass, second by second."""
    clock.pump([1.0] * int(seconds))


def test_own_pace(clock: Clock) -> None:
    """Each job comes again when its time has passed; the first time comes soon, also for rare ones."""
    often, rarely = Job(clock, every=5), Job(clock, every=3600)
    begin(clock, often, rarely)
    turn(clock, 30)
    assert often.begun == [5, 10, 15, 20, 25, 30]
    assert rarely.begun == [FIRST]
    turn(clock, 3600)
    assert rarely.begun == [FIRST, FIRST + 3600]


def test_nothing_at_once(clock: Clock) -> None:
    """A process that ends at once has run nothing."""
    job = Job(clock)
    schedule = begin(clock, job)
    assert job.begun == []
    assert Deferred.fromCoroutine(schedule.stop()).called
    turn(clock, 100)
    assert job.begun == []


def test_none_twice_at_once(clock: Clock) -> None:
    """A run that takes long delays the next of that job, and no other job."""
    slow, quick = Job(clock, every=10, lasts=25), Job(clock, every=10)
    begin(clock, slow, quick)
    turn(clock, 100)
    assert (slow.begun, slow.ended) == ([10, 45, 80], [35, 70])
    assert quick.begun == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


def test_stop_in_the_middle(clock: Clock) -> None:
    """Whoever stops waits for runs under way, and sees no new ones."""
    slow, idle = Job(clock, lasts=25), Job(clock)
    schedule = begin(clock, slow, idle)
    turn(clock, 15)
    stopped = Deferred.fromCoroutine(schedule.stop())
    assert not stopped.called
    turn(clock, 25)
    assert stopped.called
    turn(clock, 100)
    assert (slow.begun, slow.ended, idle.begun) == ([10], [35], [10])
    assert clock.getDelayedCalls() == []


def test_start_again(clock: Clock) -> None:
    """A schedule that was stopped can be started."""
    job = Job(clock)
    schedule = begin(clock, job)
    Deferred.fromCoroutine(schedule.stop())
    Deferred.fromCoroutine(schedule.start())
    turn(clock, 10)
    assert job.begun == [10]


def test_failures(clock: Clock, errors: list[LogEvent]) -> None:
    """A run that fails is logged, and the next one tries again."""
    job = Job(clock, fails=LookupError("x"))
    begin(clock, job)
    turn(clock, 20)
    assert job.begun == [10, 20]
    assert [event["job"] for event in errors] == ["Job", "Job"]


def test_hard_times(clock: Clock, errors: list[LogEvent]) -> None:
    """That something behind us does not answer is no failure of a job."""
    job = Job(clock, fails=Unavailable("the database is away"))
    begin(clock, job)
    turn(clock, 20)
    assert job.begun == [10, 20]
    assert errors == []
