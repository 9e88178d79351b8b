"""Files that stay open for a while: found again without a thread, never for long, never too many."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import CancelledError, Deferred, gatherResults
from twisted.internet.task import Clock

from pypi.domain.errors import StorageFailed
from pypi.files.descriptors import FRESH, IDLE, MOST, Descriptors, OpenFile
from pypi.files.paths import store_path
from pypi.files.tree import Tree
from pypi.files.workers import Workers
from tests.caching.turns import eventually

reactor: Any = global_reactor


class Clockwork:
    """The workers' reactor: its clock is the test's, its threads are real."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.seconds, self.callLater = self.clock.seconds, self.clock.callLater
        self.callFromThread = reactor.callFromThread


@pytest.fixture
def kept(tmp_path: Path, workers: Workers) -> Iterator[Descriptors]:
    """Descriptors of an empty tree, on a clock of their own."""
    workers.reactor = Clockwork()
    made = Descriptors(Tree(tmp_path), workers)
    yield made
    made.close()
    workers.reactor = reactor


def put(kept: Descriptors, number: int = 0, data: bytes = b"cheese") -> str:
    path = store_path(f"{number:064x}", "cheese-1.0.tar.gz")
    place = kept.tree.root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return path


async def found(kept: Descriptors, path: str) -> OpenFile:
    file = await kept.find(path)
    assert file is not None
    return file


def advance(kept: Descriptors, seconds: float) -> None:
    kept.workers.reactor.clock.advance(seconds)


def is_open(file: OpenFile) -> bool:
    try:
        return os.fstat(file.number).st_ino == file.status.st_ino
    except OSError:
        return False


async def test_found_again_without_a_thread(kept: Descriptors) -> None:
    """A file that was found a moment ago is the same one, at once."""
    path = put(kept)
    file = await found(kept, path)
    assert os.pread(file.number, 10, 0) == b"cheese"
    again = Deferred.fromCoroutine(kept.find(path))
    assert again.result is file
    assert repr(kept) == "<Descriptors 1 files>"


async def test_looked_at_again(kept: Descriptors) -> None:
    """After a while the system is asked: the file is the same, another one, or gone."""
    path = put(kept)
    first = await found(kept, path)
    advance(kept, FRESH)
    again = Deferred.fromCoroutine(kept.find(path))
    assert not again.called
    assert await again is first
    os.unlink(kept.tree.root / path)
    put(kept, data=b"another")
    assert await found(kept, path) is first
    advance(kept, FRESH)
    second = await found(kept, path)
    assert os.pread(second.number, 10, 0) == b"another"
    await eventually(lambda: not is_open(first))
    os.unlink(kept.tree.root / path)
    advance(kept, FRESH)
    assert await kept.find(path) is None
    await eventually(lambda: not is_open(second))


async def test_what_is_no_file(kept: Descriptors) -> None:
    """What is not there, a link or a folder is not opened."""
    path = put(kept)
    place = kept.tree.root / path
    other = store_path("1" * 64, "cheese-1.0.tar.gz")
    assert await kept.find(other) is None
    (place.parent / "link-1.0.tar.gz").symlink_to(place)
    (place.parent / "folder-1.0.tar.gz").mkdir()
    for name in ("link", "folder"):
        assert await kept.find(f"{path.rpartition('/')[0]}/{name}-1.0.tar.gz") is None
    assert repr(kept) == "<Descriptors 0 files>"


async def test_asked_for_by_many(kept: Descriptors) -> None:
    """However many ask for a file at once, it is opened once; whoever leaves does not disturb the others."""
    path = put(kept)
    asking = [Deferred.fromCoroutine(kept.find(path)) for _ in range(20)]
    asking[0].cancel()
    with pytest.raises(CancelledError):
        await asking[0]
    files = await gatherResults(asking[1:])
    assert len({id(file) for file in files}) == 1


async def test_dropped_while_used(kept: Descriptors) -> None:
    """A file is closed when nobody uses it any more."""
    path = put(kept)
    file = await found(kept, path)
    with kept.using(path, file) as number:
        with kept.using(path, file):
            kept.drop(path)
        assert os.pread(number, 10, 0) == b"cheese"
    await eventually(lambda: not is_open(file))
    assert (await found(kept, path)).number


async def test_trouble_with_a_file(kept: Descriptors) -> None:
    """Whoever has trouble with a file makes everybody open it anew."""
    path = put(kept)
    file = await found(kept, path)
    with pytest.raises(ZeroDivisionError), kept.using(path, file):
        raise ZeroDivisionError
    assert await found(kept, path) is not file


async def test_trouble_before_others_are_told(kept: Descriptors) -> None:
    """Whoever finds a file closed by those who were told first gets a refusal, not another's descriptor."""
    path = put(kept)

    async def use() -> None:
        file = await found(kept, path)
        with kept.using(path, file):
            raise ZeroDivisionError

    first, second = Deferred.fromCoroutine(use()), Deferred.fromCoroutine(use())
    with pytest.raises(ZeroDivisionError):
        await first
    with pytest.raises(StorageFailed):
        await second


async def test_bounded(kept: Descriptors) -> None:
    """More files than a bound are not kept open; the one unused for longest goes."""
    paths = [put(kept, number) for number in range(MOST + 1)]
    files = [await found(kept, path) for path in paths[:MOST]]
    await found(kept, paths[0])
    await found(kept, paths[MOST])
    await eventually(lambda: not is_open(files[1]))
    assert is_open(files[0])
    assert repr(kept) == f"<Descriptors {MOST} files>"


async def test_idle_files_are_closed(kept: Descriptors) -> None:
    """A file nobody asks for is closed after a while, and then nothing is left in the reactor."""
    file = await found(kept, put(kept))
    advance(kept, IDLE)
    busy = await found(kept, put(kept, 1))
    advance(kept, IDLE)
    await eventually(lambda: not is_open(file))
    assert is_open(busy)
    advance(kept, IDLE)
    await eventually(lambda: not is_open(busy))
    assert kept.workers.reactor.clock.getDelayedCalls() == []


async def test_all_closed(kept: Descriptors) -> None:
    """When the store stops everything is closed, but for what is being sent at that moment."""
    path = put(kept)
    idle, used = await found(kept, put(kept, 1)), await found(kept, path)
    with kept.using(path, used):
        kept.close()
        await eventually(lambda: not is_open(idle))
        assert is_open(used)
    await eventually(lambda: not is_open(used))
    assert kept.workers.reactor.clock.getDelayedCalls() == []


async def test_closed_while_looked_at_again(kept: Descriptors) -> None:
    """A file that is closed for want of room while it is looked at again is opened again for who waits."""
    path = put(kept)
    first = await found(kept, path)
    advance(kept, FRESH)
    again = Deferred.fromCoroutine(kept.find(path))
    kept.drop(path)
    assert not again.called
    file = await again
    assert file is not None
    assert file is not first
    assert is_open(file)
    assert await found(kept, path) is file
