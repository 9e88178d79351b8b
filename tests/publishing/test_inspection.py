"""Archives are inspected by a few processes that may die, while nobody else notices."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import deferLater

from pypi.domain.errors import Invalid, InvalidDistribution, Unavailable
from pypi.publishing.archives import Contents, Limits, wire
from pypi.publishing.children.confined import Budget
from pypi.publishing.inspection import InspectionFailed, Inspectors, InspectorsBusy, took_too_much
from tests.support import archives
from tests.support.archives import wheel

FILENAME = archives.wheel_filename()
ROUGH = "tests.publishing.rough_inspector"
TOO_MUCH = str(took_too_much())


@pytest_twisted.async_yield_fixture
async def pools() -> AsyncIterator[Any]:
    """Makes pools of inspectors that end with the test."""
    made: list[Inspectors] = []

    def make(**settings: Any) -> Inspectors:
        made.append(Inspectors(reactor=reactor, **settings))
        return made[-1]

    yield make
    for pool in made:
        await pool.stop()


@pytest.fixture
def good(tmp_path: Path) -> Path:
    """A wheel on disk."""
    path = tmp_path / "good"
    path.write_bytes(wheel())
    return path


class Rough:
    """A pool whose inspectors obey commands."""

    def __init__(self, pool: Inspectors, folder: Path) -> None:
        self.pool = pool
        self.folder = folder

    def does(self, command: str) -> Deferred[Contents]:
        """Inspect a file that says ``command``."""
        path = self.folder / f"command-{len(list(self.folder.iterdir()))}"
        path.write_text(command)
        return Deferred.fromCoroutine(self.pool.inspect(path, FILENAME))

    async def says(self, command: str) -> str:
        """The sentence of the refusal that ``command`` ends in."""
        with pytest.raises((InvalidDistribution, Unavailable)) as refusal:
            await self.does(command)
        return str(refusal.value)

    async def recovers(self) -> bool:
        """Whether the pool still does its work."""
        return await self.says("own pid") != TOO_MUCH


@pytest.fixture
def rough(pools: Any, tmp_path: Path) -> Any:
    """Makes pools of rough inspectors, of one process unless said otherwise."""
    folder = tmp_path / "commands"
    folder.mkdir()
    return lambda **settings: Rough(pools(**{"child": ROUGH, "processes": 1} | settings), folder)


async def test_contents(pools: Any, tmp_path: Path) -> None:
    """What an inspector finds arrives whole: metadata of any bytes, paths, warnings."""
    about = archives.core_metadata(headers=[("License-File", "é")], description="\n\n\tcaf\u00e9\n")
    data = wheel(metadata=about, dist_info_files={"licenses/é": b""}, files={"a": b"", "A": b""})
    path = tmp_path / "file"
    path.write_bytes(data)
    assert await pools().inspect(path, FILENAME) == archives.inspected(data, FILENAME)


async def test_refusals(pools: Any, tmp_path: Path) -> None:
    """A refusal arrives as it was raised."""
    path = tmp_path / "file"
    pool = pools()
    for data in (
        b"hello",
        wheel(omit=["RECORD"]),
        wheel(headers=[("License-File", "x")]),
        wheel(metadata=b"x"),
    ):
        path.write_bytes(data)
        with pytest.raises(Invalid) as here:
            archives.inspected(data, FILENAME)
        with pytest.raises(type(here.value)) as there:
            await pool.inspect(path, FILENAME)
        assert str(there.value) == str(here.value)


async def test_limits_reach_the_inspector(pools: Any, good: Path) -> None:
    """The pool's limits are the inspectors'."""
    with pytest.raises(InvalidDistribution, match="More than 3 members"):
        await pools(limits=Limits(entries=3)).inspect(good, FILENAME)


async def test_filename_that_is_none(pools: Any, good: Path) -> None:
    """A filename nobody parsed before is refused like a bad archive."""
    with pytest.raises(InvalidDistribution, match="Invalid file extension"):
        await pools().inspect(good, "demo-1.0.exe")


async def test_file_that_is_not_there(pools: Any, tmp_path: Path) -> None:
    """A file that cannot be read is not the publisher's fault."""
    with pytest.raises(InspectionFailed):
        await pools().inspect(tmp_path / "missing", FILENAME)


async def test_one_process_does_many_jobs(rough: Any) -> None:
    """An inspector takes one job after another."""
    rough = rough()
    assert len({await rough.says("own pid") for _ in range(5)}) == 1


async def test_jobs_are_shared_out(rough: Any) -> None:
    """As many jobs are done at once as there are inspectors, and no more processes are started."""
    rough = rough(processes=2)
    first, second = rough.does("sleep 0.3"), rough.does("own pid")
    for job in (second, rough.does("own pid"), first):
        with pytest.raises(InvalidDistribution):
            await job
    assert repr(rough.pool) == "<Inspectors 2 of 2 processes, 2 idle, 0 jobs waiting>"


