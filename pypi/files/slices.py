"""A part of a file, as a file of its own."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any


class FileSlice(io.RawIOBase):
    """``length`` bytes of the file at ``path`` from ``start``, to be read and read again; close it."""

    def __init__(self, path: Path, start: int, length: int) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._start = start
        self._length = length
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._length}[whence]
        self._position = max(0, base + offset)
        return self._position

    def readinto(self, buffer: Any) -> int:
        wanted = max(0, min(len(buffer), self._length - self._position))
        count = os.preadv(self._file.fileno(), [memoryview(buffer)[:wanted]], self._start + self._position)
        self._position += count
        return count

    def close(self) -> None:
        self._file.close()
        super().close()
