"""Large bodies in files that are nowhere but in memory, for the kernel to send without copying them.

Where a page of 50 kB is sent as bytes, most of what it costs is the kernel's copy of it. A file that nobody
writes to any more is sent as it lies there, and it goes when nobody refers to it any more, be it we or a
socket on whose way it is. Linux only (memfd_create(2)); elsewhere there are none.
"""

from __future__ import annotations

import os
import resource
from typing import Final

from attrs import define, field

LARGE: Final = 16 << 10
"""Bytes of a body from which it is worth a file."""

MOST: Final = 8192

OTHERS: Final = 17_408
"""Descriptors left for connections and all else; what a process may have open beyond them is for pages."""


class MemFile:
    """A body.

    Attributes:
        descriptor: of the file, good as long as this object is there.
        size: bytes.
    """

    __slots__ = ("_files", "descriptor", "size")

    def __init__(self, files: MemFiles, descriptor: int, size: int) -> None:
        self._files = files
        self.descriptor = descriptor
        self.size = size

    def __repr__(self) -> str:
        return f"<MemFile {self.descriptor}, {self.size} bytes>"

    def __del__(self) -> None:
        os.close(self.descriptor)
        self._files.count -= 1

    def read(self) -> bytes:
        """All of it."""
        return os.pread(self.descriptor, self.size, 0)


@define(eq=False)
class MemFiles:
    """Makes them.

    Attributes:
        most: how many there may be.
        count: how many there are.
    """

    most: int = MOST
    count: int = field(default=0, init=False)

    def hold(self, body: bytes) -> MemFile | None:
        """A file with this body; ``None`` where there can be no more."""
        if self.count >= min(self.most, _spared()):
            return None
        try:
            descriptor = os.memfd_create("page", os.MFD_CLOEXEC)
        except (AttributeError, OSError):
            self.most = self.count  # it would be asked for with every page
            return None
        self.count += 1
        file = MemFile(self, descriptor, len(body))
        try:
            return file if os.write(descriptor, body) == len(body) else None
        except OSError:
            return None


def _spared() -> int:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else soft - OTHERS