async def test_start(rough: Any) -> None:
    """Started, every inspector is there before the first job."""
    rough = rough(processes=2)
    await rough.pool.start()
    assert repr(rough.pool) == "<Inspectors 2 of 2 processes, 2 idle, 0 jobs waiting>"
    assert await rough.recovers()


@pytest.mark.parametrize(
    ("command", "budget"),
    [
        ("hog", Budget(memory_bytes=128 << 20)),
        ("spin", Budget(cpu_seconds=1)),
    ],
)
async def test_budget(rough: Any, command: str, budget: Budget) -> None:
    """More memory or processor time than granted ends the inspector, not the pool."""
    rough = rough(budget=budget)
    assert await rough.says(command) == TOO_MUCH
    assert await rough.recovers()


async def test_processor_time_is_granted_anew(rough: Any) -> None:
    """The time one job used is not taken from the next."""
    rough = rough(budget=Budget(cpu_seconds=1))
    before = await rough.says("own pid")
    for _ in range(4):
        assert await rough.says("burn 0.4") == "Invalid distribution file. obeyed"
    assert await rough.says("own pid") == before


async def test_deadline(rough: Any) -> None:
    """A job that takes too long by the clock is refused, and its inspector replaced."""
    rough = rough(deadline_seconds=2.0)
    await begins(rough)
    assert await rough.says("sleep 60") == TOO_MUCH
    await begins(rough)


async def begins(rough: Any) -> None:
    """Have an inspector work, which on a busy machine may need more time to start than jobs have here."""
    for _ in range(20):
        if await rough.recovers():
            return
    pytest.fail("no inspector works")


@pytest.mark.parametrize(
    "command",
    [
        "exit 0",
        "exit 3",
        "crash",
        "flood",
        "say \xff\xff\xff\xff",
        "say \0\0\0\0",
        "answer {}",
        "answer null",
        "answer []",
        "answer not JSON",
        'answer {"contents": {}}',
        'answer {"refused": "OSError", "fields": {}}',
        'answer {"refused": "InvalidDistribution", "fields": {"x": 1}}',
        "answer " + "[" * 20_000,
        "fail SystemExit",
    ],
)
async def test_inspectors_gone_wrong(rough: Any, command: str) -> None:
    """An inspector that dies or babbles takes its archive with it, and the next one is as good as new."""
    rough = rough()
    assert await rough.says(command) == TOO_MUCH
    assert await rough.recovers()


async def test_babbling_while_idle(rough: Any) -> None:
    """An inspector that says something unasked is replaced, and harms no job."""
    rough = rough()
    late = "answer " + '{"failed": "x"}'
    assert await rough.says(late) == str(InspectionFailed())
    await settled()
    assert await rough.recovers()


async def test_surprises(rough: Any) -> None:
    """An error nobody foresaw refuses the archive; one of the disk does not."""
    rough = rough()
    assert await rough.says("fail RecursionError") == "Invalid distribution file. The archive cannot be read"
    assert await rough.says("fail OSError") == str(InspectionFailed())


async def test_complaints(rough: Any) -> None:
    """What an inspector writes to its standard error changes nothing."""
    rough = rough()
    assert await rough.says("complain " + "oh " * 100_000) == "Invalid distribution file. obeyed"


async def test_killed_between_jobs(rough: Any) -> None:
    """An inspector that somebody kills while it is idle costs at most a try again."""
    rough = rough()
    pid = int((await rough.says("own pid")).rpartition(" ")[2])
    os.kill(pid, signal.SIGKILL)
    assert await rough.says("own pid") != TOO_MUCH
    await settled()
    assert await rough.recovers()


@pytest.mark.parametrize("settings", [{"jobs_each": 2}, {"resident_bytes": 1}])
async def test_replacement(rough: Any, settings: dict[str, int]) -> None:
    """After so many jobs, or grown too large, an inspector makes room for a new one."""
    rough = rough(**settings)
    pids = [await rough.says("own pid") for _ in range(4)]
    assert len(set(pids)) == 4 // settings.get("jobs_each", 1)


async def test_busy(rough: Any) -> None:
    """No more jobs wait than may."""
    rough = rough(most_waiting=2)
    jobs = [rough.does("sleep 0.5") for _ in range(3)]
    with pytest.raises(InspectorsBusy):
        await rough.does("own pid")
    for job in jobs:
        with pytest.raises(InvalidDistribution):
            await job
    assert await rough.recovers()


async def test_cancelled_jobs(rough: Any) -> None:
    """Whoever stops waiting neither holds a place in the queue nor costs an inspector."""
    rough = rough(most_waiting=1)
    before = await rough.says("own pid")
    for _ in range(3):
        under_way, waiting = rough.does("sleep 0.1"), rough.does("own pid")
        under_way.cancel()
        waiting.cancel()
        for job in (under_way, waiting):
            with pytest.raises(CancelledError):
                await job
        assert await rough.says("own pid") == before


