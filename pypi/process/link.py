"""A child's end of the pipes to the process that started it.

Nothing here ever waits: a supervisor that does not read must not hold up its workers. What finds the pipe
full is dropped, and counted.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import define, field
from twisted.internet.process import ProcessReader
from twisted.logger import LogLevel, formatEvent, globalLogBeginner

from pypi.process.child import OURS_TO_HANDLE, REPORTS

PIECE = 600
"""Characters of a log entry in one line: however they are encoded, it is written as a whole or not at all."""

ROOM = 1 << 20
"""Bytes that may wait in the pipe, where the system lets us say so."""

Order = dict[str, Any]


@define(eq=False)
class Link:
    """Hears orders, and reports.

    Attributes:
        obey: called with each order, a name and what belongs to it.
        orphaned: called once, when whoever started us is gone.
    """

    reactor: Any = field(repr=False)
    obey: Callable[[str, Order], object] = field(repr=False)
    orphaned: Callable[[], object] = field(repr=False)
    dropped: int = field(default=0, init=False)
    _pending: bytes = field(default=b"", init=False, repr=False)

    def open(self) -> None:
        """Begin to listen, and to send the log this way."""
        os.set_inheritable(REPORTS, False)
        os.set_blocking(REPORTS, False)
        with suppress(OSError, AttributeError):
            fcntl.fcntl(REPORTS, fcntl.F_SETPIPE_SZ, ROOM)
        observers: Any = [self._log]
        globalLogBeginner.beginLoggingTo(observers, redirectStandardIO=False)
        ProcessReader(self.reactor, self, "orders", 0)

    def say(self, state: str, **details: Any) -> None:
        """Report."""
        self._write({"state": state, **details})

    def childDataReceived(self, name: str, data: bytes) -> None:
        """Bytes from the pipe (``ProcessReader``)."""
        *lines, self._pending = (self._pending + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            self.obey(order.pop("order"), order)

    def childConnectionLost(self, name: str, reason: object) -> None:
        """The end of the pipe (``ProcessReader``)."""
        self.orphaned()

    def _log(self, event: Any) -> None:
        level = event.get("log_level", LogLevel.info)
        if level < LogLevel.info:
            return
        text = formatEvent(event)
        if "log_failure" in event:
            text = f"{text}\n{event['log_failure'].getTraceback()}"
        entry = {"level": level.name, "from": event.get("log_namespace", "-")}
        for start in range(0, len(text) or 1, PIECE):
            more = start + PIECE < len(text)
            self._write({"log": text[start : start + PIECE], "more": more, **entry})

    def _write(self, report: dict[str, Any]) -> None:
        line = json.dumps(report, ensure_ascii=False).encode(errors="replace") + b"\n"
        try:
            os.write(REPORTS, line)
        except OSError:  # full, or nobody is there any more
            self.dropped += 1


def settle(title: str, *, deaf: Iterable[signal.Signals] = (signal.SIGINT, signal.SIGHUP)) -> None:
    """Be a good child.

    Args:
        title: for ``ps``, at most 15 characters.
        deaf: signals that are not for us: a terminal sends them to all of its processes.
    """
    for number in deaf:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, OURS_TO_HANDLE)
    with suppress(OSError):
        Path("/proc/self/comm").write_text(title)
