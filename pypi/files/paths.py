"""Store paths: where a file lies, named by its own content.

``aa/bb/<60 hexadecimal digits>/<filename>``; the digits together are the BLAKE2b-256 of the bytes. It is also
the part of a download URL behind ``/packages/``.
"""

from __future__ import annotations

import re

from attrs import frozen

from pypi.domain.filenames import MAX_BYTES

METADATA = ".metadata"

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FILENAME = re.compile(r"(?![.-])[A-Za-z0-9._!+~-]+", re.ASCII)
_PATH = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/([0-9a-f]{60})/([^/]+)")


@frozen
class StorePath:
    """A store path taken apart.

    Attributes:
        blake2_256: of the distribution's bytes, hexadecimal.
        filename: of the distribution.
        is_metadata: whether the core metadata beside it is meant (PEP 658).
    """

    blake2_256: str
    filename: str
    is_metadata: bool = False

    def __str__(self) -> str:
        digest = self.blake2_256
        path = f"{digest[:2]}/{digest[2:4]}/{digest[4:]}/{self.filename}"
        return metadata_path(path) if self.is_metadata else path


def store_path(blake2_256: str, filename: str) -> str:
    """Where a distribution lies.

    Raises:
        ValueError: one of the two could lead elsewhere.
    """
    if not _DIGEST.fullmatch(blake2_256):
        raise ValueError(f"Not a BLAKE2b-256 digest: {blake2_256!r}")
    if not _is_filename(filename):
        raise ValueError(f"Not a filename to store under: {filename!r}")
    return str(StorePath(blake2_256, filename))


def metadata_path(path: str) -> str:
    """Where the core metadata of the distribution at ``path`` lies."""
    return path + METADATA


def parse(path: str) -> StorePath | None:
    """Take a store path apart; ``None`` for any text that is not exactly one."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    filename = found[4].removesuffix(METADATA)
    if not _is_filename(filename):
        return None
    return StorePath(found[1] + found[2] + found[3], filename, is_metadata=filename != found[4])


def check(path: str, blake2_256: str | None = None) -> None:
    """Make sure that ``path`` is a store path.

    Args:
        blake2_256: of the distribution that shall lie there, if one shall.

    Raises:
        ValueError: it is none, or that of other bytes.
    """
    where = parse(path)
    if where is None:
        raise ValueError(f"Not a store path: {path!r}")
    if blake2_256 is not None and (where.is_metadata or where.blake2_256 != blake2_256):
        raise ValueError(f"Not the store path of a distribution with the digest {blake2_256}: {path!r}")


def _is_filename(filename: str) -> bool:
    fits = len(filename) <= MAX_BYTES and not filename.endswith(METADATA)
    return fits and _FILENAME.fullmatch(filename) is not None
