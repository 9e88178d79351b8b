"""The thread's side of a file on its way in: written and hashed in order."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from pathlib import Path
from threading import Lock

from attrs import define, field

from pypi.failpoints import failpoint

FILE_MODE = 0o644
"""Of all files here, less the process's umask."""


@define(eq=False)
class Draft:
    """A file being written: by one thread at a time, and by none after ``drop``.

    Attributes:
        size: bytes written.
        sha256, blake2_256, md5: digests of them.
    """

    path: Path
    _lock: Lock = field(factory=Lock, init=False)
    _fd: int | None = field(default=None, init=False)
    _dropped: bool = field(default=False, init=False)
    size: int = field(default=0, init=False)
    sha256: hashlib._Hash = field(factory=hashlib.sha256, init=False)
    blake2_256: hashlib.blake2b = field(factory=lambda: hashlib.blake2b(digest_size=32), init=False)
    md5: hashlib._Hash = field(factory=lambda: hashlib.new("md5", usedforsecurity=False), init=False)

    def append(self, chunks: list[bytes]) -> None:
        """Write and hash these bytes; after ``drop``, nothing."""
        with self._lock:
            if not self._dropped:
                self._append(b"".join(chunks))

    def finish(self, chunks: list[bytes]) -> None:
        """Write and hash the last bytes, and close the file."""
        with self._lock:
            if self._dropped:
                raise ValueError("this file was given up")
            self._append(b"".join(chunks))
            self._close()

    def drop(self) -> None:
        """Close and remove the file. What cannot be removed now, the sweep will find."""
        with self._lock:
            self._dropped = True
            with suppress(OSError):
                self._close()
            with suppress(OSError):
                os.unlink(self.path)

    def _append(self, data: bytes) -> None:
        if self._fd is None:
            self._fd = _create(self.path)
            failpoint("upload.tmp-open")
        written = 0
        while written < len(data):
            written += os.write(self._fd, memoryview(data)[written:])
            failpoint("upload.mid-write")
        for digest in (self.sha256, self.blake2_256, self.md5):
            digest.update(data)
        self.size += len(data)

    def _close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


def _create(path: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags, FILE_MODE)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, FILE_MODE)
