"""wrk, the client that loads: told what to send in full, pinned to its own processor."""

from __future__ import annotations

import json
import resource
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.figure import BenchmarkFailed
from benchmarks.machine import pinned
from benchmarks.processes import run

SCRIPT = Path(__file__).with_name("wrk.lua")
GRACE = 30.0
TIMEOUT = 10


@frozen(kw_only=True)
class Result:
    """What wrk saw.

    Attributes:
        bytes: of answers, heads included.
        p50, p99, most: seconds until an answer.
        refused: answers with a status over 399.
        broken: failed connections, reads and writes.
        late: requests without an answer in time.
        busy: share of its processors that wrk used; 1.0: it could not have asked more.
    """

    requests: int
    bytes: int
    seconds: float
    p50: float
    p99: float
    most: float
    refused: int
    broken: int
    late: int
    busy: float = 0.0


@frozen(kw_only=True)
class Load:
    """What is sent.

    Attributes:
        file: the requests, as ``write`` leaves them.
        pause: milliseconds on average between an answer and the connection's next request.
        cores: the processors wrk may use.
    """

    file: Path
    connections: int
    threads: int = 1
    pause: int = 0
    cores: str = "1"


def program() -> str:
    """Where wrk is.

    Raises:
        BenchmarkFailed: it is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise BenchmarkFailed("wrk is missing: install it, on Debian by `apt-get install wrk`")
    return found


def write(file: Path, requests: Iterable[bytes], *, places: int = 2) -> Path:
    """Requests in the order in which they are to be sent, over and over; each one is written once only.

    Args:
        places: at how many places of the list threads begin.
    """
    known: dict[bytes, int] = {}
    order = [known.setdefault(request, len(known) + 1) for request in requests]
    with file.open("wb") as target:
        target.write(b"%d %d %d\n" % (len(known), len(order), places))
        for request in known:
            target.write(b"%d\n%s\n" % (len(request), request))
        target.write(b"\n".join(b"%d" % place for place in order) + b"\n")
    return file


def send(origin: str, load: Load, seconds: int) -> Result:
    """Load a server.

    Raises:
        BenchmarkFailed: there was no answer at all, or one that is no success.
    """
    command: Sequence[str | Path] = [
        *pinned(load.cores),
        *(program(), "-t", str(load.threads), "-c", str(load.connections), "-d", f"{seconds}s"),
        *("--timeout", f"{TIMEOUT}s", "-s", SCRIPT, origin, "--", load.file, str(load.pause)),
    ]
    before = _ended_seconds()
    _, said = run(command, deadline=seconds + GRACE + TIMEOUT)
    found = json.loads(said.rstrip().rpartition("\n")[2])
    busy = (_ended_seconds() - before) / (found["seconds"] * load.threads)
    result = Result(**found, busy=busy)
    if result.refused or not result.requests:
        raise BenchmarkFailed(f"of {result.requests} answers from {origin}, {result.refused} were refusals")
    return result


def _ended_seconds() -> float:
    """Processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
