"""Writes a log in a thread of its own: a disk that hangs costs lines, never an answer."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Iterator
from queue import SimpleQueue
from threading import Thread
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pypi.domain.errors import Unavailable
from pypi.http.log_file import Sink

log = Logger()

MOST_WAITING = 8 << 20
"""Bytes that wait to be written, at most; what comes beyond that is dropped, and counted."""

PATIENCE = 3.0
"""Seconds ``stop`` gives what waits."""


class LogUnusable(Unavailable):
    """The log cannot be written."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))

    def __str__(self) -> str:
        return f"log.access: {self.args[0]}."


_REOPEN, _END = object(), object()


@define(eq=False, repr=False)
class LogWriter:
    """A thread that writes, and a bounded queue before it.

    Attributes:
        sink: where lines go; touched by the thread alone.
        reactor: whose thread is never made to wait.
        lines: handed over so far.
        dropped: of those, lines that were never written: the queue was full, or the disk refused them.
        received: bytes handed over so far.
    """

    sink: Sink
    reactor: Any
    most_waiting: int = MOST_WAITING
    lines: int = field(default=0, init=False)
    dropped: int = field(default=0, init=False)
    received: int = field(default=0, init=False)
    _refused: int = field(default=0, init=False)
    _done: int = field(default=0, init=False)
    _failing: bool = field(default=False, init=False)
    _queue: SimpleQueue[Any] = field(factory=SimpleQueue, init=False)
    _ended: Deferred[None] | None = field(default=None, init=False)
    _thread: Thread | None = field(default=None, init=False)

    def __repr__(self) -> str:
        return f"<LogWriter {self.lines} lines, {self.dropped} dropped, {self.waiting} bytes waiting>"

    @property
    def waiting(self) -> int:
        """Bytes that are not written yet."""
        return self.received - self._refused - self._done

    async def start(self) -> None:
        """Open the log.

        Raises:
            LogUnusable: it cannot be written.
        """
        opened: Deferred[None] = Deferred()
        self._ended = Deferred()
        # One that hangs with its disk must not keep the process from ending.
        self._thread = Thread(target=self._run, args=(opened,), name="access log", daemon=True)
        self._thread.start()
        try:
            await opened
        except OSError as error:
            self._thread = None
            raise LogUnusable(error) from None

    async def stop(self) -> None:
        """Write what waits, if that is a matter of seconds."""
        if self._thread is None or self._ended is None:
            return
        self._queue.put(_END)
        self._ended.addTimeout(PATIENCE, self.reactor, lambda *_: None)
        await self._ended
        self._thread = None
        if self.waiting:
            log.warn("{bytes} bytes of the access log could not be written in time", bytes=self.waiting)

    def put(self, data: bytes, lines: int) -> None:
        """Write whole lines, soon."""
        self.lines += lines
        self.received += len(data)
        if self.waiting > self.most_waiting:
            self._refused += len(data)
            self.dropped += lines
        else:
            self._queue.put((data, lines))

    def reopen(self) -> None:
        """Open the file anew, by its name, before the next line."""
        self._queue.put(_REOPEN)

    # --- in the thread ------------------------------------------------------------------------------------

    def _run(self, opened: Deferred[None]) -> None:
        try:
            self.sink.open()
        except OSError as error:
            self.reactor.callFromThread(opened.errback, error)
            return
        self.reactor.callFromThread(opened.callback, None)
        for data, lines in self._jobs():
            try:
                self.sink.write(data)
            except OSError as error:
                self.reactor.callFromThread(self._failed, lines, error)
            else:
                if self._failing:
                    self.reactor.callFromThread(self._worked)
            self._done += len(data)
        self.sink.close()
        self.reactor.callFromThread(self._end)

    def _jobs(self) -> Iterator[tuple[bytes, int]]:
        while True:
            job = self._queue.get()
            if job is _END:
                return
            if job is _REOPEN:
                self.sink.reopen()
            else:
                yield job

    # --- in the reactor again -----------------------------------------------------------------------------

    def _failed(self, lines: int, error: OSError) -> None:
        self.dropped += lines
        if not self._failing:
            self._failing = True
            log.error("The access log cannot be written, and loses lines: {error}", error=str(error))

    def _worked(self) -> None:
        if self._failing:
            self._failing = False
            log.info("The access log is written again; {lines} lines were lost", lines=self.dropped)

    def _end(self) -> None:
        assert self._ended is not None
        if not self._ended.called:
            self._ended.callback(None)
