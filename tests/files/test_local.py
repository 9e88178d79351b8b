"""The local store: the contract, durability, faults of the disk, links, and races."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import pytest
import pytest_twisted
from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from pypi.domain.errors import NoSuchFile, StorageFailed, StorageFull
from pypi.files import draft, paths, tree
from pypi.files.local import LocalFiles, _Reader
from pypi.files.spool import OUTSTANDING, Spool
from pypi.files.store import PIECE
from pypi.files.tree import Tree
from pypi.files.workers import Workers
from tests.contracts.file_store import (
    LIMIT,
    FileStoreContract,
    content,
    listed,
    path_of,
    put,
    read,
    spooled,
)
from tests.files.faults import Faulty, descriptors
from tests.files.uploads import METADATA, SIZE, data_of, three_uploads, upload

MiB = 1 << 20


@pytest_twisted.async_yield_fixture
async def store(tmp_path: Path, workers: Workers) -> AsyncIterator[LocalFiles]:
    made = LocalFiles(tmp_path / "files", workers)
    await made.start()
    yield made
    await made.stop()


class TestLocalFiles(FileStoreContract):
    """The contract, kept by a folder."""


async def test_files_lie_at_their_paths(store: LocalFiles, spool: Spool) -> None:
    """A file lies under the root at its path, and others than the owner may read it, but not write."""
    path = await put(store, spool, b"data")
    place = store.root / path
    assert place.read_bytes() == b"data"
    assert (await store.open(path)).os_path == place
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(place.stat().st_mode) == 0o644 & ~umask


async def test_bytes_are_durable_before_the_name_and_all_folders_after(
    tmp_path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is synced before it is renamed, then each folder up to the root, whoever made it."""
    done: list[str] = []

    class Recording(Faulty):
        def fsync(self, fd: int) -> None:
            done.append(os.readlink(f"/proc/self/fd/{fd}"))
            os.fsync(fd)

        def rename(self, source: Path, name: str, **kwargs: int) -> None:
            done.append("rename")
            os.rename(source, name, **kwargs)

    place = tmp_path / "files" / path_of(b"data")
    place.parent.mkdir(parents=True)
    store = LocalFiles(tmp_path / "files", workers)
    await store.start()
    spool = Spool(store.temporary, workers)
    monkeypatch.setattr(tree, "os", Recording())
    file = await spooled(spool, b"data")
    await store.put(path_of(b"data"), file)
    folders = [str(folder) for folder in place.parents]
    assert folders[3] == str(store.root)
    assert done == [str(file.path), "rename", *folders[:4]]
    # The upper two never go away again: once is enough.
    done.clear()
    await store.delete(path_of(b"data"))
    file = await spooled(spool, b"data")
    await store.put(path_of(b"data"), file)
    assert done == [str(file.path), "rename", *folders[:2]]


