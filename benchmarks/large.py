"""A wheel of 1 GiB, uploaded and downloaded: what the service's memory does meanwhile.

The wheel holds random bytes, stored uncompressed, in four members of 256 MiB with a valid RECORD. It is
uploaded as fast as the service takes it, from the disk, by a client that is not in its way, and downloaded
twice: by a client that reads as fast as it can, and by one that asks and then reads nothing for two seconds,
which is when a service without back-pressure fills its memory.

Memory is the resident set of the service's processes without PostgreSQL and Redis: the main one and its
children, which look into what was sent. Idle is what they hold (``VmRSS``) when the service is ready and has
answered nobody yet; a child that is started later counts in full. The peak of a process is the kernel's own
(``VmHWM``), counted anew for each step. The peaks of all processes are added up as if they had come at the
same moment, and looked at every 20 ms because a child may be replaced meanwhile. 1 MB = 1 000 000 bytes.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from attrs import define, field, frozen

from benchmarks import client, distributions, machine, servers, uploading
from benchmarks.figure import Bar, BenchmarkFailed, Figure, Row, Setting, at_most
from benchmarks.processes import Running
from benchmarks.servers import Subject

GIBIBYTE = 1 << 30
MEGABYTE = 1_000_000
PROJECT = "gigantic"
ENVIRONMENT = {"CHEESESHOP_UPLOADS_MAX_FILE_SIZE": "2GB"}
MOST = 60
"""MB above idle."""

PAUSE = 2.0
SETTLING = 1.0
EVERY = 0.02


@frozen
class Memory:
    """Bytes that the service's main process and its children hold."""

    main: int
    children: int

    @classmethod
    def of(cls, service: Running, what: str) -> Memory:
        """By a line of ``/proc/<pid>/status``."""
        children = sum(machine.memory(pid, what) for pid in servers.children(service))
        return cls(machine.memory(service.pid, what), children)

    @property
    def total(self) -> int:
        """All of it."""
        return self.main + self.children


@define
class Step:
    """Something done to the service, again in each run.

    Attributes:
        do: does it; returns the seconds it took.
        peaks: of memory meanwhile.
    """

    name: str
    do: Callable[[Subject], float]
    seconds: list[float] = field(factory=list)
    peaks: list[Memory] = field(factory=list)

    def take(self, subject: Subject) -> None:
        """Do it once, and watch the memory."""
        with _watched(subject.running) as seen:
            self.seconds.append(self.do(subject))
        main = max(memory.main for memory in seen)
        self.peaks.append(Memory(main, max(memory.children for memory in seen)))


def measure(setting: Setting) -> Iterator[Row]:
    """All steps on a new index, again and again."""
    setting.say("Making a wheel of 1 GiB")
    wheel = distributions.huge(setting.folder, PROJECT, GIBIBYTE)
    digest = uploading.digest(wheel)
    steps = (
        Step("upload", lambda subject: uploading.stream(subject, PROJECT, wheel)),
        Step("download", _download),
        Step("download after a pause", lambda subject: _download_late(subject, digest)),
    )
    idle: list[Memory] = []
    for run in range(setting.runs):
        with servers.serving(setting.folder / f"run-{run}", env=ENVIRONMENT) as subject:
            time.sleep(SETTLING)
            idle.append(Memory.of(subject.running, "VmRSS"))
            for step in steps:
                setting.say(f"Run {run + 1} of {setting.runs}: {step.name}")
                step.take(subject)
        shutil.rmtree(setting.folder / f"run-{run}")
    yield _row("idle: main process", [memory.main for memory in idle])
    yield _row("idle: child processes", [memory.children for memory in idle])
    for step in steps:
        yield from _rows(step, idle, wheel.stat().st_size)


def _rows(step: Step, idle: list[Memory], size: int) -> Iterator[Row]:
    pairs = list(zip(step.peaks, idle, strict=True))
    yield _row(f"{step.name}: above idle", [peak.total - at.total for peak, at in pairs], at_most(MOST))
    yield _row(f"{step.name}: of it, main process", [peak.main - at.main for peak, at in pairs])
    yield _row(f"{step.name}: of it, child processes", [peak.children - at.children for peak, at in pairs])
    rates = [size / seconds / MEGABYTE for seconds in step.seconds]
    yield Row(measure=f"{step.name}: speed", unit="MB/s", ours=rates, more_is_better=True)


def _row(measure: str, memory: list[int], bar: Bar | None = None) -> Row:
    return Row(measure=measure, unit="MB", ours=[held / MEGABYTE for held in memory], bar=bar)


@contextmanager
def _watched(service: Running) -> Iterator[list[Memory]]:
    """The peaks of memory during a block, in the order of the looks; the last look is at its end."""
    for pid in (service.pid, *servers.children(service)):
        machine.forget_peak(pid)
    seen: list[Memory] = []
    over = threading.Event()

    def look() -> None:
        while not over.wait(EVERY):
            seen.append(Memory.of(service, "VmHWM"))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()
        seen.append(Memory.of(service, "VmHWM"))


def _download(subject: Subject) -> float:
    return client.fetch(uploading.url_of(subject, PROJECT), client.ignore)


def _download_late(subject: Subject, expected: str) -> float:
    digest = hashlib.sha256()
    seconds = client.fetch(uploading.url_of(subject, PROJECT), digest.update, pause=PAUSE)
    if digest.hexdigest() != expected:
        raise BenchmarkFailed("what was downloaded is not what was uploaded")
    return seconds


FIGURE = Figure(
    name="large",
    question="what does a wheel of 1 GiB do to the service's memory?",
    measure=measure,
)
