"""The circuit breaker."""

from __future__ import annotations

import pytest

from caching.breaker import FAILURES, REST, WINDOW, Breaker


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def broken(clock: Clock) -> Breaker:
    breaker = Breaker(clock, lambda: 0.0)
    for _ in range(FAILURES):
        assert breaker.admits()
        breaker.failed()
    return breaker


def test_so_many_failures_open_it() -> None:
    """A dependency that keeps failing is left alone."""
    breaker = broken(Clock())
    assert breaker.is_open
    assert not breaker.admits()


def test_failures_long_apart_do_not() -> None:
    """Now and then a failure is ordinary."""
    clock = Clock()
    breaker = Breaker(clock, lambda: 0.0)
    for _ in range(3 * FAILURES):
        breaker.failed()
        clock.now += WINDOW / 2
    assert breaker.admits()


def test_success_between_failures_resets_the_count() -> None:
    """It is failures in a row that count."""
    breaker = Breaker(Clock(), lambda: 0.0)
    for _ in range(3):
        for _ in range(FAILURES - 1):
            breaker.failed()
        breaker.worked()
    assert breaker.admits()


def test_after_its_rest_one_at_a_time_may_try() -> None:
    """One call probes; another in the same moment is refused."""
    clock = Clock()
    breaker = broken(clock)
    clock.now += REST
    assert breaker.admits()
    assert not breaker.admits()
    breaker.failed()
    assert not breaker.admits()
    clock.now += REST
    assert breaker.admits()
    breaker.worked()
    assert breaker.admits()
    assert breaker.admits()


def test_a_probe_that_never_reports_does_not_close_the_way_for_ever() -> None:
    """If the probing call is lost, the next one comes a rest later."""
    clock = Clock()
    breaker = broken(clock)
    clock.now += REST
    assert breaker.admits()
    clock.now += REST
    assert breaker.admits()


def test_an_attempt_tells_failures_from_other_errors() -> None:
    """Around a call: what the dependency fails with counts, what it refuses does not, and open means no."""
    breaker = Breaker(Clock(), lambda: 0.0)
    for _ in range(2 * FAILURES):
        with pytest.raises(KeyError), breaker.attempt(ConnectionError):
            raise KeyError("a refusal")
    assert not breaker.is_open
    for _ in range(FAILURES):
        with pytest.raises(ConnectionError, match="away"), breaker.attempt(ConnectionError):
            raise ConnectionError("away")
    with pytest.raises(ConnectionError), breaker.attempt(ConnectionError):
        raise AssertionError("nothing is tried")
