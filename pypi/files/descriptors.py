"""Files that are open because they were asked for a moment ago: finding them again needs no thread.

A thread costs as much as all else about a small download. What is remembered is believed for ``FRESH``
seconds; so long may a file that another process removed still be handed out.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import define, field

from caching.coalesce import Coalescer, TookTooLong
from pypi.domain.errors import StorageFailed
from pypi.files.tree import Tree
from pypi.files.workers import Workers

MOST = 256
"""Most files kept open; those being sent are open besides."""

FRESH = 1.0
"""Seconds after which a file is looked at again before it is handed out."""

IDLE = 10.0
"""Seconds after which a file that nobody asks for is closed: a removed one takes up space until then."""

PATIENCE = 30.0
"""Seconds anybody waits for a disk to find a file."""


@define(eq=False)
class OpenFile:
    """A file that is open to be read.

    Attributes:
        number: the descriptor.
        status: what the system said of it.
        looked: when that was, in seconds of the reactor's clock.
        holders: how many use the descriptor.
        dropped: whether the last of them closes it.
        closed: whether it is of no use any more.
    """

    number: int
    status: os.stat_result
    looked: float
    holders: int = 0
    dropped: bool = False
    closed: bool = False


@define(eq=False)
class Descriptors:
    """Keeps files of a tree open for a while.

    Attributes:
        tree: where they are.
        workers: the threads that open and close them.
    """

    tree: Tree
    workers: Workers
    _open: OrderedDict[str, OpenFile] = field(factory=OrderedDict, init=False)
    _looking: Coalescer[OpenFile | None] = field(factory=Coalescer, init=False)
    _closing: Any = field(default=None, init=False)

    def __repr__(self) -> str:
        return f"<Descriptors {len(self._open)} files>"

    def at_hand(self, path: str) -> OpenFile | None:
        """The file at a store path, if it is known without looking."""
        known = self._open.get(path)
        if known is None or not self._now() < known.looked + FRESH:
            return None
        self._open.move_to_end(path)
        return known

    async def find(self, path: str) -> OpenFile | None:
        """The file at a store path, to be used at once; ``None`` if there is none.

        Raises:
            StoreBusy, StorageFailed: it cannot be opened now.
        """
        known = self.at_hand(path)
        if known is not None:
            return known
        looking = self._looking.under_way(path)
        if looking is None:
            looking = self._looking.start(path, lambda: self._look(path))
        try:
            found = await looking.result(PATIENCE, self.workers.reactor)
        except TookTooLong:
            raise StorageFailed() from None
        if found is not None and found.closed:  # by somebody who was told before us, and met an error
            raise StorageFailed()
        return found

    @contextmanager
    def using(self, path: str, file: OpenFile) -> Iterator[int]:
        """The descriptor stays open within; what goes wrong there makes the next one look again."""
        file.holders += 1
        try:
            yield file.number
        except BaseException:
            self.drop(path)
            raise
        finally:
            file.holders -= 1
            self._close_if_done(file)

    def drop(self, path: str) -> None:
        """Forget a file; it is closed when nobody uses it."""
        file = self._open.pop(path, None)
        if file is not None:
            file.dropped = True
            self._close_if_done(file)

    def close(self) -> None:
        """Forget all files."""
        for path in list(self._open):
            self.drop(path)
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None

    async def _look(self, path: str) -> OpenFile | None:
        known = self._open.get(path)
        seen = await self.workers.run(self._open_anew, path, known)
        if seen is known is not None:
            if not known.dropped:
                known.looked = self._now()
                return known
            # Others took its place meanwhile.
            seen = await self.workers.run(self._open_anew, path, None)
        self.drop(path)
        if seen is not None:
            self._keep(path, seen)
        return seen

    def _open_anew(self, path: str, known: OpenFile | None) -> OpenFile | None:
        """In a thread: the file, which is ``known`` if nothing has changed; ``None`` if there is none."""
        status = self.tree.status(path)
        if status is None:
            return None
        if known is not None and _same(status, known.status):
            return known
        number = self.tree.open(path)
        return OpenFile(number, os.fstat(number), self._now())

    def _keep(self, path: str, file: OpenFile) -> None:
        self._open[path] = file
        if len(self._open) > MOST:
            self.drop(next(iter(self._open)))
        if self._closing is None:
            self._closing = self.workers.reactor.callLater(IDLE, self._close_idle)

    def _close_idle(self) -> None:
        self._closing = None
        before = self._now() - IDLE
        for path in [path for path, file in self._open.items() if file.looked < before]:
            self.drop(path)
        if self._open:
            self._closing = self.workers.reactor.callLater(IDLE, self._close_idle)

    def _close_if_done(self, file: OpenFile) -> None:
        if file.dropped and not file.holders and not file.closed:
            file.closed = True
            self.workers.release(os.close, file.number)

    def _now(self) -> float:
        return float(self.workers.reactor.seconds())


def _same(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino, one.st_size, one.st_mtime_ns) == (
        other.st_dev,
        other.st_ino,
        other.st_size,
        other.st_mtime_ns,
    )
