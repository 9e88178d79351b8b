"""The signals of a service beyond those the reactor knows: reload, and the impatient second one."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any


def on_hang_up(reactor: Any, reload: Callable[[], object]) -> None:
    """Call ``reload`` on SIGHUP, unless it says that our terminal was closed: then stop."""
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        return  # nohup
    had_terminal = os.isatty(0)

    def hung_up(number: int, frame: object) -> None:
        closed = had_terminal and not os.isatty(0)
        reactor.callFromThread(reactor.stop if closed else reload)

    signal.signal(signal.SIGHUP, hung_up)


def on_second(reactor: Any, hurry: Callable[[], object]) -> None:
    """From now on, let SIGINT and SIGTERM call ``hurry``: the first one has done its work."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: reactor.callFromThread(hurry))
