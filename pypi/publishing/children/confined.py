"""What every child does: confine itself, then answer jobs until its parent leaves.

It limits itself before it reads anything of a stranger's: memory, processor time, open files; no files
written, no network, no process of its own; and it does not outlive its parent.

A frame is four bytes of length, big-endian, and as many bytes. The parent writes one frame per job; the
child answers with an empty frame when it begins, and with one frame when it is done.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable
from math import ceil
from struct import Struct
from typing import BinaryIO

from attrs import frozen

LENGTH = Struct(">L")
BEGUN = b""

# linux/prctl.h, linux/sched.h
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWNET = 0x40000000


@frozen(kw_only=True)
class Budget:
    """What the operating system grants a child.

    Attributes:
        memory_bytes: of address space.
        cpu_seconds: of processor time, for each job.
        open_files: descriptors.
        nice: how far it gives way to whoever else wants a processor (nice(2)).
    """

    memory_bytes: int = 512 << 20
    cpu_seconds: float = 20.0
    open_files: int = 16
    nice: int = 0


def frame(body: bytes) -> bytes:
    """A body with its length before it."""
    return LENGTH.pack(len(body)) + body


def serve(answer: Callable[[bytes], bytes]) -> None:
    """Answer jobs until the parent closes the pipe.

    The last argument of the command is the budget, in JSON.

    Args:
        answer: a job → its reply; what it raises is the end of the process.
    """
    budget = Budget(**json.loads(sys.argv[-1]))
    confine(budget)
    while (job := _read_frame(sys.stdin.buffer)) is not None:
        _write_frame(BEGUN)
        _grant_cpu_time(budget.cpu_seconds)
        try:
            reply = answer(job)
        except MemoryError:
            # What is left of this process is in no state to go on; its parent draws the conclusion.
            os._exit(1)
        _write_frame(reply)


def confine(budget: Budget) -> None:
    """Take from this process what its jobs do not need; for good."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    os.nice(budget.nice)
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


def _grant_cpu_time(seconds: float) -> None:
    # The timer ends the process, whatever it is busy with; the limit, of whole seconds, is there in any case.
    signal.setitimer(signal.ITIMER_PROF, seconds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (ceil(used.ru_utime + used.ru_stime + seconds), hard))


def _read_frame(pipe: BinaryIO) -> bytes | None:
    prefix = pipe.read(LENGTH.size)
    if len(prefix) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(prefix)
    return pipe.read(length)


def _write_frame(body: bytes) -> None:
    sys.stdout.buffer.write(frame(body))
    sys.stdout.buffer.flush()
