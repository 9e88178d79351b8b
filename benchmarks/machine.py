"""What Linux tells about processes: their children, processor time and memory; read from ``/proc``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from socket import create_server
from time import monotonic

from attrs import define, field

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
_GONE = (FileNotFoundError, ProcessLookupError)


def children(pid: int) -> list[int]:
    """The living children of a process, of all its threads."""
    found: list[int] = []
    with suppress(*_GONE):
        for task in (PROC / str(pid) / "task").iterdir():
            with suppress(*_GONE):
                found += map(int, (task / "children").read_text().split())
    return found


def tree(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for one in found:
        found += children(one)
    return found


def program(pid: int) -> str:
    """The command line of a process; empty for one that is gone."""
    with suppress(*_GONE):
        return (
            (PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        )
    return ""


def birth(pid: int) -> int:
    """When a process began, in ticks since the machine did; 0 for one that has ended.

    With its id, this names a process for good.
    """
    fields = _stat(pid)
    return int(fields[19]) if fields and fields[0] not in "ZX" else 0


def cpu_seconds(pids: Iterable[int]) -> float:
    """Processor time of processes, with that of their children that have ended."""
    return sum(sum(map(int, fields[11:15])) for pid in pids if (fields := _stat(pid))) / TICKS


def thread_seconds(pid: int, thread: int | None = None) -> float:
    """Processor time of one thread, by default the first, which runs the reactor; to the microsecond."""
    path = PROC / str(pid) / "task" / str(thread or pid) / "schedstat"
    return int(path.read_text().split()[0]) / 1e9


def process_seconds(pid: int) -> float:
    """Processor time of all living threads of a process; to the microsecond."""
    found = 0.0
    for task in (PROC / str(pid) / "task").iterdir():
        with suppress(*_GONE):
            found += thread_seconds(pid, int(task.name))
    return found


def pinned(cores: str) -> list[str]:
    """What stands before a command that shall use some processors only, such as ``0`` or ``0,1``."""
    return ["taskset", "-c", cores] if cores else []


def free_port() -> int:
    """A port nobody listens on at the moment, for servers that take no 0."""
    with create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def connections(pid: int, port: int) -> set[int]:
    """The clients' ports of the connections to ``port`` that a process holds."""
    held = set()
    with suppress(*_GONE):
        for descriptor in (PROC / str(pid) / "fd").iterdir():
            with suppress(*_GONE):
                held.add(os.readlink(descriptor))
    found = set()
    for line in (PROC / str(pid) / "net" / "tcp").read_text().splitlines()[1:]:
        words = line.split()
        local, remote = (int(address.rpartition(":")[2], 16) for address in words[1:3])
        if local == port and f"socket:[{words[9]}]" in held:
            found.add(remote)
    return found


def _stat(pid: int) -> list[str]:
    """Fields of ``/proc/<pid>/stat`` from the third on."""
    with suppress(*_GONE):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return []


def memory(pid: int, what: str) -> int:
    """Bytes of memory by a line of ``/proc/<pid>/status``: ``VmRSS`` now, ``VmHWM`` at its highest."""
    with suppress(*_GONE):
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) << 10
    return 0


def forget_peak(pid: int) -> None:
    """Have ``VmHWM`` of a process begin anew."""
    (PROC / str(pid) / "clear_refs").write_text("5")


@define
class Foreign:
    """Counts what the machine does besides this process and its descendants."""

    _began: float = field(factory=monotonic)
    _busy: float = field(init=False)
    _ours: float = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._busy, self._ours = _busy_seconds(), _own_seconds()

    @property
    def share(self) -> float:
        """Of one core, since this was made; 0.5 = half a core."""
        busy, ours = _busy_seconds() - self._busy, _own_seconds() - self._ours
        return max(0.0, busy - ours) / max(0.001, monotonic() - self._began)


def _busy_seconds() -> float:
    user, nice, system, _idle, _wait, irq, soft = map(
        int, (PROC / "stat").read_text().splitlines()[0].split()[1:8]
    )
    return (user + nice + system + irq + soft) / TICKS


def _own_seconds() -> float:
    return cpu_seconds(tree(os.getpid()))
