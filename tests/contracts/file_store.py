"""What every file store promises. A test module supplies the fixtures ``store`` and ``spool``."""

from __future__ import annotations

import hashlib
import time
from random import Random

import pytest
from twisted.internet.defer import Deferred, DeferredList

from pypi.domain.errors import NoSuchFile
from pypi.files import paths
from pypi.files.spool import Spool, Spooled
from pypi.files.store import PIECE, FileStore, Listed, StoredFile

LIMIT = 1 << 30
NAME = "example_project-1.0+local.1!-py3-none-any.whl"


async def spooled(spool: Spool, data: bytes) -> Spooled:
    """``data`` as a finished file of the spool."""
    file = await spool.create(LIMIT)
    await file.write(data)
    return await file.finish()


def path_of(data: bytes, filename: str = NAME) -> str:
    """Where ``data`` belongs."""
    return paths.store_path(hashlib.blake2b(data, digest_size=32).hexdigest(), filename)


async def put(store: FileStore, spool: Spool, data: bytes, filename: str = NAME) -> str:
    """Store ``data``; its path."""
    path = path_of(data, filename)
    await store.put(path, await spooled(spool, data))
    return path


async def content(file: StoredFile, start: int = 0, length: int | None = None) -> bytes:
    """A part of a stored file."""
    return b"".join([piece async for piece in file.read(start, length)])


async def read(store: FileStore, path: str) -> bytes:
    """A stored file."""
    return await content(await store.open(path))


async def listed(store: FileStore) -> list[Listed]:
    """All a walk finds, by path."""
    return sorted([one async for one in store.walk()], key=lambda one: one.path)


