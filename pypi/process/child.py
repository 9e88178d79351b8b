"""A process seen from the one that started it: it is told things, reports, logs through us, and ends."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIG_BLOCK, SIG_SETMASK, SIGHUP, SIGINT, SIGKILL, SIGTERM, Signals, pthread_sigmask
from typing import Any

from attrs import define, field
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

ROOT = Path(__file__).parents[2]
"""Where ``pypi`` is imported from."""

REPORTS = 3
"""The descriptor on which a child reports."""

OURS_ALONE = {"NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC", "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}
"""Variables that speak to the process that systemd started."""

OURS_TO_HANDLE = (SIGINT, SIGHUP, SIGTERM)
"""Signals that a terminal or a manager may send to all processes at once: children wait for our word."""

LONGEST = 1 << 18
"""Bytes of a line, or of a log entry, of a child."""

LAST_WORDS = 0.3
"""Seconds to read what a process that has ended still said."""

log = Logger()

Report = Mapping[str, Any]


@define(eq=False)
class Child(ProcessProtocol):
    """One process, from its start to its end.

    Attributes:
        name: for the log: ``worker 2``.
        reported: called with each report.
        ended: called once, when it is gone, with what it said of a failure to start, if anything.
        pid: its id; 0 before and after.
    """

    name: str
    reactor: Any = field(repr=False)
    reported: Callable[[Report], object] = field(repr=False)
    ended: Callable[[str], object] = field(repr=False)
    pid: int = field(default=0, init=False)
    _finishing: Any = field(default=None, init=False, repr=False)
    _pending: dict[int, bytes] = field(factory=dict, init=False, repr=False)
    _entry: str = field(default="", init=False, repr=False)
    _sentence: str = field(default="", init=False, repr=False)

    def start(self, module: str, arguments: Sequence[str] = (), sockets: Sequence[int] = ()) -> bool:
        """Start ``python -m module arguments``.

        Args:
            sockets: descriptors it inherits, as 4, 5, …

        Returns:
            whether the system could; if not, it counts as ended.
        """
        # Standard output is the service's own: an access log may go there.
        pipes: dict[int, int | str] = {0: "w", 1: 1, 2: "r", REPORTS: "r"}
        pipes.update(enumerate(sockets, REPORTS + 1))
        environment = {name: value for name, value in os.environ.items() if name not in OURS_ALONE}
        # Where in its line an expression stands is 1 MB of each process, for carets below tracebacks.
        command = [sys.executable, "-X", "no_debug_ranges", "-m", module, *arguments]
        try:
            # In the child they stay blocked until it has made up its mind about them (``link.settle``).
            with _blocked(*OURS_TO_HANDLE):
                process = self.reactor.spawnProcess(
                    self, sys.executable, command, env=environment, path=str(ROOT), childFDs=pipes
                )
        except OSError as error:
            log.error("{name} cannot be started: {error}", name=self.name, error=error)
            self.reactor.callLater(0, self.ended, f"No process can be started: {error.strerror}.")
            return False
        self.pid = process.pid
        return True

    def tell(self, order: str, **details: Any) -> None:
        """Send it an order; one that has ended hears nothing."""
        process: Any = self.transport
        if self.pid:
            with suppress(KeyError):  # it has closed its end
                process.writeToChild(0, json.dumps({"order": order, **details}).encode() + b"\n")

    def kill(self) -> None:
        """End it at once."""
        if self.pid:
            with suppress(ProcessExitedAlready):
                process: Any = self.transport
                process.signalProcess(SIGKILL)

    # --- what the reactor calls -----------------------------------------------------------------------

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        *lines, rest = (self._pending.pop(childFD, b"") + data).split(b"\n")
        self._pending[childFD] = rest[-LONGEST:]
        for line in lines:
            if childFD == REPORTS:
                self._take(line)
            else:
                self._relay(LogLevel.warn, "stderr", line.decode(errors="replace"))

    def processExited(self, reason: Failure) -> None:
        status: Any = reason.value
        if status.exitCode != 0:
            log.warn("{name} ended: {status}", name=self.name, status=_told(status))
        # Its pipes end with it, unless processes of its own have them: these are not waited for.
        self._finishing = self.reactor.callLater(LAST_WORDS, self._finish)

    def processEnded(self, reason: Failure) -> None:
        if self.pid:
            self._finishing.cancel()
            self._finish()

    # ---------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        self.pid = 0
        self._pending.clear()
        self.ended(self._sentence)

    def _take(self, line: bytes) -> None:
        try:
            report = json.loads(line)
        except ValueError:  # the pipe was full in the middle of a line
            return
        if "log" in report:
            self._entry = (self._entry + report["log"])[-LONGEST:]
            if not report.get("more"):
                text, self._entry = self._entry, ""
                self._relay(LogLevel.lookupByName(report["level"]), report["from"], text)
            return
        if report.get("state") == "failed":
            self._sentence = report["sentence"]
        self.reported(report)

    def _relay(self, level: Any, namespace: str, text: str) -> None:
        if text.strip():
            Logger(namespace=f"{self.name}: {namespace}").emit(level, "{text}", text=text)


@contextmanager
def _blocked(*signals: Signals) -> Iterator[None]:
    before = pthread_sigmask(SIG_BLOCK, signals)
    try:
        yield
    finally:
        pthread_sigmask(SIG_SETMASK, before)


def _told(status: Any) -> str:
    return f"killed by signal {status.signal}" if status.signal else f"status {status.exitCode}"
