"""The access log: a line for every request, written in batches beside the reactor.

The fast lane appends lines itself: ``log.append(prefix + log.stamp + request + answer + suffix)``, where

- ``prefix = log.lines.prefix(address)``, once for each connection;
- ``log.stamp`` is read anew for each line, since it changes every second;
- ``request`` is the request line as it came, without its line end. It must be printable ASCII without ``"``
  and ``\\``, which paths of kept answers are by their making, and no longer than ``LONGEST_TARGET``;
- ``answer = log.lines.answer(code, size, cache=…, route=…)``, best kept beside the answer;
- ``suffix = log.lines.suffix(referer, agent)``, once for each block of header lines.

Such a line is, byte for byte, the one that ``log.add`` writes for the same request. ``append`` is a plain
list's, and stays the same object while the log lives; the list is emptied many times a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import define, field

from pypi.http.hushed import hushed
from pypi.http.log_lines import LONGEST_TARGET, Lines
from pypi.http.log_writer import LogWriter
from pypi.http.overheard import Slow, last_header

__all__ = ["LONGEST_TARGET", "AccessLog"]

SOON = 0.02
"""Seconds a line waits at most while there are requests: small batches are the shortest pauses."""

BRIEFLY = 0.002
"""Seconds it waits at least, however many come."""

RARELY = 0.25
"""Seconds it waits when there was nothing to write for a while."""

MANY = 512
"""Lines that are handed over before their time: more would be out of the processor's cache when they are
written, and keep it busy for long."""


@define(eq=False, repr=False)
class AccessLog:
    """Collects lines, and hands them to the writer.

    Attributes:
        lines: their format.
        writer: writes them.
        reactor: ``IReactorTime``.
        wall: POSIX seconds.
        listeners: are shown the lines of each batch before they are handed over; the lane's are plain
            ``bytes``.
        append: takes a whole line, ready to be written.
        stamp: the piece of a line that says when.
    """

    lines: Lines
    writer: LogWriter
    reactor: Any
    wall: Callable[[], float]
    listeners: list[Callable[[Sequence[bytes]], object]] = field(factory=list)
    stamp: bytes = field(default=b"", init=False)
    append: Callable[[bytes], None] = field(init=False)
    _pending: list[bytes] = field(factory=list, init=False)
    _second: Any = field(default=None, init=False)
    _next: Any = field(default=None, init=False)
    _pause: float = field(default=SOON, init=False)

    def __attrs_post_init__(self) -> None:
        self.append = self._pending.append
        self.stamp = self.lines.stamp(self.wall())

    def __repr__(self) -> str:
        return f"<AccessLog {self.writer!r}>"

    async def start(self) -> None:
        """Begin to write.

        Raises:
            LogUnusable: the file cannot be written.
        """
        await self.writer.start()
        self._tick()
        self._flush_again()

    async def stop(self) -> None:
        """Write what there is, and end."""
        for call in (self._second, self._next):
            if call is not None and call.active():
                call.cancel()
        self.flush()
        await self.writer.stop()

    def reopen(self) -> None:
        """Open the file anew, by its name: somebody else has rotated it."""
        self.writer.reopen()

    def add(self, request: Any, *, code: int, seconds: float, cache: bytes, route: str) -> None:
        """Log a request that went the long way.

        Args:
            request: a ``pypi.http.request.Request`` that is over.
            code, seconds, cache, route: as in ``Lines.answer``.
        """
        lines = self.lines
        self.append(
            Slow(
                lines.prefix(request.caller.address)
                + self.stamp
                + lines.request(request.method, hushed(request.uri), request.clientproto)
                + lines.answer(code, request.sentLength, seconds=seconds, cache=cache, route=route)
                + lines.suffix(last_header(request, b"referer"), last_header(request, b"user-agent"))
            )
        )
        if len(self._pending) >= MANY:
            self.flush()

    def refuse(self, address: str, code: int, size: int) -> None:
        """Log what could not be understood as a request, and was answered nevertheless."""
        lines = self.lines
        answer = lines.answer(code, size)
        self.append(Slow(lines.prefix(address) + self.stamp + b"-" + answer + lines.suffix(None, None)))

    def flush(self) -> None:
        """Hand over what there is."""
        if self._pending:
            for listener in self.listeners:
                listener(self._pending)
            count, data = len(self._pending), b"".join(self._pending)
            self._pending.clear()
            self.writer.put(data, count)

    def _flush_again(self) -> None:
        count = len(self._pending)
        if count:  # as long as it will take for so many to come, if they come as before
            self._pause = min(SOON, max(BRIEFLY, self._pause * MANY / count))
        else:
            self._pause = min(RARELY, 2 * self._pause)
        self.flush()
        self._next = self.reactor.callLater(self._pause, self._flush_again)

    def _tick(self) -> None:
        now = self.wall()
        self.stamp = self.lines.stamp(now)
        self._second = self.reactor.callLater(1 - now % 1 + 0.001, self._tick)
