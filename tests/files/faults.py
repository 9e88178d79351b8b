"""An ``os`` whose calls can be counted, recorded and made to fail, and what to look at afterwards."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from typing import Any

STEPS = frozenset({"open", "write", "fsync", "rename", "mkdir"})
"""The calls between a file's first byte and its being durable."""


class Faulty:
    """Stands in for ``os``; passes everything on, but for the calls that are to fail.

    Attributes:
        fail_at: the how-manieth of ``STEPS`` fails, from 1; 0 for none.
        error: with which error number.
        calls: names and first arguments, in order.
    """

    def __init__(self, fail_at: int = 0, error: int = errno.EIO, only: frozenset[str] = STEPS) -> None:
        self.fail_at = fail_at
        self.error = error
        self.only = only
        self.calls: list[tuple[str, Any]] = []

    def __getattr__(self, name: str) -> Any:
        return self._step(name) if name in self.only else getattr(os, name)

    def _step(self, name: str) -> Callable[..., Any]:
        def step(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((name, args[0]))
            if len(self.calls) == self.fail_at:
                raise OSError(self.error, os.strerror(self.error))
            return getattr(os, name)(*args, **kwargs)

        return step


def descriptors() -> list[str]:
    """The regular files and folders this process has open."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        if target.startswith("/") and not target.startswith(("/dev/", "/proc/")):
            found.append(target)
    return sorted(found)
