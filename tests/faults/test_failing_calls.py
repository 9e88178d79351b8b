"""The operating system fails a call on the way of an upload, whichever it is: no ack, nothing left behind.

The calls of the running service are made to fail from outside, by strace.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGINT

import pytest

from tests.support.invariants import check
from tests.support.rig import Outcome, Upload, Victim, answer, upload, wait_for

SIZE = 400_000
ENOUGH = 30
"""More calls of one kind than an upload makes."""

Attempt = Callable[[Victim, Upload, str], tuple[Outcome, bool]]
"""Uploads under an injected failure; returns what came of it, and whether the failure took place."""


def whole(victim: Victim, wanted: Upload, inject: str) -> tuple[Outcome, bool]:
    """The failure is lying in wait during the whole upload."""
    with failing(victim, inject) as report:
        outcome = victim.publish(wanted)
    return outcome, was_injected(report)


def second_half(victim: Victim, wanted: Upload, inject: str) -> tuple[Outcome, bool]:
    """The failure strikes the temporary file, and so can only be laid when there is one."""
    request = victim.request(wanted)
    half = len(request) // 2
    with victim.connect() as connection:
        connection.sendall(request[:half])
        assert wait_for(lambda: len(victim.temporaries) == 1)
        with failing(victim, inject, path=victim.temporaries[0]) as report:
            connection.sendall(request[half:])
            outcome = answer(connection)
    if outcome.status == 200:
        victim.note(wanted)
    return outcome, was_injected(report)


# strace counts the calls of each thread by themselves. A wheel is stored in two goes, by two threads perhaps,
# of which only the first is met then; a source distribution is stored in one.
@pytest.mark.parametrize("is_wheel", [True, False], ids=["wheel", "sdist"])
@pytest.mark.parametrize(
    ("calls", "error", "attempt", "status", "at_least"),
    [
        ("fsync,fdatasync", "EIO", whole, 503, 4),
        ("rename,renameat,renameat2", "EIO", whole, 503, 1),
        ("mkdir,mkdirat", "ENOSPC", whole, 507, 1),
        ("write", "ENOSPC", second_half, 507, 1),
    ],
    ids=["fsync", "rename", "mkdir", "write"],
)
async def test_a_call_fails(
    survivor: Victim, calls: str, error: str, attempt: Attempt, status: int, at_least: int, is_wheel: bool
) -> None:
    """Whichever of the calls it is, the upload is refused, nothing is left of it, and a retry succeeds."""
    for number in range(1, ENOUGH):
        wanted = upload(size=SIZE, is_wheel=is_wheel)
        outcome, failed = attempt(survivor, wanted, f"{calls}:error={error}:when={number}")
        if not failed:
            break
        assert outcome.status == status, f"call {number}"
        assert survivor.temporaries == []
        assert survivor.get(f"/simple/{wanted.project}/")[0] == 404
        assert survivor.publish(wanted).status == 200
    assert outcome.status == 200
    assert number > at_least
    assert survivor.is_alive
    await check(survivor)


@contextmanager
def failing(victim: Victim, inject: str, *, path: Path | None = None) -> Iterator[Path]:
    """While the block runs, a call of the service fails.

    Args:
        inject: which, how and when, as strace has it: ``fsync:error=EIO:when=3``.
        path: only calls on this file count.

    Yields:
        where strace reports.
    """
    if shutil.which("strace") is None:
        pytest.skip("strace, which makes system calls fail, is not installed here.")
    report = victim.folder / "strace.log"
    report.unlink(missing_ok=True)
    command = ["strace", "-f", "-o", report, "-e", f"trace={inject.partition(':')[0]}"]
    command += ["-e", f"inject={inject}", *(["-P", path] if path else []), "-p", str(victim.pid)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert tracer.stderr is not None
    # With a path, it first says what that resolves to.
    said = next((line for line in tracer.stderr if "Requested path" not in line), "")
    if "attached" not in said:
        tracer.wait()
        pytest.skip(f"strace may not attach to a process here: {said.strip()}")
    try:
        yield report
    finally:
        tracer.send_signal(SIGINT)
        tracer.communicate()


def was_injected(report: Path) -> bool:
    """Whether a call was made to fail."""
    return "(INJECTED)" in report.read_text()
