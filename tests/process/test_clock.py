"""The clock of a process: it goes on, whatever becomes of the time of day."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.base import DelayedCall, ReactorBase
from twisted.internet.epollreactor import EPollReactor

from pypi.process import clock


def test_what_twisted_measures_by() -> None:
    """Twisted's reactors ask ``self.seconds`` for everything, so that replacing it replaces their clock."""
    for method in (ReactorBase.callLater, ReactorBase.timeout, ReactorBase.runUntilCurrent):
        assert "seconds" in method.__code__.co_names
        assert "runtimeSeconds" not in method.__code__.co_names
    assert "seconds" in DelayedCall.__init__.__code__.co_varnames


@pytest.fixture
def reactor() -> Iterator[Any]:
    """A reactor that does not run."""
    made: Any = EPollReactor()
    yield made
    for reader in made.removeAll() + list(made._internalReaders):
        reader.connectionLost(None)
    made._poller.close()


def test_a_call_is_made_in_its_time(reactor: Any) -> None:
    """A call waits for as long as it was told to, by a clock that nobody sets, and may be put off."""
    calls: list[object] = []
    clock.steady(reactor)
    call = reactor.callLater(10, calls.append, "late")
    reactor.callLater(0, calls.append, "soon")
    assert abs(call.getTime() - clock.SECONDS() - 10) < 5
    reactor.runUntilCurrent()
    assert calls == ["soon"]
    assert 5 < reactor.timeout() <= 10
    call.reset(0)
    reactor.runUntilCurrent()
    assert calls == ["soon", "late"]


def test_what_was_scheduled_before(reactor: Any) -> None:
    """Calls that were scheduled by the other clock keep their distance and their order."""
    calls: list[object] = []
    later = [reactor.callLater(seconds, calls.append, seconds) for seconds in (30, 0, 20, 0, 10)]
    reactor.timeout()  # some are in the heap, some are new
    reactor.callLater(0, calls.append, "new")
    clock.steady(reactor)
    clock.steady(reactor)
    reactor.runUntilCurrent()
    assert calls == [0, 0, "new"]
    assert 5 < reactor.timeout() <= 10
    later[0].reset(0)
    reactor.runUntilCurrent()
    assert calls[3:] == [30]


def test_the_time_of_day_does_not_matter() -> None:
    """The clock is another one than that of the day."""
    before, day = clock.SECONDS(), time.time()
    assert clock.SECONDS() >= before
    assert abs(day - before) > 365 * 24 * 3600
