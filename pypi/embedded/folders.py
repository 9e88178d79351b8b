"""Folders that belong to us alone, and a place for sockets short enough for the kernel."""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp

from pypi.embedded.errors import EmbeddedServerFailed

LONGEST_SOCKET_PATH = 103
"""Bytes; Linux takes 107, other systems 103."""

_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")
_SHORT_PLACE = Path("/tmp")  # noqa: S108 (what is made there has a random name and is ours alone)


def private_folder(path: Path) -> Path:
    """Make a folder that only we read, or check the one that is there.

    Raises:
        EmbeddedServerFailed: it cannot be made, or belongs to somebody else.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = path.stat()
    except OSError as error:
        raise EmbeddedServerFailed(f"The folder {path} cannot be used: {error.strerror}.") from None
    if found.st_uid != os.geteuid():
        raise EmbeddedServerFailed(
            f"The folder {path} belongs to uid {found.st_uid}, and this process runs as uid {os.geteuid()}: "
            "run it as that user, or configure another data folder."
        )
    if found.st_mode & 0o066:
        path.chmod(0o700)
    return path


def socket_folder(home: Path, socket: str, *, owner: int) -> Path:
    """The folder of a server's socket, made when missing: ``home/run``, or a short private one it links to.

    The link is what other processes find the short one by. Its name is random, so nobody can take it
    beforehand, and it is used only while it is a folder that nobody else may enter.

    Args:
        home: the server's folder, resolved; belongs to us.
        socket: the name of the socket.
        owner: uid the server runs as.
    """
    near = home / "run"
    if len(os.fsencode(near / socket)) <= LONGEST_SOCKET_PATH and _PLAIN.fullmatch(str(near)):
        if near.is_symlink():
            near.unlink()
        near.mkdir(mode=0o700, exist_ok=True)
        near.chmod(0o700)
        return near
    prefix = f"cheeseshop-{blake2b(os.fsencode(home), digest_size=6).hexdigest()}-"
    if near.is_symlink():
        target = near.readlink()
        if target.name.startswith(prefix) and _made_private(target, {owner, os.geteuid()}):
            return target
        near.unlink()
    elif near.exists():
        shutil.rmtree(near)
    target = Path(mkdtemp(prefix=prefix, dir=_SHORT_PLACE))
    near.symlink_to(target)
    return target


def clear(folder: Path) -> None:
    """Remove the sockets and lock files a dead server left."""
    for entry in folder.iterdir():
        entry.unlink()


def discard_socket_folder(home: Path) -> None:
    """Leave nothing outside ``home`` once its server is stopped."""
    near = home / "run"
    if near.is_symlink():
        with suppress(OSError):
            shutil.rmtree(near.readlink())
        near.unlink()


def sync_folder(folder: Path) -> None:
    """Have the disk know a folder's entries."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _made_private(folder: Path, owners: set[int]) -> bool:
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid in owners and not found.st_mode & 0o077
