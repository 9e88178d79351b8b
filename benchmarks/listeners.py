"""A thousand listeners of the stream of changes on one worker: memory, processor time, and how soon all know.

*Memory*: what the worker's resident set grew by when a thousand clients had come, in MB. *Processor time*: of
the worker, for each upload that all are told of (some lines of the journal each), beyond what the same
uploads took before they came; and per second while nothing happens but signs of life. *Known*: from an
upload's acknowledgement to the last byte of its last event at the last of them, as one process finds it that
reads all thousand connections. *Readings*: of the journal by the worker for all of them, for each upload. The
worker and what measures it share the machine's processors.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from attrs import define, field

from benchmarks import distributions, machine, servers, uploading
from benchmarks.cache import alone
from benchmarks.client import Client, connect, read_head
from benchmarks.figure import BenchmarkFailed, Figure, Row, Setting, at_most
from benchmarks.servers import Subject

LISTENERS, UPLOADS, WARM_UP = 1000, 30, 10
SILENCE = 5.0
PATIENCE = 20.0
MOST_MEMORY, MOST_READINGS = 20.0, 1.0
READINGS = re.compile(r"^cheeseshop_changes_readings_total\{[^}]*\} (\S+)", re.M)


@define
class Found:
    """One number for each run."""

    memory: list[float] = field(factory=list)
    cpu: list[float] = field(factory=list)
    idle: list[float] = field(factory=list)
    middle: list[float] = field(factory=list)
    worst: list[float] = field(factory=list)
    readings: list[float] = field(factory=list)


@define
class Crowd:
    """Clients that listen.

    Attributes:
        connections: of each, with the end of what it has read.
    """

    connections: dict[socket.socket, bytes] = field(factory=dict)
    _selector: selectors.BaseSelector = field(factory=selectors.DefaultSelector)

    def join(self, origin: str) -> None:
        """One more, who has got the beginning of its stream."""
        connection = connect(origin)
        ask = f"GET /api/changes/stream HTTP/1.1\r\nHost: {urlsplit(origin).netloc}\r\n\r\n"
        connection.sendall(ask.encode())
        rest = read_head(connection).rest
        while b"\n\n" not in rest:
            rest += connection.recv(4096)
        connection.setblocking(False)
        self.connections[connection] = b""
        self._selector.register(connection, selectors.EVENT_READ)

    def await_all(self, sought: bytes) -> float:
        """Wait until all have got an event with these words; the moment when the last had.

        Raises:
            BenchmarkFailed: one has not, for too long.
        """
        left = set(self.connections)
        gives_up = time.perf_counter() + PATIENCE
        last = 0.0
        while left:
            for key, _ in self._selector.select(0.5):
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                data = self.connections[connection] + connection.recv(1 << 16)
                if sought in data:
                    left.discard(connection)
                    last = time.perf_counter()
                self.connections[connection] = data[-len(sought) :]
            if time.perf_counter() > gives_up:
                raise BenchmarkFailed(f"{len(left)} listeners did not hear of a change")
        return last

    def leave(self) -> None:
        """Hang up."""
        self._selector.close()
        for connection in self.connections:
            connection.close()


def measure(setting: Setting) -> Iterator[Row]:
    """A new index for each run."""
    found = Found()
    for run in range(setting.runs):
        operator = machine.free_port()
        env = {"CHEESESHOP_OPERATOR_PORT": str(operator)}
        with servers.serving(setting.folder / str(run), env=env) as subject, alone():
            setting.say(f"Run {run + 1} of {setting.runs}: {UPLOADS} uploads without, and with {LISTENERS}")
            _run(setting, subject, operator, run, found)
    yield Row(
        measure=f"memory of {LISTENERS} listeners", unit="MB", ours=found.memory, bar=at_most(MOST_MEMORY)
    )
    yield Row(measure="CPU to tell them all of an upload", unit="ms", ours=found.cpu)
    yield Row(measure="CPU while nothing happens", unit="ms/s", ours=found.idle)
    yield Row(measure="until all know of an upload: median", unit="ms", ours=found.middle)
    yield Row(measure="until all know of an upload: worst", unit="ms", ours=found.worst)
    yield Row(measure="readings for each upload", unit="", ours=found.readings, bar=at_most(MOST_READINGS))


def _run(setting: Setting, subject: Subject, operator: int, run: int, found: Found) -> None:
    wheels = setting.folder / f"wheels-{run}"
    wheels.mkdir()
    pid = subject.running.pid
    with ExitStack() as stack:
        uploader = stack.enter_context(closing(Client(subject.origin)))
        for number in range(WARM_UP):
            _upload(subject, uploader, wheels, f"warm{number}")
        before = _cpu(pid)
        for number in range(UPLOADS):
            _upload(subject, uploader, wheels, f"alone{number}")
        alone_cpu = _cpu(pid) - before
        held = machine.memory(pid, "VmRSS")
        crowd = Crowd()
        stack.callback(crowd.leave)
        for _ in range(LISTENERS):
            crowd.join(subject.origin)
        found.memory.append((machine.memory(pid, "VmRSS") - held) / 1e6)
        before, began = _cpu(pid), time.perf_counter()
        time.sleep(SILENCE)
        found.idle.append(1e3 * (_cpu(pid) - before) / (time.perf_counter() - began))
        readings, before = _readings(operator), _cpu(pid)
        times = []
        for number in range(UPLOADS):
            sought = _upload(subject, uploader, wheels, f"told{number}")
            acknowledged = time.perf_counter()
            times.append(1e3 * (crowd.await_all(sought) - acknowledged))
        found.cpu.append(1e3 * (_cpu(pid) - before - alone_cpu) / UPLOADS)
        found.middle.append(median(times))
        found.worst.append(max(times))
        found.readings.append((_readings(operator) - readings) / UPLOADS)


def _upload(subject: Subject, uploader: Client, folder: Path, project: str) -> bytes:
    """Upload a wheel; its name, as it stands in the last event of the upload."""
    wheel = distributions.tiny(folder, project, "1.0")
    uploader.ask(uploading.request(subject, project, "1.0", wheel))
    return wheel.name.encode()


def _cpu(pid: int) -> float:
    return machine.cpu_seconds([pid])


def _readings(operator: int) -> float:
    with build_opener(ProxyHandler({})).open(f"http://127.0.0.1:{operator}/metrics", timeout=30) as answer:
        found = READINGS.search(answer.read().decode())
    if found is None:
        raise BenchmarkFailed("the service does not say how often it has read the journal")
    return float(found[1])


FIGURE = Figure(
    name="listeners",
    question="what do a thousand listeners cost, and how soon do they know?",
    measure=measure,
    runs=3,
)