@pytest.mark.parametrize("error", [errno.EIO, errno.ENOSPC, errno.EMFILE])
async def test_every_step_may_fail(
    tmp_path: Path, workers: Workers, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """Whichever step of an upload fails: it is refused, leaves nothing open or behind, and the next works."""
    data = Random(error).randbytes(200_000)
    steps = 0
    for step in range(100):
        store = LocalFiles(tmp_path / f"files-{step}", workers)
        await store.start()
        spool = Spool(store.temporary, workers)
        open_before = descriptors()
        faulty = Faulty(step, error)
        with monkeypatch.context() as patched:
            for module in (draft, tree):
                patched.setattr(module, "os", faulty)
            if step == 0:
                await upload(store, spool, data)
                steps = len(faulty.calls)
                continue
            with pytest.raises(StorageFull if error == errno.ENOSPC else StorageFailed):
                await upload(store, spool, data)
        assert list(store.temporary.iterdir()) == [], faulty.calls[-1]
        assert descriptors() == open_before
        for one in await listed(store):
            assert await read(store, one.path) in (data, METADATA)
        await upload(store, spool, data)
        if step == steps:
            break
    assert 25 < steps < 100


async def test_file_that_cannot_be_synced_is_gone(
    store: LocalFiles, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second attempt on a file whose sync failed cannot succeed: its bytes may be lost already."""
    file = await spooled(spool, b"data")
    with monkeypatch.context() as patched:
        patched.setattr(tree, "os", Faulty(1, only=frozenset({"fsync"})))
        with pytest.raises(StorageFailed):
            await store.put(path_of(b"data"), file)
    with pytest.raises(StorageFailed):
        await store.put(path_of(b"data"), file)
    assert await listed(store) == []


async def test_truncated_file_is_not_passed_off_as_whole(store: LocalFiles, spool: Spool) -> None:
    """A file that lost its end while it is read breaks the reading."""
    path = await put(store, spool, b"x" * (PIECE + 10))
    file = await store.open(path)
    os.truncate(store.root / path, PIECE + 1)
    with pytest.raises(StorageFailed):
        await content(file)


async def test_file_that_vanished_after_it_was_opened(store: LocalFiles, spool: Spool) -> None:
    """A file that is deleted between opening and reading breaks the reading."""
    file = await store.open(await put(store, spool, b"data"))
    await store.delete(file.path)
    with pytest.raises(StorageFailed):
        await content(file)


async def test_folder_that_is_gone(store: LocalFiles) -> None:
    """Where the folder of all files is gone, nobody is told that a file is not there: nobody knows."""
    assert await store.size(path_of(b"x")) is None
    store.root.rename(store.root.with_name("elsewhere"))
    with pytest.raises(StorageFailed):
        await store.size(path_of(b"x"))
    store.root.touch()
    with pytest.raises(StorageFailed):
        await store.size(path_of(b"x"))


async def test_links_are_not_followed(store: LocalFiles, spool: Spool, tmp_path: Path) -> None:
    """Neither a file nor any folder of a path may be a symbolic link: nothing outside is read or written."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    for depth in range(4):
        path = path_of(b"%d" % depth)
        link = store.root.joinpath(*path.split("/")[: depth + 1])
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(outside / "secret" if depth == 3 else outside)
        assert await store.size(path) is None
        with pytest.raises(NoSuchFile):
            await store.open(path)
        if depth < 3:
            with pytest.raises(StorageFailed):
                await put(store, spool, b"%d" % depth)
        assert await listed(store) == []
    # A link in the place of the file itself is replaced, not followed.
    await put(store, spool, b"3")
    assert await read(store, path_of(b"3")) == b"3"
    assert [one.name for one in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "secret"


async def test_link_put_in_the_way_later_is_not_followed(
    store: LocalFiles, spool: Spool, tmp_path: Path
) -> None:
    """A file that is exchanged for a link after it was opened is not read."""
    path = await put(store, spool, b"data")
    file = await store.open(path)
    (tmp_path / "secret").write_text("secret")
    (store.root / path).unlink()
    (store.root / path).symlink_to(tmp_path / "secret")
    with pytest.raises(StorageFailed):
        await content(file)


async def test_strangers_in_the_folder_are_left_alone(store: LocalFiles, spool: Spool) -> None:
    """What is not named as the store names things is neither listed nor removed."""
    path = await put(store, spool, b"data")
    strangers = [store.root / "README", store.root / "aa" / "note", (store.root / path).parent / ".hidden"]
    for stranger in strangers:
        stranger.parent.mkdir(parents=True, exist_ok=True)
        stranger.write_text("note")
    assert [one.path for one in await listed(store)] == [path]
    await store.delete(path)
    await store.tidy(time.time() + 3600)
    assert all(stranger.exists() for stranger in strangers)


async def test_delete_removes_the_folder_with_its_last_file(store: LocalFiles, spool: Spool) -> None:
    """The folder named by a digest goes with the last file in it."""
    path = await put(store, spool, b"data", "a-1.tar.gz")
    other = await put(store, spool, b"data", "b-1.tar.gz")
    await store.delete(path)
    assert await read(store, other) == b"data"
    await store.delete(other)
    assert not (store.root / path).parent.exists()


async def test_tidying_removes_old_empty_folders_only(store: LocalFiles, spool: Spool) -> None:
    """Folders made for a file that never came are removed once they are old."""
    now = time.time()
    kept = await put(store, spool, b"data")
    abandoned = [(store.root / path_of(b"%d" % n)).parent for n in range(100)]
    for folder in abandoned:
        folder.mkdir(parents=True)
    assert await store.tidy(now - 3600) == 0
    assert await store.tidy(now + 3600) == 100
    assert not any(folder.exists() for folder in abandoned)
    assert await read(store, kept) == b"data"


async def test_start_says_what_is_wrong(workers: Workers, tmp_path: Path) -> None:
    """A root that cannot be a folder is an error at the start that names it."""
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        await LocalFiles(tmp_path / "file" / "files", workers).start()


def test_putting_and_deleting_in_one_folder_never_collide(tmp_path: Path) -> None:
    """While one thread removes emptied folders, another always succeeds in storing into them."""
    store = Tree(tmp_path / "files")
    store.make()
    one, other = path_of(b"data", "a-1.tar.gz"), path_of(b"data", "b-1.tar.gz")
    problems: list[BaseException] = []

    def churn(path: str) -> None:
        try:
            for _ in range(100):
                store.place_bytes(b"data", path)
                assert (store.root / path).read_bytes() == b"data"
                store.remove(path)
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=churn, args=(path,)) for path in (one, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert not (store.root / one).parent.exists()
    assert list(store.temporary.iterdir()) == []


async def test_folder_removed_in_the_last_moment_is_made_again(
    store: LocalFiles, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may remove the still empty folder just before the file is renamed into it, more than once."""
    folder = (store.root / path_of(b"data")).parent
    times = iter(range(5))

    class Racing(Faulty):
        def rename(self, source: Path, name: str, **kwargs: int) -> None:
            if next(times, None) is not None:
                folder.rmdir()
            os.rename(source, name, **kwargs)

    monkeypatch.setattr(tree, "os", Racing())
    path = await put(store, spool, b"data")
    assert await read(store, path) == b"data"


async def test_abandoned_reads_hold_no_descriptor(store: LocalFiles, spool: Spool) -> None:
    """A read that is closed, forgotten or cancelled in the middle lets go of its file."""
    file = await store.open(await put(store, spool, b"x" * (3 * PIECE)))
    before = descriptors()
    closed, forgotten, waiting = file.read(), file.read(), file.read()
    await anext(closed)
    await closed.aclose()
    await anext(forgotten)
    del forgotten
    await anext(waiting)
    step = Deferred.fromCoroutine(_next(waiting))
    step.cancel()
    with pytest.raises(CancelledError):
        await step
    for _ in range(500):
        if descriptors() == before:
            return
        await deferLater(reactor, 0.01)
    pytest.fail("descriptors stay open")


def test_reader_that_was_closed_opens_nothing(tmp_path: Path) -> None:
    """A read that a thread only comes to after its reader was closed does not open the file."""
    store = Tree(tmp_path / "files")
    store.make()
    store.place_bytes(b"data", path_of(b"data"))
    before = descriptors()
    reader = _Reader(store, path_of(b"data"), 4)
    reader.close()
    with pytest.raises(ValueError, match="closed"):
        reader.read(0)
    assert descriptors() == before


async def _next(reading: object) -> bytes:
    return await anext(reading)  # type: ignore[call-overload, no-any-return]


async def test_memory_does_not_grow_with_the_file(store: LocalFiles, spool: Spool) -> None:
    """100 MiB go in and come out while at most a few MiB are held."""
    block = Random(7).randbytes(MiB // 4)
    file = await spool.create(LIMIT)
    most = 0
    tracemalloc.start()
    try:
        for _ in range(400):
            await file.write(block)
            most = max(most, file.outstanding)
        done = await file.finish()
        path = paths.store_path(done.blake2_256, "x-1.tar.gz")
        await store.put(path, done)
        total = 0
        async for piece in (await store.open(path)).read():
            assert len(piece) <= PIECE
            total += len(piece)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total == done.size == 100 * MiB
    assert most <= OUTSTANDING + len(block)
    assert peak < 6 * MiB


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system needs rights this process does not have")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_full_disk(small_disk: Path, workers: Workers) -> None:
    """On a full disk uploads are refused and leave nothing, reads go on, and room made is used at once."""
    store = LocalFiles(small_disk / "files", workers)
    await store.start()
    spool = Spool(store.temporary, workers)
    path = await put(store, spool, b"x" * (3 * MiB))
    with pytest.raises(StorageFull):
        await upload(store, spool, b"y" * (2 * MiB))
    assert list(store.temporary.iterdir()) == []
    assert await read(store, path) == b"x" * (3 * MiB)
    await store.delete(path)
    await upload(store, spool, b"y" * (2 * MiB))


def files_below(root: Path) -> list[Path]:
    """All files, also temporary ones."""
    return [one for one in root.rglob("*") if one.is_file()]


def test_limit_on_file_sizes(tmp_path: Path) -> None:
    """Where the system limits file sizes, larger files are refused, and nothing is left of them."""
    assert three_uploads(tmp_path, SIZE // 2) == ["StorageFull"] * 3
    assert files_below(tmp_path) == []


@pytest.mark.parametrize(
    ("call", "error", "when", "outcome"),
    [
        ("fsync", "EIO", "1+", ["StorageFailed", "StorageFailed", "StorageFailed"]),
        # Each upload syncs the metadata, four folders, the file, and two folders.
        ("fsync", "EIO", "7", ["StorageFailed", "stored", "stored"]),
        ("fsync", "EIO", "12", ["stored", "StorageFailed", "stored"]),
        ("rename,renameat,renameat2", "EIO", "2", ["StorageFailed", "stored", "stored"]),
        ("mkdir,mkdirat", "ENOSPC", "4", ["stored", "StorageFull", "stored"]),
    ],
)
def test_faults_injected_below_the_process(
    tmp_path: Path, call: str, error: str, when: str, outcome: list[str]
) -> None:
    """An upload whose system call really fails is not acknowledged; all others are, and hold their bytes."""
    strace = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
    try:
        subprocess.run([*strace, "true"], check=True, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        pytest.skip("strace is not installed, or may not trace here")
    root = tmp_path / "files"
    (root / ".tmp").mkdir(parents=True)
    assert three_uploads(root, 0, *strace, "-e", f"inject={call}:error={error}:when={when}") == outcome
    assert files_below(root / ".tmp") == []
    for number, name in enumerate(outcome):
        data = data_of(number)
        if name == "stored":
            assert (root / path_of(data, "x-1.tar.gz")).read_bytes() == data
