"""Watching a server, with a clock of our own and no server at all."""

from __future__ import annotations

from itertools import pairwise

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock

from pypi.embedded.watch import LONGEST_PAUSE, LOOK, STEADY, Watch


@define(eq=False)
class Patient:
    """A server that dies as told."""

    clock: Clock
    alive: bool = True
    recovers: bool = True
    restarts: list[float] = field(factory=list)
    losses: int = 0

    def restart(self) -> Deferred[None]:
        self.restarts.append(self.clock.seconds())
        self.alive = self.recovers
        return succeed(None) if self.recovers else fail(OSError("no"))

    def lost(self) -> None:
        self.losses += 1

    def watch(self) -> Watch:
        return Watch("Patient", self.clock, lambda: self.alive, self.restart, self.lost)


def pass_time(clock: Clock, seconds: float) -> None:
    clock.pump([LOOK / 5] * round(seconds * 5 / LOOK))


def test_dead_server_is_started_again_and_reported_once() -> None:
    """A server that dies is soon up again, and who asked to know was told."""
    patient = Patient(Clock())
    watch = patient.watch()
    watch.start()
    pass_time(patient.clock, 2)
    assert watch.is_up
    assert patient.restarts == []
    patient.alive = False
    pass_time(patient.clock, 2)
    assert watch.is_up
    assert (len(patient.restarts), patient.losses) == (1, 1)
    watch.stop()


def test_server_that_cannot_be_started_is_tried_ever_more_slowly_for_ever() -> None:
    """The pauses double up to a bound, and the loss is reported once."""
    patient = Patient(Clock(), alive=False, recovers=False)
    watch = patient.watch()
    watch.start()
    pass_time(patient.clock, 400)
    assert not watch.is_up
    assert patient.losses == 1
    pauses = [late - early for early, late in pairwise(patient.restarts)]
    assert all(late > early - LOOK for early, late in pairwise(pauses))
    assert pauses[0] < 1
    assert pauses[-1] == pytest.approx(LONGEST_PAUSE, abs=LOOK)
    patient.recovers = True
    pass_time(patient.clock, LONGEST_PAUSE + 1)
    assert watch.is_up
    watch.stop()


def test_server_that_lived_long_is_started_again_quickly() -> None:
    """Deaths far apart do not add up."""
    patient = Patient(Clock())
    watch = patient.watch()
    watch.start()
    for _ in range(8):
        pass_time(patient.clock, STEADY + 2)
        died = patient.clock.seconds()
        patient.alive = False
        pass_time(patient.clock, 2)
        assert patient.restarts[-1] - died < 1
    assert patient.losses == 8
    watch.stop()


def test_stopped_watch_starts_nothing() -> None:
    """A server that was stopped on purpose stays so."""
    patient = Patient(Clock())
    watch = patient.watch()
    watch.start()
    pass_time(patient.clock, 1)
    watch.stop()
    patient.alive = False
    pass_time(patient.clock, 60)
    assert (patient.restarts, patient.losses, watch.is_up) == ([], 0, False)
    assert not patient.clock.getDelayedCalls()


def test_watch_stopped_while_a_restart_is_under_way() -> None:
    """The end of that restart changes nothing any more."""
    patient = Patient(Clock(), alive=False)
    under_way: Deferred[None] = Deferred()
    watch = Watch("Patient", patient.clock, lambda: patient.alive, lambda: under_way, patient.lost)
    watch.start()
    pass_time(patient.clock, 5)
    watch.stop()
    patient.alive = True
    under_way.callback(None)
    pass_time(patient.clock, 5)
    assert not watch.is_up
