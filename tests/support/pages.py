"""Pages of an index of several workers, each asked by itself, and the servers behind it, to be stopped.

A connection belongs to the worker that accepted it, and the system says which that is. So a test that wants
to know what each of them shows need not ask often enough, and hope.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP
from urllib.parse import urlsplit

from attrs import define, field, frozen

from pypi.embedded import processes
from pypi.process.picture import folder_of
from tests.support.crew import Crew, children, is_alive
from tests.support.rig import PATIENCE, wait_for

JSON = "application/vnd.pypi.simple.v1+json"


@frozen(kw_only=True)
class Shown:
    """An answer, and how long it took, in seconds."""

    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    took: float

    @property
    def is_stale(self) -> bool:
        """Whether it says that it may be outdated."""
        return "fwd=stale" in self.headers.get("cache-status", "")

    @property
    def versions(self) -> set[str]:
        """Of a project's page."""
        return set(json.loads(self.body)["versions"])

    @property
    def yanked(self) -> set[str]:
        """The filenames a project's page shows as yanked."""
        return {file["filename"] for file in json.loads(self.body)["files"] if file["yanked"]}


@define(eq=False)
class Line:
    """A connection to one worker."""

    slot: int
    pid: int
    socket: socket.socket
    netloc: str
    _began: float = field(default=0.0, init=False)

    def ask(self, path: str, *, accept: str = JSON, seconds: float = PATIENCE) -> Shown:
        """One GET; the connection stays open."""
        self.begin(path, accept=accept)
        return self.end(seconds)

    def begin(self, path: str, *, accept: str = JSON) -> None:
        """Ask."""
        self._began = time.monotonic()
        lines = f"GET {path} HTTP/1.1\r\nHost: {self.netloc}\r\nAccept: {accept}\r\n\r\n"
        self.socket.sendall(lines.encode())

    def end(self, seconds: float = PATIENCE) -> Shown:
        """Wait for the answer."""
        self.socket.settimeout(seconds)
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        body = response.read()
        took = time.monotonic() - self._began
        return Shown(status=response.status, headers=headers, body=body, took=took)

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


@define(eq=False)
class Stage(Crew):
    """Some workers on an embedded PostgreSQL and Redis of their own."""

    # --- each worker by itself ----------------------------------------------------------------------------

    def lines(self, slots: Sequence[int] = ()) -> list[Line]:
        """A new connection to each worker, or to those with these slots; close them."""
        found: dict[int, Line] = {}
        wanted: set[int] = set()
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            # Read again each time: it is a moment old, and one of them may just have died.
            pids = {one.pid: one.slot for one in self.picture.workers if not slots or one.slot in slots}
            wanted = set(pids)
            if 0 in wanted:  # one that is about to be started again
                time.sleep(0.05)
                continue
            connection = self.connect()
            pid = self._owner(connection, wanted)
            if pid is None or pid in found:
                connection.close()
            else:
                found[pid] = Line(pids[pid], pid, connection, urlsplit(self.url).netloc)
            if wanted <= set(found):
                break
        for pid in set(found) - wanted:
            found.pop(pid).close()
        assert wanted <= set(found), f"only {sorted(found)} of {sorted(wanted)} accepted a connection"
        return sorted(found.values(), key=lambda line: line.slot)

    def _owner(self, connection: socket.socket, pids: set[int]) -> int | None:
        """The process that has accepted a connection, if it is one of these."""
        port = f"{connection.getsockname()[1]:04X}"
        for _ in range(50):
            for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[2].endswith(f":{port}") and fields[9] != "0":
                    return _holder(f"socket:[{fields[9]}]", pids)
            time.sleep(0.01)
        return None

    def everywhere(self, path: str, *, seconds: float = PATIENCE) -> list[Shown]:
        """What each worker answers on a fresh connection, one after the other."""
        lines = self.lines()
        try:
            return [line.ask(path, seconds=seconds) for line in lines]
        finally:
            for line in lines:
                line.close()

    def figure(self, slot: int, name: str, **labels: str) -> float:
        """The sum of a metric of one worker."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(folder_of(self.data) / f"worker-{slot}.sock"))
            question = "GET /metrics?worker=self HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            connection.sendall(question.encode())
            with connection.makefile("rb") as answer:
                text = answer.read().decode()
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        lines = [line for line in text.splitlines() if line.startswith((f"{name}{{", f"{name} "))]
        return sum(float(line.split()[-1]) for line in lines if all(one in line for one in wanted))

    def figures(self, name: str, **labels: str) -> float:
        """The sum of a metric of all workers."""
        return sum(self.figure(one.slot, name, **labels) for one in self.picture.workers)

    @property
    def pids(self) -> list[int]:
        """Of the workers, by slot."""
        return [one.pid for one in self.picture.workers]

    # --- what stands behind them --------------------------------------------------------------------------

    @property
    def postgres(self) -> list[int]:
        """The processes of its PostgreSQL."""
        return processes.working_in(self.data.resolve() / "postgres" / "cluster", "postgres")

    @property
    def redis(self) -> list[int]:
        """Its Redis."""
        return processes.working_in(self.data.resolve() / "redis", "redis-server")

    @property
    def keeper(self) -> int:
        """The process that keeps the servers running."""
        (found,) = set(children(self.pid)) - set(self.pids)
        return found

    @contextmanager
    def without(self, *servers: str, how: str) -> Iterator[None]:
        """Without ``postgres``, ``redis``, or both, as long as the block lasts.

        Args:
            how: ``halted`` (SIGSTOP), or ``killed``; then they are started again behind the block.
        """
        pids = [pid for server in servers for pid in getattr(self, server)]
        assert pids
        if how == "halted":
            with halted(*pids):
                yield
            return
        with halted(self.keeper):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, SIGKILL)
            assert wait_for(lambda: not any(map(is_alive, pids)))
            yield

    def come_back(self) -> None:
        """Wait until every worker hears of changes again."""

        def sees() -> bool:
            slots = [one.slot for one in self.picture.workers]
            return all(self.figure(slot, "cheeseshop_memory_trust", state="fresh") for slot in slots)

        assert wait_for(sees), self.everything_said


@contextmanager
def halted(*pids: int) -> Iterator[None]:
    """Processes that do nothing as long as the block lasts."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, SIGCONT)


def _holder(name: str, pids: set[int]) -> int | None:
    for pid in pids:
        with suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    if os.readlink(descriptor) == name:
                        return pid
    return None


def resident(pid: int) -> int:
    """Bytes of memory a process has."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) << 10
    return 0


def descriptors(pid: int) -> int:
    """How many files and sockets it has open."""
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
