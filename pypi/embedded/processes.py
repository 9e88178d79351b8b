"""Processes that outlive the one that started them: start, recognise and end them.

A server is recognised by its program's name and the folder it works in, never by a number in a file:
numbers are given to other processes after a crash or a reboot.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from signal import Signals
from threading import Event

from pypi.embedded.identity import Identity

LOG_LIMIT = 4 << 20
"""Bytes of a server's log; beyond, it is kept once as ``<log>.1`` and begun anew."""

_POLL = 0.02


def wait_until(condition: Callable[[], bool], seconds: float, stopping: Event | None = None) -> bool:
    """Wait in this thread, at most ``seconds`` and not beyond ``stopping``; returns the condition."""
    pause = stopping.wait if stopping else time.sleep
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline or (stopping and stopping.is_set()):
            return False
        pause(_POLL)
    return True


def launch(
    command: Sequence[str | Path], *, identity: Identity, folder: Path, log: Path, lock: int | None = None
) -> subprocess.Popen[bytes]:
    """Start a server: own session (no Ctrl-C of our terminal), no descriptor of ours but log and lock.

    Args:
        command: program and arguments.
        identity: who it runs as.
        folder: where it works at first.
        log: file its output is appended to.
        lock: descriptor it keeps open as long as it lives.
    """
    kept = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH") if key in os.environ}
    descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        return subprocess.Popen(
            [*identity.prefix, *command],
            cwd=folder,
            env=kept | {"LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
            umask=0o077,
            pass_fds=() if lock is None else (lock,),
            **identity.account(),
        )
    finally:
        os.close(descriptor)


def working_in(folder: Path, program: str) -> list[int]:
    """The ids of the processes named ``program`` that work in ``folder`` (a resolved path)."""
    import psutil  # type: ignore[import-untyped]  # comes with the servers, by the extra `embedded`

    named = (process for process in psutil.process_iter(["name"]) if process.info["name"] == program)
    return [process.pid for process in named if works_in(process.pid, folder, program)]


def works_in(pid: int, folder: Path, program: str) -> bool:
    """Whether that process lives, is named ``program`` and works in ``folder`` (a resolved path)."""
    import psutil

    try:
        process = psutil.Process(pid)
        return bool(process.name() == program and process.cwd() == str(folder))
    except psutil.Error:
        return False


def end(pids: Callable[[], list[int]], steps: Iterable[tuple[Signals, float]]) -> bool:
    """End processes, ever less politely.

    Args:
        pids: those that still live.
        steps: a signal, and the seconds to wait for its effect.

    Returns:
        Whether all are gone.
    """
    for signal, seconds in steps:
        for pid in pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal)
        if wait_until(lambda: not pids(), seconds):
            return True
    return not pids()


def last_words(log: Path, lines: int = 3) -> str:
    """The end of a server's log, on one line, for an error message."""
    with suppress(OSError), log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        said = file.read(4096).decode("utf-8", "replace").splitlines()
        return " / ".join(line.strip() for line in said[-lines:] if line.strip())
    return ""


def bound_log(log: Path) -> None:
    """Keep a log from growing for ever; safe while its server appends to it."""
    with suppress(OSError):
        if log.stat().st_size > LOG_LIMIT:
            shutil.copyfile(log, log.with_name(log.name + ".1"), follow_symlinks=False)
            os.truncate(log, 0)