class FileStoreContract:
    """What every file store promises."""

    async def test_stored_bytes_come_back(self, store: FileStore, spool: Spool) -> None:
        """What is put under its path can be opened, measured and read."""
        begun = time.time()
        path = await put(store, spool, b"bytes of a wheel")
        file = await store.open(path)
        assert file.size == await store.size(path) == 16
        assert abs(file.modified - begun) < 60
        assert await content(file) == b"bytes of a wheel"

    async def test_put_uses_the_spooled_file_up(self, store: FileStore, spool: Spool) -> None:
        """After ``put`` the spool is empty; aborting the spooled file afterwards changes nothing."""
        file = await spool.create(LIMIT)
        await file.write(b"data")
        await store.put(path_of(b"data"), await file.finish())
        assert list(spool.folder.iterdir()) == []
        await file.abort()
        assert await read(store, path_of(b"data")) == b"data"

    async def test_any_part_can_be_read(self, store: FileStore, spool: Spool) -> None:
        """A part of a file is the slice of its bytes, in pieces of bounded size."""
        random = Random(20)
        data = random.randbytes(2 * PIECE + 12_345)
        file = await store.open(await put(store, spool, data))
        assert await content(file) == data
        assert [len(piece) async for piece in file.read()] == [PIECE, PIECE, 12_345]
        for _ in range(8):
            start, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
            assert await content(file, start, end - start) == data[start:end]
        assert await content(file, len(data) - 1) == data[-1:]
        assert await content(file, len(data)) == b""

    @pytest.mark.parametrize(("start", "length"), [(-1, 1), (0, 5), (4, 1), (5, None), (2, -1)])
    async def test_nothing_beyond_the_file_is_read(
        self, store: FileStore, spool: Spool, start: int, length: int | None
    ) -> None:
        """A part that is not within the file is a mistake of the caller."""
        file = await store.open(await put(store, spool, b"1234"))
        with pytest.raises(ValueError, match="has no bytes"):
            await content(file, start, length)

    async def test_empty_file(self, store: FileStore, spool: Spool) -> None:
        """A file may be empty."""
        path = await put(store, spool, b"")
        assert await store.size(path) == 0
        assert await read(store, path) == b""

    async def test_reading_may_stop_anywhere(self, store: FileStore, spool: Spool) -> None:
        """A read that is given up after its first piece does not disturb the next one."""
        data = Random(1).randbytes(4 * PIECE)
        file = await store.open(await put(store, spool, data))
        reading = file.read()
        assert await anext(reading) == data[:PIECE]
        await reading.aclose()
        assert await content(file) == data

    async def test_what_is_not_there(self, store: FileStore) -> None:
        """An unknown path has no size, cannot be opened, and deleting it is no error."""
        path = path_of(b"never stored")
        assert await store.size(path) is None
        with pytest.raises(NoSuchFile):
            await store.open(path)
        await store.delete(path)

    async def test_metadata_lies_beside_the_file(self, store: FileStore, spool: Spool) -> None:
        """Small files are stored beside the distribution, replaced as a whole, and deleted on their own."""
        path = await put(store, spool, b"wheel")
        beside = paths.metadata_path(path)
        await store.put_bytes(beside, b"Name: x\n" * 10)
        await store.put_bytes(beside, b"Name: example\n")
        assert await read(store, beside) == b"Name: example\n"
        assert await read(store, path) == b"wheel"
        await store.delete(beside)
        assert await store.size(beside) is None
        assert await read(store, path) == b"wheel"

    async def test_putting_again_changes_nothing(self, store: FileStore, spool: Spool) -> None:
        """The same bytes can be put under their path again, also at the same time."""
        puts = [Deferred.fromCoroutine(put(store, spool, b"same")) for _ in range(5)]
        assert all(succeeded for succeeded, _ in await DeferredList(puts, consumeErrors=True))
        await put(store, spool, b"same")
        assert await read(store, path_of(b"same")) == b"same"
        assert len(await listed(store)) == 1
        assert list(spool.folder.iterdir()) == []

    async def test_delete_removes(self, store: FileStore, spool: Spool) -> None:
        """What is deleted is gone, and can be stored again."""
        path = await put(store, spool, b"data")
        await store.delete(path)
        await store.delete(path)
        assert await store.size(path) is None
        assert await listed(store) == []
        await put(store, spool, b"data")
        assert await read(store, path) == b"data"

    async def test_walk_finds_everything(self, store: FileStore, spool: Spool) -> None:
        """A walk yields every file, and the metadata beside it, with size and time."""
        sizes = {}
        for size in range(12):
            path = await put(store, spool, b"x" * size)
            sizes[path] = size
        await store.put_bytes(paths.metadata_path(path), b"Name: example\n")
        sizes[paths.metadata_path(path)] = 14
        found = await listed(store)
        assert {one.path: one.size for one in found} == sizes
        assert all(abs(one.modified - time.time()) < 60 for one in found)

    async def test_only_store_paths_are_taken(self, store: FileStore, spool: Spool) -> None:
        """No text that is not exactly a store path reaches the storage."""
        for path in ("", "x", "../" + path_of(b"x"), path_of(b"x") + "/..", path_of(b"x").replace("/", "//")):
            file = await spooled(spool, b"x")
            for attempt in (
                store.put(path, file),
                store.put_bytes(path, b"x"),
                store.open(path),
                store.size(path),
                store.delete(path),
            ):
                with pytest.raises(ValueError, match="Not a store path"):
                    await attempt
        assert await listed(store) == []

    async def test_bytes_only_go_under_their_own_path(self, store: FileStore, spool: Spool) -> None:
        """A path that names other bytes, or the metadata beside these, is a mistake of the caller."""
        for path in (path_of(b"other"), paths.metadata_path(path_of(b"these"))):
            with pytest.raises(ValueError, match="digest"):
                await store.put(path, await spooled(spool, b"these"))
        assert await listed(store) == []

    async def test_tidying_leaves_what_is_whole(self, store: FileStore, spool: Spool) -> None:
        """Tidying an orderly store removes nothing."""
        path = await put(store, spool, b"data")
        assert await store.tidy(time.time() + 3600) == 0
        assert await read(store, path) == b"data"

    async def test_repr_says_where(self, store: FileStore) -> None:
        """The text of a store fits a line of the log."""
        assert type(store).__name__ in repr(store)
        assert len(repr(store)) < 200