async def test_stop(rough: Any) -> None:
    """Stopping fails what is under way or waiting, and leaves no process."""
    rough = rough()
    pid = int((await rough.says("own pid")).rpartition(" ")[2])
    jobs = [rough.does("sleep 60"), rough.does("sleep 60")]
    await rough.pool.stop()
    for job in jobs:
        with pytest.raises(InspectionFailed):
            await job
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(InspectionFailed):
        await rough.does("own pid")
    assert repr(rough.pool) == "<Inspectors 0 of 1 processes, 0 idle, 0 jobs waiting>"


async def test_start_after_stop(rough: Any) -> None:
    """A pool that was stopped can be started again."""
    rough = rough()
    await rough.pool.stop()
    await rough.pool.start()
    assert await rough.recovers()


async def test_child_that_cannot_start(pools: Any, good: Path) -> None:
    """Without inspectors archives are neither accepted nor refused."""
    with pytest.raises(InspectionFailed):
        await pools(child="tests.publishing.no_such_module").inspect(good, FILENAME)


async def test_process_that_cannot_start(pools: Any, good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system starts no process, archives are neither accepted nor refused, and starting goes on."""

    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError("no more processes")

    pool = pools()
    monkeypatch.setattr(reactor, "spawnProcess", refuse)
    await pool.start()
    with pytest.raises(InspectionFailed):
        await pool.inspect(good, FILENAME)
    monkeypatch.undo()
    assert (await pool.inspect(good, FILENAME)).entries == 4


def may_leave_the_network() -> bool:
    """Whether the system lets a process of this user do without."""
    command = ["unshare", "-n" if os.geteuid() == 0 else "-rn", "true"]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not may_leave_the_network(), reason="this system lets no process leave the network")
async def test_no_network(rough: Any) -> None:
    """An inspector reaches no server, where the system lets a process leave the network."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        sentence = await rough().says(f"connect {server.getsockname()[1]}")
    assert sentence == str(InspectionFailed())


async def test_no_files_written(rough: Any, tmp_path: Path) -> None:
    """An inspector writes nothing to any file."""
    target = tmp_path / "target"
    target.write_bytes(b"before")
    assert await rough().says(f"write {target}") == str(InspectionFailed())
    assert target.read_bytes() in (b"", b"before")


async def test_interrupt_is_ignored(rough: Any) -> None:
    """Ctrl-C at the terminal is the parent's to answer."""
    rough = rough()
    pid = await rough.says("own pid")
    os.kill(int(pid.rpartition(" ")[2]), signal.SIGINT)
    assert await rough.says("own pid") == pid


def test_orphans_end(tmp_path: Path) -> None:
    """Inspectors end with their parent, even in the middle of a job."""
    command = tmp_path / "command"
    command.write_text("sleep 60")
    pid_command = tmp_path / "pid"
    pid_command.write_text("own pid")
    with subprocess.Popen(
        [sys.executable, "-c", ORPHANING, str(pid_command), str(command)], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    ends_before(pid, seconds=60)


ORPHANING = """
import sys
from pathlib import Path
from twisted.internet import reactor
from twisted.internet.defer import ensureDeferred
from pypi.publishing.inspection import Inspectors

async def main():
    pool = Inspectors(reactor=reactor, processes=1, child="tests.publishing.rough_inspector")
    try:
        await pool.inspect(Path(sys.argv[1]), "demo-1.0-py3-none-any.whl")
    except Exception as refusal:
        pid = str(refusal).rpartition(" ")[2]
    job = ensureDeferred(pool.inspect(Path(sys.argv[2]), "demo-1.0-py3-none-any.whl"))
    reactor.callLater(0.2, print, pid, flush=True)
    await job

reactor.callWhenRunning(lambda: ensureDeferred(main()))
reactor.run()
"""


def ends_before(pid: int, seconds: float) -> None:
    """Wait for a process that is not ours to end."""
    limit = time.monotonic() + seconds
    while Path(f"/proc/{pid}").exists() and "Z (zombie)" not in Path(f"/proc/{pid}/status").read_text():
        assert time.monotonic() < limit
        time.sleep(0.05)


async def test_many_small_jobs(pools: Any, good: Path) -> None:
    """Many jobs at once all get their answer."""
    pool = pools()
    answers = await gatherResults([Deferred.fromCoroutine(pool.inspect(good, FILENAME)) for _ in range(90)])
    assert len(set(map(repr, answers))) == 1


async def settled() -> None:
    """Let the reactor hear of what has happened."""
    await deferLater(reactor, 0.2, lambda: None)


def test_frames() -> None:
    """Jobs and replies survive their way through a pipe."""
    job = wire.Job(Path(os.fsdecode(b"folder/\xff")), FILENAME)
    assert wire.read_job(wire.write_job(job)) == job
    contents = Contents(metadata=b"\n\0", license_files=("a",), entries=1, expanded_bytes=2, warnings=("b",))
    assert wire.read_result(wire.write_result(contents)) == contents
