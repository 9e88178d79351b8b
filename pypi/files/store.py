"""The file store: what keeps the bytes of distributions, whatever keeps them.

``LocalFiles`` and ``S3Files`` answer it; ``tests/contracts/file_store.py`` says what both promise.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Protocol

from attrs import frozen

from pypi.files.spool import Spooled

PIECE = 256 << 10
"""Most bytes read at once."""

BATCH = 500
"""Files a walk asks for at once."""


@frozen(kw_only=True)
class Listed:
    """A file found by a walk.

    Attributes:
        path: its store path.
        size: bytes.
        modified: POSIX seconds of when it was stored.
    """

    path: str
    size: int
    modified: float


class StoredFile(Protocol):
    """A file that can be read. It holds nothing open between reads, so it needs no closing."""

    @property
    def size(self) -> int:
        """Bytes."""

    @property
    def modified(self) -> float:
        """POSIX seconds of when it was stored."""

    @property
    def os_path(self) -> Path | None:
        """Where the operating system finds it; ``None`` if it is on another machine."""

    def read(self, start: int = 0, length: int | None = None) -> AsyncGenerator[bytes, None]:
        """A part of the file, in pieces of at most ``PIECE`` bytes.

        Closing the iterator, or cancelling the read it waits for, lets go of everything it holds.

        Args:
            start: position of the first byte.
            length: bytes; everything up to the end unless given.

        Raises (from the iteration):
            ValueError: the part is not within the file.
            StorageFailed: the file does not yield the bytes it should have.
        """

    def held(self) -> AbstractAsyncContextManager[int] | None:
        """The file open to be read, as a descriptor that is good within the context, for the kernel to send.

        ``None`` if it is on another machine.

        Raises (on entering):
            StorageFailed: it cannot be opened.
        """

    def at_hand(self) -> AbstractContextManager[int] | None:
        """The same for later, without waiting for a disk: what is asked is whether the file is open just now,
        was there a moment ago, and is still the one that was found.

        An error within makes the next one look for the file.
        """


class FileStore(Protocol):
    """Keeps files under their store paths (``pypi.files.paths``).

    A path is named by its content, so whatever is put there twice is the same. Every method raises
    ``StorageFull``, ``StorageFailed`` or ``StoreBusy`` when the store cannot do its part now, and
    ``ValueError`` for a text that is not a store path.
    """

    async def start(self) -> None:
        """Make ready.

        Raises:
            OSError: the place cannot be used as configured.
        """

    async def stop(self) -> None:
        """Let go of everything held."""

    async def put(self, path: str, spooled: Spooled) -> None:
        """Store a distribution. It is durable when this returns, and the spooled file is used up.

        When it raises, the caller still has the spooled file to remove.
        """

    async def put_bytes(self, path: str, data: bytes) -> None:
        """Store a small file, such as core metadata. It is durable when this returns."""

    async def open(self, path: str) -> StoredFile:
        """Find a file.

        Raises:
            NoSuchFile: there is none.
        """

    async def size(self, path: str) -> int | None:
        """Bytes of the file at ``path``; ``None`` if there is none."""

    async def delete(self, path: str) -> None:
        """Remove a file if it is there."""

    def walk(self) -> AsyncGenerator[Listed, None]:
        """Every file that was there when the walk began; in no promised order."""

    async def tidy(self, older_than: float) -> int:
        """Remove what interrupted work left behind: empty folders, parts of uploads.

        Args:
            older_than: POSIX seconds; work begun since then stays.

        Returns:
            how much was removed.
        """
