"""A log that grows by whole lines, shared by several processes, and is rotated by whoever fills it.

All of this blocks, and belongs into a thread of its own.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Protocol

from attrs import define, field

PIPE = 4096
"""Bytes that reach a pipe in one piece whoever else writes to it (``PIPE_BUF`` on Linux)."""


class Sink(Protocol):
    """Where lines go."""

    def open(self) -> None:
        """Be ready to be written to.

        Raises:
            OSError: that is not possible.
        """

    def write(self, data: bytes) -> None:
        """Append whole lines.

        Raises:
            OSError: not all of them were written.
        """

    def reopen(self) -> None:
        """Somebody has moved the file away: the next line goes to a new one."""

    def close(self) -> None:
        """Write no more."""


@define(eq=False)
class LogFile:
    """A file that is appended to, and moved aside once it is full.

    Any number of processes may have it open. Each writes its lines by one call to a file opened for
    appending, so lines stay whole; and each looks, before it writes, whether the file is still the one of
    that name.
    Whoever finds it full locks it and moves it: the lock is on the very file that is moved, so the one who
    comes second finds that there is nothing left to do.

    Attributes:
        path: of the file; older ones are ``.1`` (the youngest), ``.2``, ….
        limit: bytes from which it is moved aside; 0: never.
        keep: older files that are kept.
    """

    path: Path
    limit: int = 0
    keep: int = 5
    _file: int = field(default=-1, init=False)
    _torn: bool = field(default=False, init=False)

    def open(self) -> None:
        """Open the file, making it and its folder if they are not there."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)

    def write(self, data: bytes) -> None:
        """Append whole lines, after moving the file aside if they make it too large."""
        self._follow()
        size = os.fstat(self._file).st_size
        if self.limit and size and size + len(data) > self.limit:
            self._rotate()
        if self._torn:
            data = b"\n" + data
        self._torn = True
        while data:
            data = data[os.write(self._file, data) :]
        self._torn = False

    def reopen(self) -> None:
        """Close the file; the next line opens whatever has its name then."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            file, self._file = self._file, -1
            os.close(file)

    def _follow(self) -> None:
        if self._file >= 0 and not self._is_current():
            self.close()
        if self._file < 0:
            self.open()

    def _is_current(self) -> bool:
        try:
            named = os.stat(self.path)
        except FileNotFoundError:
            return False
        return os.path.samestat(named, os.fstat(self._file))

    def _rotate(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # another process is moving it this moment; these lines still fit into it
        if self._is_current():
            self._shift()
        self.close()
        self.open()

    def _shift(self) -> None:
        # Until the last step nobody but the owner of the lock gets here.
        if not self.keep:
            self.path.unlink()
            return
        for number in range(self.keep - 1, 0, -1):
            if self._old(number).exists():
                self._old(number).replace(self._old(number + 1))
        self.path.replace(self._old(1))

    def _old(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}")


@define(eq=False)
class LogStream:
    """A stream that is open already, such as standard output; others may write to it, too.

    Attributes:
        descriptor: of the stream.
    """

    descriptor: int = 1

    def open(self) -> None:
        """It is open."""

    def write(self, data: bytes) -> None:
        """Write whole lines, so few at a time that a pipe does not cut them."""
        at = 0
        while at < len(data):
            end = data.rfind(b"\n", at, at + PIPE) + 1 or data.find(b"\n", at) + 1 or len(data)
            while at < end:
                at += os.write(self.descriptor, data[at:end])

    def reopen(self) -> None:
        """Nothing to be done."""

    def close(self) -> None:
        """It stays open: it is not ours."""


class LogNowhere:
    """Where lines go that only others look at."""

    def open(self) -> None:
        """There is nothing to open."""

    def write(self, data: bytes) -> None:
        """Forget them."""

    def reopen(self) -> None:
        """Nothing to be done."""

    def close(self) -> None:
        """Nothing to be done."""
