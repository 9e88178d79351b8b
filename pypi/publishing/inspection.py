"""Archives inspected in processes of their own, so that a hostile one can hurt nothing but its inspector.

An inspector is a long-lived child that takes one job at a time (``archives.child``). One that takes too
long, needs too much memory or says what it should not is killed, and its archive refused; the next job
gets a new one.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import asdict, define, field, frozen
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol
from twisted.logger import Logger
from twisted.python.failure import Failure

from pypi.domain.errors import InvalidDistribution, Refusal, Unavailable
from pypi.publishing.archives import Contents, Limits, wire
from pypi.publishing.archives.child import Budget

log = Logger()

# Isolated and without ``site``, which nothing here needs: what the parent can import, the child can.
_START = (
    "import sys; sys.path += sys.argv[2].split(':'); "
    "from importlib import import_module; import_module(sys.argv[1]).main()"
)
_STDERR_BYTES = 64 << 10


@frozen
class InspectorsBusy(Unavailable):
    """As many archives wait for an inspector as may."""

    def __str__(self) -> str:
        return "Too many files are being inspected at the moment; nothing was stored. Try again later."


@frozen
class InspectionFailed(Unavailable):
    """No inspector can be started, or it could not do its work."""

    def __str__(self) -> str:
        return "The file cannot be inspected at the moment; nothing was stored. Try again later."


def took_too_much() -> InvalidDistribution:
    """The refusal of an archive that was the end of its inspector."""
    return InvalidDistribution("The archive took too long or too much memory to inspect")


@define(eq=False)
class _Errand:
    """A job, and who waits for it."""

    job: wire.Job
    answer: Deferred[Contents]

    def settle(self, result: Contents | Refusal) -> None:
        # Whoever asked may have gone meanwhile.
        if self.answer.called:
            return
        if isinstance(result, Refusal):
            self.answer.errback(result)
        else:
            self.answer.callback(result)


@define(eq=False, repr=False, kw_only=True)
class Inspectors:
    """A bounded pool of inspecting processes, and the jobs that wait for one.

    Attributes:
        reactor: starts processes and tells the time.
        processes: at most this many inspectors; each is started when there is need of it.
        limits: of an archive.
        budget: what the operating system grants an inspector.
        deadline_seconds: for one job, by the clock on the wall.
        most_waiting: jobs that may wait for an inspector; more are refused.
        jobs_each: after which an inspector is replaced.
        resident_bytes: an inspector that holds more than this after a job is replaced.
        child: module whose ``main`` an inspector runs.
    """

    reactor: Any
    processes: int = 2
    limits: Limits = field(factory=Limits)
    budget: Budget = field(factory=Budget)
    deadline_seconds: float = 30.0
    most_waiting: int = 100
    jobs_each: int = 500
    resident_bytes: int = 256 << 20
    child: str = "pypi.publishing.archives.child"
    _all: set[_Inspector] = field(factory=set, init=False)
    _idle: list[_Inspector] = field(factory=list, init=False)
    _waiting: deque[_Errand] = field(factory=deque, init=False)
    _stopped: bool = field(default=False, init=False)

    def __repr__(self) -> str:
        return (
            f"<Inspectors {len(self._all)} of {self.processes} processes, "
            f"{len(self._idle)} idle, {len(self._waiting)} jobs waiting>"
        )

    async def start(self) -> None:
        """Have the inspectors ready before the first job; without this, that one waits for its own."""
        self._stopped = False
        try:
            while len(self._all) < self.processes:
                self._idle.append(self._start())
        except OSError:
            # Reading the index needs none, and there may be one by the time of the first job.
            log.failure("No inspector can be started")

    async def inspect(self, path: Path, filename: str) -> Contents:
        """Inspect an archive as ``archives.inspect`` does, in another process.

        Args:
            path: where the file is now; it has to stay there until the answer.
            filename: what it will be called.

        Raises:
            Invalid: the archive is refused, or was the end of its inspector.
            InspectorsBusy: too many jobs are waiting.
            InspectionFailed: no inspector can be started, or it cannot read the file, or the pool stopped.
        """
        if self._stopped:
            raise InspectionFailed
        if len(self._waiting) >= self.most_waiting:
            raise InspectorsBusy
        errand = _Errand(wire.Job(path, filename), Deferred(self._forget))
        self._waiting.append(errand)
        self._serve()
        return await errand.answer

    async def stop(self) -> None:
        """End every inspector; jobs under way or waiting fail. Returns when no process is left."""
        self._stopped = True
        while self._waiting:
            self._waiting.popleft().settle(InspectionFailed())
        ended = [inspector.ended for inspector in self._all]
        for inspector in tuple(self._all):
            inspector.abandon(InspectionFailed())
        await gatherResults(ended)

    def _forget(self, answer: Deferred[Contents]) -> None:
        """Called by a cancelled answer. A job under way goes on to its end: its inspector is worth more."""
        self._waiting = deque(errand for errand in self._waiting if errand.answer is not answer)

    def _serve(self) -> None:
        while self._waiting:
            try:
                inspector = self._free()
            except OSError:
                log.failure("No inspector can be started")
                self._waiting.popleft().settle(InspectionFailed())
                continue
            if inspector is None:
                return
            inspector.give(self._waiting.popleft())

    def _free(self) -> _Inspector | None:
        while self._idle:
            inspector = self._idle.pop()
            if not inspector.dying:
                return inspector
        return self._start() if len(self._all) < self.processes else None

    def _start(self) -> _Inspector:
        inspector = _Inspector(
            reactor=self.reactor,
            deadline_seconds=self.deadline_seconds,
            most_received=self.limits.metadata_bytes + wire.OVERHEAD_BYTES,
            done=self._done,
            gone=self._gone,
        )
        path = ":".join(os.path.abspath(entry) for entry in sys.path)
        settings = (json.dumps(asdict(self.limits)), json.dumps(asdict(self.budget)))
        command = [sys.executable, "-I", "-S", "-c", _START, self.child, path, *settings]
        self.reactor.spawnProcess(inspector, sys.executable, command, env={})
        self._all.add(inspector)
        return inspector

    def _done(self, inspector: _Inspector, resident_bytes: int) -> None:
        if inspector.jobs >= self.jobs_each or resident_bytes > self.resident_bytes:
            inspector.kill()
            return
        self._idle.append(inspector)
        self._serve()

    def _gone(self, inspector: _Inspector) -> None:
        inspector.dying = True
        self._all.discard(inspector)
        self._idle = [other for other in self._idle if other is not inspector]
        self._serve()


@define(eq=False, kw_only=True)
class _Inspector(ProcessProtocol):
    """One inspecting process, with at most one job at a time.

    Attributes:
        done: told when a job has ended and the next may come, and how many bytes the process holds.
        gone: told when the process has ended.
        ended: fires then.
        jobs: given so far.
        dying: killed, and good for nothing while it is not gone.
    """

    reactor: Any
    deadline_seconds: float
    most_received: int
    done: Callable[[_Inspector, int], None]
    gone: Callable[[_Inspector], None]
    ended: Deferred[None] = field(factory=Deferred)
    jobs: int = 0
    dying: bool = False
    transport: Any = None
    _errand: _Errand | None = None
    _begun: bool = False
    _deadline: Any = None
    _received: bytearray = field(factory=bytearray)
    _complained: int = 0

    def give(self, errand: _Errand) -> None:
        """Start a job."""
        self.jobs += 1
        self._errand, self._begun = errand, False
        self._deadline = self.reactor.callLater(self.deadline_seconds, self._too_late)
        self.transport.write(wire.frame(wire.write_job(errand.job)))

    def abandon(self, result: Refusal) -> None:
        """End the process, and its job with this result."""
        errand = self._released()
        self.kill()
        if errand is not None:
            errand.settle(result)

    def kill(self) -> None:
        """End the process."""
        self.dying = True
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")

    def outReceived(self, data: bytes) -> None:
        self._received += data
        try:
            while not self.dying and (body := self._next_frame()) is not None:
                self._heard(body)
        except Exception:
            # Whatever a process says that reads strangers' archives, it cannot be trusted to say it well.
            log.failure("An inspector babbles")
            self.abandon(took_too_much())

    def errReceived(self, data: bytes) -> None:
        if self._complained < _STDERR_BYTES:
            log.warn("An inspector complains: {text}", text=data.decode("utf-8", "replace"))
        self._complained += len(data)

    def processEnded(self, reason: Failure) -> None:
        verdict = self._verdict()
        errand = self._released()
        self.gone(self)
        self.ended.callback(None)
        if errand is not None:
            path = errand.job.path
            log.warn("An inspector ended while it inspected {path}: {reason}", path=path, reason=reason.value)
            errand.settle(verdict)

    def _next_frame(self) -> bytes | None:
        start = wire.LENGTH.size
        if len(self._received) < start:
            return None
        (length,) = wire.LENGTH.unpack_from(self._received)
        if length > self.most_received:
            raise ValueError(f"a frame of {length} bytes")
        if len(self._received) < start + length:
            return None
        body = bytes(self._received[start : start + length])
        del self._received[: start + length]
        return body

    def _heard(self, body: bytes) -> None:
        if self._errand is None or (body == wire.BEGUN) == self._begun:
            raise ValueError("a frame nobody waits for")
        if not self._begun:
            self._begun = True
            return
        reply = wire.read_reply(body)
        errand = self._released()
        assert errand is not None
        # First, so that whoever hears the answer and asks again finds this inspector free.
        self.done(self, reply.resident_bytes)
        if isinstance(reply.result, wire.Failed):
            log.error("{path} cannot be inspected: {why}", path=errand.job.path, why=reply.result)
            errand.settle(InspectionFailed())
        else:
            errand.settle(reply.result)

    def _too_late(self) -> None:
        log.warn("Inspecting takes more than {seconds} s", seconds=self.deadline_seconds)
        self.abandon(self._verdict())

    def _verdict(self) -> Refusal:
        # Before it began, the archive had no part in what went wrong.
        return took_too_much() if self._begun else InspectionFailed()

    def _released(self) -> _Errand | None:
        errand, self._errand = self._errand, None
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        return errand
