"""Filenames of distributions: grammar in, name, version and tags out (PEP 427, PEP 625)."""

from __future__ import annotations

import re
from enum import Enum

from attrs import frozen
from packaging.tags import Tag
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_version,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from pypi.domain.names import NormalizedName, normalize

MAX_BYTES = 240
"""A filename plus ``.metadata`` has to fit the 255 bytes a file system grants."""


class FileType(Enum):
    """What kind of distribution a file is, by the upload API's word for it."""

    SDIST = "sdist"
    WHEEL = "bdist_wheel"


@frozen
class DistributionFilename:
    """A filename taken apart.

    Attributes:
        filename: as uploaded.
        filetype: sdist or wheel.
        name_part: the name as spelled in the filename.
        version_part: the version as spelled in the filename.
        tags: wheel compatibility tags; empty for an sdist.
    """

    filename: str
    filetype: FileType
    name_part: str
    version_part: str
    tags: frozenset[Tag] = frozenset()

    @property
    def name(self) -> NormalizedName:
        """The normalized project name."""
        return normalize(self.name_part)

    @property
    def version(self) -> Version:
        """The version, parsed."""
        return Version(self.version_part)

    @property
    def stem(self) -> str:
        """``name-version`` as spelled: an sdist's top folder, a wheel's ``.dist-info`` without its end."""
        return f"{self.name_part}-{self.version_part}"

    @property
    def canonical(self) -> str:
        """What all spellings of this filename have in common: name, version, build and tags normalized."""
        head = f"{self.name}-{canonicalize_version(self.version)}"
        if self.filetype is FileType.SDIST:
            return f"{head}.sdist"
        build = "-".join(self.filename.split("-")[2:-3])
        return "-".join([head, build, *sorted(map(str, self.tags))]) + ".whl"

    @property
    def python_tag(self) -> str:
        """The wheel's python tag (``py2.py3``), or ``source``."""
        return self.filename.split("-")[-3] if self.filetype is FileType.WHEEL else "source"


def name_in(filename: str) -> NormalizedName:
    """The normalized name a file was published under, of a filename that ``parse`` takes."""
    if filename.endswith(".whl"):
        return normalize(filename.partition("-")[0])
    return normalize(filename.rpartition("-")[0])


_SDIST_ENDINGS = (".tar.gz", ".zip")
_SAFE = re.compile(r"[A-Za-z0-9._!+~-]+", re.ASCII)


def parse(filename: str) -> DistributionFilename:
    """Take a filename apart.

    Raises:
        ValueError: it is neither a wheel's nor an sdist's filename; the text says why.
    """
    if not _SAFE.fullmatch(filename) or filename.startswith((".", "-")):
        raise ValueError(f"Invalid filename: {filename!r}")
    if len(filename) > MAX_BYTES:
        raise ValueError(f"Filename is too long: {filename!r}")
    if filename.endswith(".whl"):
        return _wheel(filename)
    for ending in _SDIST_ENDINGS:
        if filename.endswith(ending):
            return _sdist(filename, filename.removesuffix(ending))
    raise ValueError("Invalid file extension: Use .tar.gz, .whl or .zip extension.")


def _wheel(filename: str) -> DistributionFilename:
    try:
        _, _, _, tags = parse_wheel_filename(filename)
    except InvalidWheelFilename as error:
        raise ValueError(str(error)) from None
    name, version = filename.split("-")[:2]
    return DistributionFilename(filename, FileType.WHEEL, name, version, tags)


def _sdist(filename: str, stem: str) -> DistributionFilename:
    # A PEP 625 name holds no "-"; an older one may, and its version may not start with a letter.
    name, _, version = stem.rpartition("-")
    if not name:
        raise ValueError(str(InvalidSdistFilename(f"Invalid source distribution filename: {filename}")))
    try:
        Version(version)
    except InvalidVersion:
        raise ValueError(f"Invalid source distribution filename: {filename}") from None
    return DistributionFilename(filename, FileType.SDIST, name, version)
