"""The parent's end of one child, with at most one job at a time."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from resource import getpagesize
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypi.publishing.children import confined

log = Logger()

T = TypeVar("T")

_STDERR_BYTES = 64 << 10


class ChildUnavailable(Exception):
    """No child can be started, or it ended before the job began, or the pool stopped."""


@frozen
class JobLost(Exception):
    """The job was the end of its child.

    Attributes:
        late: the clock on the wall decided; a busy machine may have had its part in it.
    """

    late: bool


@define(eq=False)
class Errand(Generic[T]):
    """A job, and who waits for it.

    Attributes:
        label: what the log calls it.
    """

    label: str
    job: bytes
    answer: Deferred[T]

    def finish(self, result: T) -> None:
        """End the waiting with a result, unless whoever asked has gone meanwhile."""
        if not self.answer.called:
            self.answer.callback(result)

    def fail(self, why: Exception) -> None:
        """End the waiting without a result."""
        if not self.answer.called:
            self.answer.errback(why)


@define(eq=False, kw_only=True)
class Child(ProcessProtocol, Generic[T]):
    """A process that was started to do jobs.

    Attributes:
        read: a reply → the result of the job; raises what it likes if it is none.
        most_received: bytes of a reply.
        done: told when a job has ended and the next may come.
        gone: told when the process has ended.
        ended: fires then.
        jobs: given so far.
        dying: killed, and good for nothing while it is not gone.
    """

    reactor: Any
    read: Callable[[bytes], T]
    deadline_seconds: float
    most_received: int
    done: Callable[[Child[T]], None]
    gone: Callable[[Child[T]], None]
    ended: Deferred[None] = field(factory=Deferred)
    jobs: int = 0
    dying: bool = False
    transport: Any = None
    _errand: Errand[T] | None = None
    _begun: bool = False
    _timer: Any = None
    _received: bytearray = field(factory=bytearray)
    _complained: int = 0

    def give(self, errand: Errand[T]) -> None:
        """Start a job."""
        self.jobs += 1
        self._errand, self._begun = errand, False
        self._after(self.deadline_seconds, self._too_late)
        self.transport.write(confined.frame(errand.job))

    def rest(self, seconds: float | None) -> None:
        """End the process if it gets no job for so long; ``None`` is for ever."""
        if seconds is not None:
            self._after(seconds, self.kill)

    def abandon(self, why: Exception) -> None:
        """End the process, and its job without a result."""
        errand = self._take()
        self.kill()
        if errand is not None:
            errand.fail(why)

    def kill(self) -> None:
        """End the process."""
        self.dying = True
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")

    def resident_bytes(self) -> int:
        """Memory the process holds now; 0 where the system does not say."""
        try:
            return int(Path(f"/proc/{self.transport.pid}/statm").read_text().split()[1]) * getpagesize()
        except OSError:
            return 0

    def outReceived(self, data: bytes) -> None:
        self._received += data
        try:
            while not self.dying and (body := self._next_frame()) is not None:
                self._heard(body)
        except Exception:
            # Whatever a process says that reads what strangers wrote, it cannot be trusted to say it well.
            log.failure("A child babbles")
            self.abandon(JobLost(late=False))

    def errReceived(self, data: bytes) -> None:
        if self._complained < _STDERR_BYTES:
            log.warn("A child complains: {text}", text=data.decode("utf-8", "replace"))
        self._complained += len(data)

    def processEnded(self, reason: Failure) -> None:
        errand = self._take()
        self.gone(self)
        self.ended.callback(None)
        if errand is not None:
            log.warn("A child ended over {label}: {reason}", label=errand.label, reason=reason.value)
            errand.fail(self._loss(late=False))

    def _next_frame(self) -> bytes | None:
        start = confined.LENGTH.size
        if len(self._received) < start:
            return None
        (length,) = confined.LENGTH.unpack_from(self._received)
        if length > self.most_received:
            raise ValueError(f"a frame of {length} bytes")
        if len(self._received) < start + length:
            return None
        body = bytes(self._received[start : start + length])
        del self._received[: start + length]
        return body

    def _heard(self, body: bytes) -> None:
        if self._errand is None or (body == confined.BEGUN) == self._begun:
            raise ValueError("a frame nobody waits for")
        if not self._begun:
            self._begun = True
            return
        result = self.read(body)
        errand = self._take()
        assert errand is not None
        # First, so that whoever hears the answer and asks again finds this child free.
        self.done(self)
        errand.finish(result)

    def _too_late(self) -> None:
        log.warn("A child takes more than {seconds} s", seconds=self.deadline_seconds)
        self.abandon(self._loss(late=True))

    def _loss(self, *, late: bool) -> Exception:
        # Before it began, the job had no part in what went wrong.
        return JobLost(late) if self._begun else ChildUnavailable()

    def _take(self) -> Errand[T] | None:
        """The job, which is over; and so is the time for it."""
        errand, self._errand = self._errand, None
        self._after(None)
        return errand

    def _after(self, seconds: float | None, then: Callable[[], None] | None = None) -> None:
        """Do something later, in place of what was to be done before."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None if seconds is None else self.reactor.callLater(seconds, then)
