"""The process that inspects archives, one after another, for ``pypi.publishing.inspection``.

It limits itself before it reads anything of a stranger's: memory, processor time, open files; no files
written, no network, no process of its own; and it does not outlive its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import BinaryIO

from attrs import frozen

from pypi.domain import filenames
from pypi.domain.errors import Invalid, InvalidDistribution
from pypi.domain.filenames import DistributionFilename
from pypi.publishing.archives import Contents, Limits, wire
from pypi.publishing.archives import inspect as inspect_archive

Inspect = Callable[[Path, DistributionFilename, Limits], Contents]

_STATM = Path("/proc/self/statm")
_PAGE_BYTES = resource.getpagesize()

# linux/prctl.h, linux/sched.h
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


@frozen(kw_only=True)
class Budget:
    """What the operating system grants an inspecting process.

    Attributes:
        memory_bytes: of address space.
        cpu_seconds: of processor time, for each job.
        open_files: descriptors.
    """

    memory_bytes: int = 512 << 20
    cpu_seconds: int = 20
    open_files: int = 16


def main(inspect: Inspect = inspect_archive) -> None:
    """Answer jobs until the parent closes the pipe.

    The last two arguments of the command are the limits and the budget, in JSON.
    """
    limits = Limits(**json.loads(sys.argv[-2]))
    budget = Budget(**json.loads(sys.argv[-1]))
    confine(budget)
    while (body := _read_frame(sys.stdin.buffer)) is not None:
        _write_frame(wire.BEGUN)
        _grant_cpu_time(budget.cpu_seconds)
        reply = wire.Reply(_result(wire.read_job(body), limits, inspect), _resident_bytes())
        _write_frame(wire.write_reply(reply))


def _result(job: wire.Job, limits: Limits, inspect: Inspect) -> Contents | Invalid | wire.Failed:
    try:
        filename = filenames.parse(job.filename)
    except ValueError as error:
        return InvalidDistribution(str(error))
    try:
        return inspect(job.path, filename, limits)
    except Invalid as refusal:
        return refusal
    except OSError as error:
        return wire.Failed(str(error))
    except MemoryError:
        # What is left of this process is in no state to go on; its parent draws the conclusion.
        os._exit(1)
    except Exception:
        # Parsers of the standard library stumble over some input; that is the input's fault, but we
        # want to hear of it.
        traceback.print_exc()
        return InvalidDistribution("The archive cannot be read")


def confine(budget: Budget) -> None:
    """Take from this process what inspecting archives does not need; for good."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        _confine_on_linux()
    _limit(resource.RLIMIT_AS, budget.memory_bytes)
    _limit(resource.RLIMIT_NOFILE, budget.open_files)
    _limit(resource.RLIMIT_NPROC, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)


def _confine_on_linux() -> None:
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # Root may leave the network by itself; others need a user namespace, where the system allows them.
    if libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)
    # After unshare, which clears it.
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        most = min(most, hard)
    resource.setrlimit(what, (most, most))


def _grant_cpu_time(seconds: int) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime) + seconds, hard))


def _resident_bytes() -> int:
    """Memory held now; 0 where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_BYTES
    except OSError:
        return 0


def _read_frame(pipe: BinaryIO) -> bytes | None:
    prefix = pipe.read(wire.LENGTH.size)
    if len(prefix) < wire.LENGTH.size:
        return None
    (length,) = wire.LENGTH.unpack(prefix)
    return pipe.read(length)


def _write_frame(body: bytes) -> None:
    sys.stdout.buffer.write(wire.frame(body))
    sys.stdout.buffer.flush()
