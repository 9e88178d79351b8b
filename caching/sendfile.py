"""A part of a file on its way from the disk's cache to a socket, by the kernel alone.

``sendfile`` waits for the disk when the bytes are not in the page cache, and a reactor must not wait. So
before each piece its first and last byte are read with ``RWF_NOWAIT``, which says whether they are there; if
not, a thread reads the piece first. A file system that cannot tell (some networked ones, tmpfs) has
every piece read by a thread: slower, but it never makes the reactor wait.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from threading import Thread
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

PIECE = 1 << 20
"""Most bytes handed to the kernel at once."""

THREADS = 4
"""Most files read ahead at once."""

BLOCK = 256 << 10
"""Bytes a thread reads at once; they are thrown away."""


_NOWHERE = [bytearray(1)]
"""Where bytes are read to that nobody looks at."""


class FileCut(Exception):
    """A file ended before the part of it that was to be sent."""


@define(eq=False)
class Sending:
    """What a transport has to send before it sends anything else: some bytes, then a part of a file.

    Attributes:
        head: bytes that were written before the file, not yet taken by the kernel.
        file: descriptor to read from; the caller's.
        offset: of the next byte of the file.
        left: bytes of the file the kernel has not taken.
        done: fires when it has taken all.
        warming: whether a thread reads the next piece.
        ready_to: offset up to which a thread has read.
    """

    head: memoryview
    file: int
    offset: int
    left: int
    done: Deferred[None]
    warming: bool = False
    ready_to: int = 0

    @property
    def unsent(self) -> int:
        """Bytes the kernel has not taken."""
        return len(self.head) + self.left

    @property
    def piece(self) -> int:
        """Bytes to hand over next."""
        read = self.ready_to - self.offset
        return min(self.left, PIECE, read) if read > 0 else min(self.left, PIECE)

    def is_at_hand(self) -> bool:
        """Whether the next piece can be sent without waiting for a disk."""
        piece = self.piece
        return self.offset + piece <= self.ready_to or is_at_hand(self.file, self.offset, piece)

    def fail(self, why: Failure | BaseException) -> None:
        """Tell whoever waits, unless that is over."""
        if not self.done.called:
            self.done.errback(why)


@define(eq=False)
class ReadAhead:
    """Threads that read files so that they are in the page cache. They exist once they are needed.

    Attributes:
        reactor: whose thread gets told.
    """

    reactor: Any
    _pool: ThreadPool | None = field(default=None, init=False)
    _calls: int = field(default=0, init=False)
    _closing: bool = field(default=False, init=False)

    def fetch(self, file: int, offset: int, count: int, then: Callable[[], object]) -> None:
        """Read a part of a file, and call ``then`` in the reactor's thread, also when it could not be read.

        The descriptor may be closed at any time: the thread has one of its own.
        """
        own = os.dup(file)
        if self._pool is None:
            self._pool = ThreadPool(0, THREADS, "read-ahead")
            # A disk that hangs must not keep the process from ending.
            self._pool.threadFactory = partial(Thread, daemon=True)  # type: ignore[assignment]
            self._pool.start()
        self._calls += 1
        self._pool.callInThreadWithCallback(
            lambda _ok, _result: self.reactor.callFromThread(self._fetched, then), _read, own, offset, count
        )

    def close(self) -> None:
        """End the threads as soon as none of them reads. A later call begins them again, and ends them."""
        self._closing = True
        self._end_if_idle()

    def _fetched(self, then: Callable[[], object]) -> None:
        self._calls -= 1
        then()
        if self._closing:
            self._end_if_idle()

    def _end_if_idle(self) -> None:
        if self._pool is not None and not self._calls:
            pool, self._pool = self._pool, None
            pool.stop()


def is_at_hand(file: int, offset: int, count: int) -> bool:
    """Whether a piece of a file is in memory, as far as its first and last byte tell."""
    return _resident(file, offset) and _resident(file, offset + count - 1)


def _resident(file: int, offset: int) -> bool:
    try:
        os.preadv(file, _NOWHERE, offset, os.RWF_NOWAIT)
    except (
        OSError
    ):  # not here (EAGAIN), or nobody can tell (EOPNOTSUPP); sendfile will say what else is wrong
        return False
    return True


def _read(own: int, offset: int, count: int) -> None:
    try:
        os.posix_fadvise(own, offset, count, os.POSIX_FADV_WILLNEED)
        end = offset + count
        space = bytearray(min(BLOCK, count))
        while offset < end and (read := os.preadv(own, [space], offset)):
            offset += read
    finally:
        os.close(own)
