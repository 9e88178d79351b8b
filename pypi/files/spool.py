"""The spool: files on their way in, hashed and written to disk as their bytes arrive.

It lies on the file system of the local store, so that storing a file is a rename.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4
from weakref import WeakSet

from attrs import define, field, frozen
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pypi.domain.errors import TooLarge
from pypi.files.draft import Draft
from pypi.files.workers import Workers

CHUNK = 64 << 10
"""Bytes that are gathered before a thread is asked to write them."""

OUTSTANDING = 1 << 20
"""Bytes a file may have in memory; beyond it ``write`` waits for the disk."""

SWEEP = 10_000
"""Most temporaries one sweep removes."""

_TEMPORARY = re.compile(r"[0-9a-f]{32}")


@frozen
class TooManyBytes(TooLarge):
    """More was sent than the spool was told to take; ``limit`` in bytes."""

    limit: int

    def __str__(self) -> str:
        return f"The file may not be larger than {self.limit} bytes."


@frozen(kw_only=True)
class Spooled:
    """A complete file in the spool. Storing it may use it up; else whoever spooled it removes it.

    Attributes:
        size: bytes.
        sha256, blake2_256, md5: of the bytes, hexadecimal.
    """

    path: Path
    size: int
    sha256: str
    blake2_256: str
    md5: str


@define(eq=False)
class Spool:
    """A folder of temporary files.

    Attributes:
        folder: made when it is missing.
    """

    folder: Path
    workers: Workers
    _open: WeakSet[SpoolFile] = field(factory=WeakSet, init=False)

    def __repr__(self) -> str:
        return f"<Spool {self.folder}, {len(self._open)} open>"

    async def create(self, limit: int, *, too_large: Callable[[], Exception] | None = None) -> SpoolFile:
        """Begin a file. The disk is not touched before there is a chunk to write.

        Args:
            limit: most bytes it may have.
            too_large: what is raised beyond them; ``TooManyBytes`` unless given.
        """
        path = self.folder / uuid4().hex
        file = SpoolFile(path, self.workers, limit, too_large or (lambda: TooManyBytes(limit)))
        self._open.add(file)
        return file

    async def sweep(self, older_than: float) -> int:
        """Remove what a crash left behind; files of this process that are still in use stay.

        Args:
            older_than: POSIX seconds; whatever was written to since then stays, too.

        Returns:
            how many were removed, at most ``SWEEP``.
        """
        in_use = {file.path.name for file in self._open}
        return await self.workers.run(_sweep, self.folder, older_than, in_use)


@define(eq=False)
class SpoolFile:
    """One file arriving: ``write`` …, then ``finish``; ``abort`` at any time. One writer at a time."""

    path: Path
    _workers: Workers
    _limit: int
    _too_large: Callable[[], Exception]
    size: int = field(default=0, init=False)
    _draft: Draft = field(init=False)
    _kept: list[bytes] = field(factory=list, init=False)
    _kept_bytes: int = field(default=0, init=False)
    _moving_bytes: int = field(default=0, init=False)
    _touched: bool = field(default=False, init=False)
    _failure: BaseException | None = field(default=None, init=False)
    _returned: Deferred[None] | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._draft = Draft(self.path)

    def __repr__(self) -> str:
        return f"<SpoolFile {self.path.name}, {self.size} bytes, {self.outstanding} of them in memory>"

    @property
    def outstanding(self) -> int:
        """Bytes that have not reached the disk."""
        return self._kept_bytes + self._moving_bytes

    async def write(self, data: bytes) -> None:
        """Take the next bytes; waits while too many are outstanding.

        Raises:
            TooLarge: there are more than the limit; nothing is left on the disk.
            StorageFull, StorageFailed: these bytes or earlier ones could not be written; nothing is left.
        """
        self._check()
        if self.size + len(data) > self._limit:
            await self.abort()
            raise self._too_large()
        self.size += len(data)
        self._kept.append(data)
        self._kept_bytes += len(data)
        self._move()
        while self.outstanding > OUTSTANDING and self._moving_bytes:
            await self._thread_returns()
        self._check()

    async def finish(self) -> Spooled:
        """Write what is left.

        Raises:
            StorageFull, StorageFailed: as in ``write``.
        """
        while self._moving_bytes:
            await self._thread_returns()
        self._check()
        self._failure = ValueError("this file is finished")
        self._touched = True
        kept, self._kept, self._kept_bytes = self._kept, [], 0
        try:
            await self._workers.run(self._draft.finish, kept)
        except Exception:
            await self.abort()
            raise
        return Spooled(
            path=self.path,
            size=self._draft.size,
            sha256=self._draft.sha256.hexdigest(),
            blake2_256=self._draft.blake2_256.hexdigest(),
            md5=self._draft.md5.hexdigest(),
        )

    async def abort(self) -> None:
        """Remove the file, finished or not; does nothing when it is gone already, such as into the store."""
        self._forget(ValueError("this file was given up"))
        if self._touched:
            await self._workers.release(self._draft.drop)

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _forget(self, reason: BaseException) -> None:
        self._failure = self._failure or reason
        self._kept.clear()
        self._kept_bytes = 0

    def _move(self) -> None:
        """Hand what was gathered to a thread, unless one is busy with earlier bytes: order matters."""
        if self._moving_bytes or self._kept_bytes < CHUNK:
            return
        self._touched = True
        kept, self._kept = self._kept, []
        self._moving_bytes, self._kept_bytes = self._kept_bytes, 0
        moving = Deferred.fromCoroutine(self._workers.run(self._draft.append, kept))
        moving.addCallbacks(self._moved, self._failed)

    def _moved(self, _: None) -> None:
        self._moving_bytes = 0
        self._move()
        self._wake()

    def _failed(self, failure: Failure) -> None:
        self._moving_bytes = 0
        assert failure.value is not None
        self._forget(failure.value)
        self._workers.release(self._draft.drop)
        self._wake()

    async def _thread_returns(self) -> None:
        self._returned = Deferred()
        await self._returned

    def _wake(self) -> None:
        returned, self._returned = self._returned, None
        if returned is not None and not returned.called:
            returned.callback(None)


def _sweep(folder: Path, older_than: float, in_use: set[str]) -> int:
    removed = 0
    if not folder.is_dir():
        return removed
    with os.scandir(folder) as entries:
        for entry in entries:
            if removed == SWEEP:
                break
            if not _TEMPORARY.fullmatch(entry.name) or entry.name in in_use:
                continue
            with suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False) and entry.stat().st_mtime < older_than:
                    os.unlink(entry.path)
                    removed += 1
    return removed
