"""The spool: digests, order, bounds, faults and leftovers."""

from __future__ import annotations

import errno
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred

from pypi.domain.errors import StorageFailed, StorageFull, TooLarge
from pypi.files import draft
from pypi.files import spool as spool_module
from pypi.files.spool import CHUNK, OUTSTANDING, Spool, SpoolFile, TooManyBytes
from pypi.files.workers import StoreBusy, Workers
from tests.contracts.file_store import LIMIT, spooled
from tests.files.faults import Faulty, descriptors


async def write_chunks(file: SpoolFile, number: int) -> None:
    for _ in range(number):
        await file.write(b"x" * CHUNK)


def leftovers(spool: Spool) -> list[Path]:
    return list(spool.folder.iterdir()) if spool.folder.exists() else []


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, OUTSTANDING, 3 * OUTSTANDING + 17])
async def test_file_holds_what_was_written(spool: Spool, size: int) -> None:
    """However the bytes are cut, the file, its size and its digests are those of the whole."""
    random = Random(size)
    data = random.randbytes(size)
    file = await spool.create(size)
    position = 0
    while position < size:
        step = random.choice([1, 100, CHUNK // 3, CHUNK, 2 * OUTSTANDING])
        await file.write(data[position : position + step])
        position += step
    done = await file.finish()
    assert done.path.read_bytes() == data
    assert (done.size, file.size, file.outstanding) == (size, size, 0)
    assert done.sha256 == hashlib.sha256(data).hexdigest()
    assert done.blake2_256 == hashlib.blake2b(data, digest_size=32).hexdigest()
    assert done.md5 == hashlib.md5(data).hexdigest()


async def test_little_files_cost_one_call(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of less than a chunk is made, written and hashed in a single call of a thread."""
    calls: list[str] = []
    run = Workers.run

    async def counting(self: Workers, function: Callable[..., Any], *args: Any) -> Any:
        calls.append(function.__name__)
        return await run(self, function, *args)

    monkeypatch.setattr(Workers, "run", counting)
    file = await spool.create(LIMIT)
    for _ in range(100):
        await file.write(b"x" * 20)
    await file.finish()
    assert calls == ["finish"]


async def test_disk_is_not_touched_before_there_is_a_chunk(spool: Spool) -> None:
    """A file that is given up early never was on the disk."""
    file = await spool.create(LIMIT)
    await file.write(b"x" * (CHUNK - 1))
    assert not spool.folder.exists()
    await file.abort()
    assert not spool.folder.exists()


async def test_slow_disk_slows_the_writer_down(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer is never more than the bound ahead of the disk, and small pieces are written together."""
    writes: list[int] = []

    @frozen
    class SlowDisk:
        def write(self, fd: int, data: memoryview) -> int:
            writes.append(len(data))
            time.sleep(0.002)
            return os.write(fd, data)

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

    monkeypatch.setattr(draft, "os", SlowDisk())
    data = Random(3).randbytes(40 * CHUNK)
    file = await spool.create(LIMIT)
    most = 0
    for position in range(0, len(data), CHUNK // 8):
        await file.write(data[position : position + CHUNK // 8])
        most = max(most, file.outstanding)
    done = await file.finish()
    assert done.path.read_bytes() == data
    assert CHUNK < most <= OUTSTANDING + CHUNK // 8
    assert max(writes) > CHUNK
    assert len(writes) < 20


async def test_too_many_bytes(spool: Spool) -> None:
    """The limit itself is taken; a byte more is refused at once, and nothing is left."""
    file = await spool.create(3 * CHUNK)
    await file.write(b"x" * (3 * CHUNK))
    with pytest.raises(TooManyBytes, match=str(3 * CHUNK)) as refused:
        await file.write(b"x")
    assert isinstance(refused.value, TooLarge)
    assert leftovers(spool) == []
    with pytest.raises(ValueError, match="given up"):
        await file.finish()


async def test_too_many_bytes_in_the_callers_words(spool: Spool) -> None:
    """Who opens the file may say what is raised beyond its limit."""
    file = await spool.create(1, too_large=lambda: KeyError("mine"))
    with pytest.raises(KeyError, match="mine"):
        await file.write(b"xx")


@pytest.mark.parametrize(
    ("error", "refusal"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EFBIG, StorageFull),
        (errno.EIO, StorageFailed),
        (errno.EMFILE, StorageFailed),
        (errno.EROFS, StorageFailed),
    ],
)
@pytest.mark.parametrize("step", [1, 2, 4])
async def test_faults_of_the_disk(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, error: int, refusal: type[Exception], step: int
) -> None:
    """Whichever step fails, the writer hears of it with its next write at the latest, and nothing is left."""
    before = descriptors()
    spool.folder.mkdir(parents=True)
    monkeypatch.setattr(draft, "os", Faulty(step, error))
    file = await spool.create(LIMIT)
    with pytest.raises(refusal):
        await write_chunks(file, 100)
    with pytest.raises(refusal):
        await file.write(b"x")
    with pytest.raises(refusal):
        await file.finish()
    await file.abort()
    assert leftovers(spool) == []
    assert descriptors() == before


async def test_fault_at_the_end(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault that only shows with the last bytes is raised by ``finish``, and nothing is left."""
    monkeypatch.setattr(draft, "os", Faulty(3, errno.ENOSPC))
    file = await spool.create(LIMIT)
    await file.write(b"x" * 10)
    with pytest.raises(StorageFull):
        await file.finish()
    await file.abort()
    assert leftovers(spool) == []


async def test_short_writes_are_continued(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes a few bytes at a time gets them all, in order."""

    @frozen
    class Reluctant:
        def write(self, fd: int, data: memoryview) -> int:
            return os.write(fd, data[: 1 + len(data) // 3])

        def __getattr__(self, name: str) -> Any:
            return getattr(os, name)

    monkeypatch.setattr(draft, "os", Reluctant())
    data = Random(4).randbytes(200_000)
    done = await spooled(spool, data)
    assert done.path.read_bytes() == data
    assert done.sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("written", [0, 10, CHUNK, 5 * OUTSTANDING])
@pytest.mark.parametrize("finished", [False, True])
async def test_given_up_files_leave_nothing(spool: Spool, written: int, finished: bool) -> None:
    """A file can be given up at any moment, more than once; nothing of it stays."""
    before = descriptors()
    file = await spool.create(LIMIT)
    await file.write(b"x" * written)
    if finished:
        await file.finish()
    await file.abort()
    await file.abort()
    assert leftovers(spool) == []
    assert descriptors() == before
    with pytest.raises(ValueError, match="finished" if finished else "given up"):
        await file.write(b"x")


async def test_client_leaving_at_every_percent_leaves_nothing(spool: Spool) -> None:
    """Cancelling the upload anywhere, while bytes are on their way to the disk, leaves no temporary."""
    before = descriptors()

    async def upload(percent: int) -> None:
        file = await spool.create(LIMIT)
        try:
            for n in range(100):
                if n == percent:
                    await Deferred()  # the client sends nothing more
                await file.write(b"x" * (CHUNK // 4))
        except CancelledError:
            await file.abort()
            raise

    for percent in range(100):
        uploading = Deferred.fromCoroutine(upload(percent))
        uploading.cancel()
        with pytest.raises(CancelledError):
            await uploading
    assert leftovers(spool) == []
    assert descriptors() == before


@pytest.mark.parametrize("method", ["write", "finish"])
async def test_cancelled_while_the_disk_works(spool: Spool, method: str) -> None:
    """Cancelling whoever waits for the disk, and giving the file up then, leaves nothing."""
    file = await spool.create(LIMIT)
    data = b"x" * (2 * OUTSTANDING)
    if method == "finish":
        await file.write(b"x" * (CHUNK - 1))
    working = Deferred.fromCoroutine(file.write(data) if method == "write" else file.finish())
    assert not working.called
    working.cancel()
    with pytest.raises(CancelledError):
        await working
    await file.abort()
    assert leftovers(spool) == []


async def test_busy_threads_refuse_without_leftovers(spool: Spool, workers: Workers) -> None:
    """Where no thread is to be had, writing is refused as any other fault of the store."""
    file = await spool.create(LIMIT)
    await write_chunks(file, 1)
    workers.backlog = -workers.threads
    with pytest.raises(StoreBusy):
        await write_chunks(file, 100)
    await file.abort()
    assert leftovers(spool) == []


async def test_sweep_removes_the_old_and_only_them(spool: Spool) -> None:
    """A sweep removes old temporaries; new ones, those in use, and what else lies there stay."""
    now = time.time()
    spool.folder.mkdir(parents=True)
    for n in range(1000):
        stale = spool.folder / f"{n:032x}"
        stale.write_bytes(b"x")
        os.utime(stale, (now - 7200, now - 7200))
    recent = spool.folder / f"{1000:032x}"
    recent.write_bytes(b"x")
    stranger = spool.folder / "notes.txt"
    stranger.write_text("keep")
    live = [await spool.create(LIMIT) for _ in range(100)]
    for file in live:
        await file.write(b"x" * CHUNK)
        assert file.path.name not in {f"{n:032x}" for n in range(1000)}
    finished = [await file.finish() for file in live]
    for one in (*finished, stranger):
        os.utime(getattr(one, "path", one), (now - 7200, now - 7200))
    assert await spool.sweep(now - 3600) == 1000
    assert await spool.sweep(now - 3600) == 0
    assert set(leftovers(spool)) == {recent, stranger, *(one.path for one in finished)}


async def test_sweep_is_bounded(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sweep removes no more than its bound; the next one goes on."""
    monkeypatch.setattr(spool_module, "SWEEP", 3)
    spool.folder.mkdir(parents=True)
    for n in range(5):
        (spool.folder / f"{n:032x}").touch()
    assert [await spool.sweep(time.time() + 10) for _ in range(3)] == [3, 2, 0]


async def test_sweep_of_a_spool_that_was_never_used(spool: Spool) -> None:
    """There is nothing to sweep where nothing was ever written."""
    assert await spool.sweep(time.time()) == 0


async def test_repr_says_how_much_is_open(spool: Spool) -> None:
    """The text of a spool and of its files fits a line of the log."""
    file = await spool.create(LIMIT)
    await file.write(b"x" * 10)
    assert repr(spool) == f"<Spool {spool.folder}, 1 open>"
    assert "10 bytes, 10 of them in memory" in repr(file)
