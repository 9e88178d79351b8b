"""The state of all workers, as one small file that others read: ``<service.data>/run/workers.json``."""

from __future__ import annotations

import json
import os
import resource
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import asdict, define, field, frozen

FILENAME = "workers.json"


@define(kw_only=True)
class State:
    """One worker.

    Attributes:
        slot: its place, from 1; ``0`` for a service of one process.
        generation: how many reloads there were before it was started, plus 1.
        pid: its process.
        state: starting, ready, draining, or dead (another follows).
        memory: resident bytes.
        connections: open now.
        lag: seconds by which its reactor was late at worst, in the last two.
        restarts: how many processes died in this place.
        dropped: reports and log lines that found the pipe full.
    """

    slot: int
    generation: int = 1
    pid: int = 0
    state: str = "starting"
    memory: int = 0
    connections: int = 0
    lag: float = 0.0
    restarts: int = 0
    dropped: int = 0


@frozen(kw_only=True)
class Picture:
    """All workers at one moment.

    Attributes:
        pid: of the supervisor, or of the only process.
        started: POSIX seconds.
        generation: the one that serves.
        workers: of every generation that is there.
        reloading: whether the next generation is being started.
    """

    pid: int
    started: float
    generation: int
    workers: list[State] = field(factory=list)
    reloading: bool = False

    def write(self, folder: Path) -> None:
        """Put it in place of the last one."""
        new = folder / f".{FILENAME}.{os.getpid()}"
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(self), file)
        new.replace(folder / FILENAME)

    @classmethod
    def read(cls, folder: Path) -> Picture | None:
        """The last one that was written, if there is one; its processes may be gone."""
        try:
            found: dict[str, Any] = json.loads((folder / FILENAME).read_text())
            return cls(**{**found, "workers": [State(**one) for one in found["workers"]]})
        except (OSError, ValueError, TypeError, KeyError):
            return None

    @property
    def is_of_the_living(self) -> bool:
        """Whether its supervisor still runs."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def folder_of(data: Path) -> Path:
    """Where the running processes of a data folder leave their sockets and their picture."""
    return data / "run"


def run_folder(data: Path) -> Path:
    """That folder, made when missing, ours alone, and short enough for the names of sockets.

    Raises:
        EmbeddedServerFailed: it cannot be made.
    """
    # Imported here: readers and the supervisor do without the embedded servers' room.
    from pypi.embedded.errors import EmbeddedServerFailed
    from pypi.embedded.folders import socket_folder

    try:
        data.mkdir(parents=True, exist_ok=True)
        return socket_folder(data.resolve(), "worker-256.sock", owner=os.geteuid())
    except OSError as error:
        raise EmbeddedServerFailed(f"The folder {data} cannot be used: {error.strerror}.") from None


def leave_folder(data: Path) -> None:
    """Take it away if it lies elsewhere, and nobody else uses it."""
    from pypi.embedded.folders import discard_socket_folder

    with suppress(OSError):
        if not any(folder_of(data).iterdir()):
            discard_socket_folder(data.resolve())


def discard(folder: Path, pid: int) -> None:
    """Remove the picture of this supervisor, unless another one's hangs there now."""
    found = Picture.read(folder)
    if found is not None and found.pid == pid:
        with suppress(OSError):
            (folder / FILENAME).unlink()


def memory() -> int:
    """Resident bytes of this process."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
