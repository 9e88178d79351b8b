"""Files in a folder of this machine."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from itertools import islice
from pathlib import Path
from threading import Lock

from attrs import define, field, frozen

from pypi.domain.errors import NoSuchFile, StorageFailed
from pypi.files import paths
from pypi.files.descriptors import Descriptors
from pypi.files.spool import Spooled
from pypi.files.store import BATCH, PIECE, Listed
from pypi.files.tree import LEVELS, Tree, prune
from pypi.files.workers import Workers


@define(eq=False)
class LocalFiles:
    """A ``FileStore`` in a folder.

    Attributes:
        root: absolute; made when it is missing.
    """

    root: Path
    workers: Workers
    _tree: Tree = field(init=False)
    _descriptors: Descriptors = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._tree = Tree(self.root)
        self._descriptors = Descriptors(self._tree, self.workers)

    def __repr__(self) -> str:
        return f"<LocalFiles {self.root}>"

    @property
    def temporary(self) -> Path:
        """The folder the spool has to use: storing a file renames it out of there."""
        return self._tree.temporary

    async def start(self) -> None:
        """Make the folders, and see that they can be written to."""
        self._tree.make()

    async def stop(self) -> None:
        """Close what is open."""
        self._descriptors.close()

    async def put(self, path: str, spooled: Spooled) -> None:
        """Rename the spooled file into its place."""
        paths.check(path, spooled.blake2_256)
        await self.workers.run(self._tree.place, spooled.path, path)

    async def put_bytes(self, path: str, data: bytes) -> None:
        """Write a temporary file and rename it into its place."""
        paths.check(path)
        await self.workers.run(self._tree.place_bytes, data, path)

    async def open(self, path: str) -> LocalFile:
        """Find a file."""
        paths.check(path)
        found = await self._descriptors.find(path)
        if found is None:
            raise NoSuchFile(path)
        return LocalFile(
            path=path,
            size=found.status.st_size,
            modified=found.status.st_mtime,
            os_path=self.root / path,
            tree=self._tree,
            workers=self.workers,
            descriptors=self._descriptors,
        )

    async def size(self, path: str) -> int | None:
        """Bytes of a file."""
        status = await self._status(path)
        return None if status is None else status.st_size

    async def delete(self, path: str) -> None:
        """Remove a file, and the folders it leaves empty."""
        paths.check(path)
        self._descriptors.drop(path)
        await self.workers.run(self._tree.remove, path)
        self._descriptors.drop(path)

    async def walk(self) -> AsyncGenerator[Listed, None]:
        """Every file, by path."""
        found = self._tree.walk()

        def batch() -> list[Listed]:
            return list(islice(found, BATCH))

        while listed := await self.workers.run(batch):
            for one in listed:
                yield one

    async def tidy(self, older_than: float) -> int:
        """Remove old empty folders: a crash came between making them and renaming a file into them."""
        removed = 0
        for folder in await self.workers.run(self._tree.first_level):
            removed += await self.workers.run(prune, folder, LEVELS[1:], older_than)
        return removed

    async def _status(self, path: str) -> os.stat_result | None:
        paths.check(path)
        return await self.workers.run(self._tree.status, path)


@frozen(kw_only=True)
class LocalFile:
    """A ``StoredFile`` of ``LocalFiles``."""

    path: str
    size: int
    modified: float
    os_path: Path
    tree: Tree
    workers: Workers
    descriptors: Descriptors

    async def read(self, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """A part of the file."""
        end = self.size if length is None else start + length
        if not 0 <= start <= end <= self.size:
            raise ValueError(f"{self.path} has no bytes {start} to {end}")
        reader = _Reader(self.tree, self.path, end)
        try:
            while start < end:
                piece = await self.workers.run(reader.read, start)
                start += len(piece)
                yield piece
        finally:
            if not reader.closed:
                self.workers.release(reader.close)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[int]:
        """A descriptor of the file."""
        found = await self.descriptors.find(self.path)
        if found is None:
            raise StorageFailed()
        with self.descriptors.using(self.path, found) as number:
            yield number

    def at_hand(self) -> AbstractContextManager[int] | None:
        """The same, if it is known without looking that the file is there and no other one."""
        found = self.descriptors.at_hand(self.path)
        if found is None or (found.status.st_size, found.status.st_mtime) != (self.size, self.modified):
            return None
        return self.descriptors.using(self.path, found)


@define(eq=False)
class _Reader:
    """One open file, in the hands of one thread at a time."""

    tree: Tree
    path: str
    end: int
    closed: bool = False
    _fd: int | None = None
    _lock: Lock = field(factory=Lock)

    def read(self, start: int) -> bytes:
        """The bytes from ``start``; the file is opened with the first, and closed with the last of them."""
        with self._lock:
            if self.closed:
                raise ValueError("this file is closed")
            if self._fd is None:
                self._fd = self.tree.open(self.path)
            piece = os.pread(self._fd, min(PIECE, self.end - start), start)
            if not piece:
                raise StorageFailed()
            if start + len(piece) >= self.end:
                self._close()
            return piece

    def close(self) -> None:
        """Close the file, after a read that is still going on; nothing is read afterwards."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        self.closed = True
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)
