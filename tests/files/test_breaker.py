"""The circuit breaker."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from pypi.domain.errors import StorageFailed, StorageFull
from pypi.files.breaker import FAILURES, REST, WINDOW, Breaker


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(clock.seconds, lambda: 0.5)


def fail(breaker: Breaker, error: type[Exception] = StorageFailed) -> bool:
    """A call that fails; whether it was made at all."""
    made = False
    try:
        with breaker.attempt():
            made = True
            raise error()
    except error:
        return made


def succeed(breaker: Breaker) -> None:
    with breaker.attempt():
        pass


def refused(breaker: Breaker) -> None:
    with pytest.raises(StorageFailed), breaker.attempt():
        pytest.fail("the call was made")


def test_opens_after_enough_failures(breaker: Breaker) -> None:
    """The last of so many failures opens it; then nothing is tried."""
    for _ in range(FAILURES):
        assert not breaker.is_open
        assert fail(breaker)
    assert breaker.is_open
    refused(breaker)


def test_success_forgives(breaker: Breaker) -> None:
    """A call that works starts the count anew."""
    for _ in range(3):
        for _ in range(FAILURES - 1):
            assert fail(breaker)
        succeed(breaker)
    assert not breaker.is_open


def test_failures_far_apart_do_not_add_up(breaker: Breaker, clock: Clock) -> None:
    """Failures count for the window only."""
    for _ in range(3 * FAILURES):
        assert fail(breaker)
        clock.advance(WINDOW / (FAILURES - 2))
    assert not breaker.is_open


def test_one_call_tries_after_the_rest(breaker: Breaker, clock: Clock) -> None:
    """After its rest, with jitter, one call is let through; its success closes the breaker."""
    for _ in range(FAILURES):
        fail(breaker)
    clock.advance(REST * 1.5 - 0.01)
    refused(breaker)
    clock.advance(0.02)
    with breaker.attempt():
        refused(breaker)
    assert not breaker.is_open
    succeed(breaker)


def test_failed_try_opens_it_again(breaker: Breaker, clock: Clock) -> None:
    """When the one call fails, too, another rest follows."""
    for _ in range(FAILURES):
        fail(breaker)
    clock.advance(REST * 2)
    assert fail(breaker)
    refused(breaker)
    clock.advance(REST * 2)
    succeed(breaker)
    assert not breaker.is_open


def test_other_errors_say_nothing(breaker: Breaker, clock: Clock) -> None:
    """Errors that are not the dependency's neither open nor close it, and end a try."""
    for _ in range(3 * FAILURES):
        assert fail(breaker, StorageFull)
    assert not breaker.is_open
    for _ in range(FAILURES):
        fail(breaker)
    clock.advance(REST * 2)
    assert fail(breaker, KeyError)
    assert breaker.is_open
    succeed(breaker)
    assert not breaker.is_open
