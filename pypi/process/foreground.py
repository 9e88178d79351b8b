"""A service without twistd: in the foreground, the log on stderr, status 0 after Ctrl-C."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from twisted.application.service import Service
from twisted.logger import (
    FilteringLogObserver,
    LogLevel,
    LogLevelFilterPredicate,
    globalLogBeginner,
    textFileLogObserver,
)


def run(reactor: Any, make: Callable[[Callable[[str], object]], Service]) -> None:
    """Run a service until a signal ends it; ends the process with status 1 when it cannot start.

    Args:
        make: makes the service; given what it calls with a sentence when it cannot start.
    """
    informative: Any = LogLevelFilterPredicate(LogLevel.info)
    to_stderr: Any = textFileLogObserver(sys.stderr)
    observer: Any = FilteringLogObserver(to_stderr, [informative])
    globalLogBeginner.beginLoggingTo([observer], redirectStandardIO=False)
    failures: list[str] = []

    def failed(sentence: str) -> None:
        failures.append(sentence)
        reactor.callLater(0, reactor.stop)

    service = make(failed)
    reactor.callWhenRunning(service.startService)
    reactor.addSystemEventTrigger("before", "shutdown", service.stopService)
    reactor.run()
    for sentence in failures:
        print(f"cheeseshop: {sentence}", file=sys.stderr)
    sys.stdout.flush()
    sys.stderr.flush()
    if failures:
        os._exit(1)
