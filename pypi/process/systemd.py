"""What systemd is told: that we are ready, reloading, stopping, and alive.

Source: sd_notify(3), sd_watchdog_enabled(3).
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import define, field


@define(eq=False)
class Systemd:
    """The notification socket of a service manager; says nothing where there is none.

    Attributes:
        reactor: keeps the watchdog's time.
        address: of the socket; empty for none.
        watchdog: seconds within which it wants to hear from us; 0 for never.
    """

    reactor: Any = field(repr=False)
    address: str = ""
    watchdog: float = 0.0
    _beat: Any = field(default=None, init=False, repr=False)

    @classmethod
    def found(cls, reactor: Any, environment: Mapping[str, str], pid: int) -> Systemd:
        """What the environment says of it."""
        microseconds = environment.get("WATCHDOG_USEC", "")
        ours = environment.get("WATCHDOG_PID", str(pid)) == str(pid)
        watchdog = int(microseconds) / 1e6 if ours and microseconds.isdecimal() else 0.0
        return cls(reactor, environment.get("NOTIFY_SOCKET", ""), watchdog)

    def ready(self) -> None:
        """We serve; also: the reload is over, however it went."""
        self._send("READY=1", f"MAINPID={os.getpid()}")
        if self.watchdog and self._beat is None:
            self._alive()

    def reloading(self) -> None:
        """A reload has begun."""
        self._send("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """We are about to end."""
        self._send("STOPPING=1")
        if self._beat is not None:
            self._beat.cancel()
            self._beat = None

    def status(self, sentence: str) -> None:
        """One line for ``systemctl status``."""
        self._send(f"STATUS={sentence}")

    def _alive(self) -> None:
        self._send("WATCHDOG=1")
        self._beat = self.reactor.callLater(self.watchdog / 2, self._alive)

    def _send(self, *lines: str) -> None:
        if not self.address:
            return
        where = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto("\n".join(lines).encode(), where)
