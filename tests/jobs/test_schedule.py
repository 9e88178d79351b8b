"""The schedule: jobs again and again, none twice at once, none in the way of stopping."""

from __future__ import annotations

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from pypi.domain.errors import StorageFailed
from pypi.jobs.schedule import GRACE, Schedule
from tests.http.memory import errors_logged


@define(eq=False)
class Task:
    """A job whose runs end when the test says so."""

    every: float = 10.0
    runs: list[Deferred[None]] = field(factory=list)
    cancelled: int = 0

    async def run(self) -> None:
        self.runs.append(Deferred())
        try:
            await self.runs[-1]
        except CancelledError:
            self.cancelled += 1
            raise


async def test_each_job_runs_at_its_own_pace_and_never_twice_at_once() -> None:
    """The next run begins its pause after the last one began, but not before that one has ended."""
    clock = Clock()
    fast, slow = Task(1.0), Task(5.0)
    schedule = Schedule(clock, [fast, slow])
    await schedule.start()
    assert not fast.runs
    clock.advance(1)
    clock.pump([1.0] * 5)
    assert (len(fast.runs), len(slow.runs)) == (1, 1)
    fast.runs[0].callback(None)
    clock.pump([1.0] * 2)
    assert (len(fast.runs), len(slow.runs)) == (2, 1)
    for run in (fast.runs[-1], slow.runs[-1]):
        run.callback(None)
    await schedule.stop()
    clock.pump([1.0] * 20)
    assert (len(fast.runs), len(slow.runs)) == (2, 1)


async def test_a_job_that_fails_is_tried_again() -> None:
    """A dependency that is away is no error; anything else is logged; both run again."""
    clock = Clock()
    job = Task(1.0)
    schedule = Schedule(clock, [job])
    await schedule.start()
    with errors_logged() as errors:
        clock.advance(1)
        job.runs[-1].errback(StorageFailed())
        clock.advance(1)
        assert not errors
        job.runs[-1].errback(LookupError("a mistake"))
        clock.advance(1)
    assert len(errors) == 1
    assert len(job.runs) == 3
    job.runs[-1].callback(None)
    await schedule.stop()


async def test_stopping_waits_for_a_job_that_is_about_to_end() -> None:
    """A run under way may finish, if it does so soon."""
    clock = Clock()
    job = Task(1.0)
    schedule = Schedule(clock, [job])
    await schedule.start()
    clock.advance(1)
    stopping = Deferred.fromCoroutine(schedule.stop())
    clock.advance(GRACE / 2)
    assert not stopping.called
    job.runs[-1].callback(None)
    assert stopping.called
    assert job.cancelled == 0
    assert not clock.getDelayedCalls()


async def test_stopping_interrupts_a_job_that_would_take_long() -> None:
    """A long run is cancelled, which is no error, and never begun again."""
    clock = Clock()
    job = Task(1.0)
    schedule = Schedule(clock, [job])
    await schedule.start()
    clock.advance(1)
    with errors_logged() as errors:
        stopping = Deferred.fromCoroutine(schedule.stop())
        clock.advance(GRACE)
    assert stopping.called
    assert job.cancelled == 1
    assert not errors
    assert not clock.getDelayedCalls()
