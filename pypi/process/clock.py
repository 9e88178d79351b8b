"""A clock that nobody sets, for everything a process measures.

Twisted's reactors go by ``time.time``: when that is set back by an hour, every deadline and every look at the
database comes an hour late. This clock only ever goes on. It does so while the machine sleeps, too, so that
what is kept counts as old when it wakes. The time of day is another matter, and another argument (``wall``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any


def steady(reactor: Any) -> None:
    """Let a reactor go by this clock; what is scheduled already stays as far away as it is.

    Args:
        reactor: the real one, before anybody has remembered a time of it.
    """
    if reactor.seconds is SECONDS:
        return
    shift = SECONDS() - reactor.seconds()
    reactor.seconds = SECONDS
    for call in reactor.getDelayedCalls():
        call.time += shift  # all by as much, so their order stays
        call.seconds = SECONDS


def _clock() -> Callable[[], float]:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return partial(time.clock_gettime, time.CLOCK_BOOTTIME)
    return time.monotonic  # not on every system


SECONDS = _clock()
"""Seconds since some moment before the process began."""
