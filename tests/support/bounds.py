"""What ends a test that hangs, wherever it does.

The alarm of pytest-timeout raises in whatever runs at that moment. While a test waits for the reactor, that
is the reactor's loop, which logs the error and goes on waiting, for good; while it waits for a browser, it is
Playwright's, which breaks for all tests. So what the test waits for is cancelled then: it fails at the line
that waits, and closes what it has opened. Where that does not help, nor an alarm at all (in a call of a C
library, or while a fixture of a failed test is taken down), the process says where it is, and ends: this test
is one that failed, and another process runs the rest.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sys
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest
from attrs import frozen
from greenlet import getcurrent, greenlet
from twisted.internet import reactor
from twisted.internet.defer import Deferred

AGAIN = 20.0
"""Seconds between two alarms."""

GRACE = 90.0
"""Seconds that a process has from the first alarm, or from a failure, to the end of the test."""

terminal = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Keep the way to the terminal, which is covered while tests run; and tell there of failures, at once."""
    config.stash[terminal] = os.dup(2)
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(AtOnce(config))


@frozen
class AtOnce:
    """Tells of failures when they happen: a run that is ended before its end has told all the same."""

    config: pytest.Config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write one line."""
        if report.failed:
            why = str(getattr(report.longrepr, "reprcrash", report.longrepr)).partition("\n")[0]
            reporter: Any = self.config.pluginmanager.get_plugin("terminalreporter")
            reporter.write_line(f"\nFailed {report.when}: {report.nodeid}: {why[:300]}")


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(item: pytest.Item, settings: Any) -> Iterator[None]:
    """Have the alarm cancel what a test waits for."""
    done = yield
    _end_after(item, settings.timeout + GRACE)
    raising: Any = signal.getsignal(signal.SIGALRM)
    tests = getcurrent()

    def end(number: int, frame: FrameType | None) -> None:
        signal.setitimer(signal.ITIMER_REAL, AGAIN)
        print(f"{item.nodeid} takes more than {settings.timeout:g} s", file=sys.stderr)
        waited = _waited_for(tests)
        if asked := _asked_of_a_browser():
            for one in asked:
                one.get_loop().call_soon_threadsafe(one.cancel)
        elif waited is not None and frame is not None and frame.f_code.co_name == "doPoll":
            reactor.callFromThread(waited.cancel)
        else:
            raising(number, frame)

    signal.signal(signal.SIGALRM, end)
    return done


def _asked_of_a_browser() -> list[asyncio.Task[Any]]:
    """What Playwright does for a test, if anything."""
    try:
        tasks = asyncio.all_tasks()
    except RuntimeError:  # its loop does not run
        return []
    # It marks the tasks of calls, and not those of its own.
    return [one for one in tasks if hasattr(one, "__pw_caller_frame__")]


def _waited_for(tests: greenlet) -> Deferred[Any] | None:
    """What the tests' greenlet waits for, if it is not that one that runs."""
    if getcurrent() is tests or tests.gr_frame is None:
        return None
    waited = tests.gr_frame.f_locals.get("d")  # in ``pytest_twisted.blockon_default``
    # To cancel that one would only be to look away: the test goes by the one behind it.
    return getattr(waited, "_chainedTo", None) or waited


@pytest.hookimpl(trylast=True)
def pytest_exception_interact(node: pytest.Item | pytest.Collector) -> None:
    """Bound what is left of a test that failed: alarms were switched off for the sake of debuggers."""
    if isinstance(node, pytest.Item) and not node.config.getvalue("usepdb"):
        _end_after(node, GRACE)


def pytest_runtest_logfinish() -> None:
    """It has ended by itself."""
    faulthandler.cancel_dump_traceback_later()


def _end_after(item: pytest.Item, seconds: float) -> None:
    faulthandler.dump_traceback_later(seconds, file=item.config.stash[terminal], exit=True)
