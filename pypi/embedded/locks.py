"""Who uses the embedded servers, told by locks that the kernel releases even on ``kill -9``.

Three files beside each server. Every process that uses it holds ``users.lock`` shared; whoever can have it
alone is the last one. ``start.lock`` is held alone while a server is being started or stopped.
``server.lock`` is held by the server itself, as long as one process of it lives, and so warns even a
container that sees none of its processes.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from attrs import define

from pypi.embedded.errors import EmbeddedServerFailed
from pypi.embedded.processes import wait_until


@define(eq=False)
class Share:
    """This process's share in the use of a server."""

    path: Path
    _descriptor: int | None = None

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def take(self) -> None:
        """Become one of the users; harmless when already one. Call with ``start.lock`` held."""
        if self._descriptor is None:
            self._descriptor = _open(self.path)
        fcntl.flock(self._descriptor, fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Whether nobody else uses the server. Call with ``start.lock`` held, before `release`."""
        return self._descriptor is not None and _locked_alone(self._descriptor)

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


@contextmanager
def alone(path: Path, *, wait: float, stopping: Event | None = None) -> Iterator[None]:
    """Hold the lock file ``path`` alone.

    Args:
        wait: seconds to wait for another holder.
        stopping: ends the wait early when set.

    Raises:
        EmbeddedServerFailed: another process held it all the time.
    """
    with _held(path, wait, stopping) as (_, held):
        if not held:
            raise EmbeddedServerFailed(
                f"Another process is still starting or stopping the server in {path.parent}; try again later."
            )
        yield


@contextmanager
def handed_on(path: Path, *, wait: float) -> Iterator[int]:
    """Hold the lock file ``path`` alone, for a child process to inherit and keep.

    Args:
        wait: seconds to wait for a holder that is on its way out.

    Yields:
        the descriptor to hand on.

    Raises:
        EmbeddedServerFailed: the children of another process have it.
    """
    with _held(path, wait) as (descriptor, held):
        if not held:
            raise EmbeddedServerFailed(
                f"A server runs in {path.parent} where this process cannot see it, perhaps in another "
                "container: run this there."
            )
        yield descriptor


@contextmanager
def _held(path: Path, wait: float, stopping: Event | None = None) -> Iterator[tuple[int, bool]]:
    descriptor = _open(path)
    try:
        yield descriptor, wait_until(lambda: _locked_alone(descriptor), wait, stopping)
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _locked_alone(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
