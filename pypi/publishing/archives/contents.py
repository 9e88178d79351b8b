"""What an inspection finds, and the refusals that are not about the archive's format."""

from __future__ import annotations

from attrs import frozen

from pypi.domain.errors import Invalid


@frozen(kw_only=True)
class Contents:
    """What an accepted archive holds.

    Attributes:
        metadata: METADATA (wheel) or PKG-INFO (sdist), byte for byte.
        license_files: the ``License-File`` paths of the metadata, each found in the archive.
        entries: members of the archive, folders included.
        expanded_bytes: all members together, uncompressed.
        warnings: sentences for the publisher about what is odd but allowed.
    """

    metadata: bytes
    license_files: tuple[str, ...]
    entries: int
    expanded_bytes: int
    warnings: tuple[str, ...] = ()


@frozen
class LicenseFileMissing(Invalid):
    """The metadata names a license file that the archive does not hold."""

    license_file: str
    filename: str
    path: str

    def __str__(self) -> str:
        return (
            f"License-File {self.license_file} does not exist in distribution file "
            f"{self.filename} at {self.path}"
        )


@frozen
class RequiredFileMissing(Invalid):
    """A wheel lacks a readable METADATA or RECORD."""

    filename: str
    path: str

    def __str__(self) -> str:
        what = self.path.rpartition("/")[2]
        return f"Wheel {self.filename!r} does not contain the required {what} file: {self.path}"


@frozen
class InvalidEntryPoints(Invalid):
    """A wheel's entry points cannot be read, or have names no script can have."""

    filename: str

    def __str__(self) -> str:
        return f"Wheel {self.filename!r} has invalid entry points defined in the entry_points.txt file"


@frozen
class RecordMismatch(Invalid):
    """A wheel's RECORD does not describe what the wheel holds.

    Attributes:
        filename: of the wheel.
        detail: what differs, as a clause that follows the filename.
    """

    filename: str
    detail: str

    def __str__(self) -> str:
        return f"Wheel {self.filename!r} {self.detail}"
