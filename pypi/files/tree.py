"""The folder tree of the local store: what blocks, to be called in threads.

No symbolic link below the root is ever followed: every step down is opened from the step above. The folders
of the two upper levels, at most 65 792, stay once they are made; so their names are made durable only once.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from attrs import field, frozen

from pypi.failpoints import failpoint
from pypi.files import paths
from pypi.files.draft import FILE_MODE
from pypi.files.store import Listed

FOLDER_MODE = 0o755

ATTEMPTS = 20
"""How often a folder is made anew because somebody who empties the store has just removed it."""

LEVELS = re.compile(r"[0-9a-f]{2}"), re.compile(r"[0-9a-f]{2}"), re.compile(r"[0-9a-f]{60}")

_ROOT = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FOLDER = _ROOT | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@frozen
class Tree:
    """Files at their store paths below ``root``. Every method may raise ``OSError``."""

    root: Path
    _durable: set[str] = field(factory=set, init=False, repr=False, eq=False)

    @property
    def temporary(self) -> Path:
        """The folder for files that have no place yet."""
        return self.root / ".tmp"

    def make(self) -> None:
        """Make the folders that are always there, and see that they can be written to."""
        is_new = not self.root.exists()
        self.temporary.mkdir(parents=True, exist_ok=True)
        probe = self.temporary / uuid4().hex
        _write(probe, b"")
        probe.unlink()
        if is_new:
            _sync(self.root.parent, _ROOT)

    def place(self, source: Path, path: str) -> None:
        """Make a file durable at its path: first its bytes, then its name, then the names of its folders."""
        _sync_bytes(source)
        failpoint("upload.after-fsync")
        *folders, filename = path.split("/")
        for attempt in range(ATTEMPTS):
            try:
                with self._descend(folders, make=True) as chain:
                    os.rename(source, filename, dst_dir_fd=chain[-1])
                    failpoint("upload.after-rename")
                    self._sync_names(folders, chain)
                failpoint("upload.after-dirsync")
                return
            except FileNotFoundError:
                if attempt == ATTEMPTS - 1 or not source.exists():
                    raise

    def place_bytes(self, data: bytes, path: str) -> None:
        """Make a small file durable at its path."""
        temporary = self.temporary / uuid4().hex
        try:
            _write(temporary, data)
            self.place(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise

    def status(self, path: str) -> os.stat_result | None:
        """Size and times of a file; ``None`` if there is no regular one.

        Raises:
            FileNotFoundError, NotADirectoryError: the root itself is not there.
        """
        *folders, filename = path.split("/")
        try:
            with self._descend(folders) as chain:
                found = os.stat(filename, dir_fd=chain[-1], follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            if not self.root.is_dir():
                raise
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    def open(self, path: str) -> int:
        """A descriptor to read a file with."""
        *folders, filename = path.split("/")
        with self._descend(folders) as chain:
            return os.open(filename, _FILE, dir_fd=chain[-1])

    def remove(self, path: str) -> None:
        """Remove a file if it is there, and its folder if that is empty then."""
        *folders, filename = path.split("/")
        with suppress(FileNotFoundError), self._descend(folders) as chain:
            with suppress(FileNotFoundError):
                os.unlink(filename, dir_fd=chain[-1])
            with suppress(OSError):  # something else lies there, perhaps since this moment
                os.rmdir(folders[-1], dir_fd=chain[-2])

    def walk(self) -> Iterator[Listed]:
        """Every file, by path."""
        for folder in _leaves(self.root, LEVELS):
            for name in _names(folder):
                path = str((folder / name).relative_to(self.root))
                found = self.status(path) if paths.parse(path) else None
                if found is not None:
                    yield Listed(path=path, size=found.st_size, modified=found.st_mtime)

    def first_level(self) -> list[Path]:
        """The at most 256 folders everything else lies in."""
        return list(_folders(self.root, LEVELS[0]))

    def _sync_names(self, folders: Sequence[str], chain: Sequence[int]) -> None:
        """Make durable the name of a file in the last folder of ``chain``, and of the folders themselves.

        Also of old ones: whoever made them may not have come to this yet.
        """
        os.fsync(chain[3])
        os.fsync(chain[2])
        for level in (1, 0):
            folder = "/".join(folders[: level + 1])
            if folder not in self._durable:
                os.fsync(chain[level])
                self._durable.add(folder)

    @contextmanager
    def _descend(self, folders: Sequence[str], *, make: bool = False) -> Iterator[list[int]]:
        """Descriptors of the root and of each folder on the way down."""
        chain: list[int] = []
        try:
            chain.append(os.open(self.root, _ROOT))
            for name in folders:
                chain.append(_step(chain[-1], name, make))
            yield chain
        finally:
            for folder in chain:
                os.close(folder)


def prune(folder: Path, levels: Sequence[re.Pattern[str]], older_than: float) -> int:
    """Remove the empty folders ``levels`` below ``folder`` in which nothing happened since ``older_than``.

    Returns:
        how many were removed.
    """
    removed = 0
    for leaf in _leaves(folder, levels):
        with suppress(OSError):
            if leaf.stat().st_mtime < older_than:
                leaf.rmdir()
                removed += 1
    return removed


def _step(parent: int, name: str, make: bool) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=parent)
    except FileNotFoundError:
        if not make:
            raise
    with suppress(FileExistsError):
        os.mkdir(name, FOLDER_MODE, dir_fd=parent)
    return os.open(name, _FOLDER, dir_fd=parent)


def _sync_bytes(path: Path) -> None:
    """Bring a file's bytes to the disk.

    After an error the kernel may call lost pages clean, and a second attempt succeed: so the file goes.
    """
    try:
        _sync(path, _FILE)
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def _sync(path: Path, flags: int) -> None:
    fd = os.open(path, flags)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write(path: Path, data: bytes) -> None:
    fd = os.open(path, _NEW_FILE, FILE_MODE)
    with os.fdopen(fd, "wb") as file:
        file.write(data)


def _leaves(folder: Path, levels: Sequence[re.Pattern[str]]) -> Iterator[Path]:
    if not levels:
        yield folder
        return
    for inner in _folders(folder, levels[0]):
        yield from _leaves(inner, levels[1:])


def _folders(folder: Path, level: re.Pattern[str]) -> Iterator[Path]:
    for name in _names(folder):
        if level.fullmatch(name) and not (folder / name).is_symlink():
            yield folder / name


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
