"""The core metadata within an archive, as far as the archive itself has to agree with it.

Whether the fields are valid is for whoever compares them with the upload's form.
"""

from __future__ import annotations

from collections.abc import Collection

from packaging.metadata import parse_email
from packaging.version import InvalidVersion, Version

from pypi.domain.errors import InvalidDistribution
from pypi.domain.filenames import DistributionFilename
from pypi.domain.names import normalize
from pypi.publishing.archives.contents import LicenseFileMissing
from pypi.publishing.archives.members import shown

_LICENSE_FILES_SINCE = Version("2.4")


def license_files(
    metadata: bytes, filename: DistributionFilename, *, folder: str, paths: Collection[str]
) -> tuple[str, ...]:
    """The license files the metadata names, all of them in the archive.

    Before metadata 2.4 the field was a tool's own and said nothing about where the files are; such
    metadata yields none.

    Args:
        metadata: METADATA or PKG-INFO.
        filename: whose name and version the metadata has to repeat.
        folder: what the license files' paths are relative to.
        paths: of all files in the archive.

    Raises:
        InvalidDistribution: the metadata is of another project or version.
        LicenseFileMissing: a license file is not where it should be.

    Source: PEP 639.
    """
    raw, _ = parse_email(metadata)
    _check_agreement(raw.get("name", ""), raw.get("version", ""), filename)
    version = _version(raw.get("metadata_version", ""))
    if version is None or version < _LICENSE_FILES_SINCE:
        return ()
    for name in raw.get("license_files", []):
        path = f"{folder}/{name}"
        if path not in paths:
            raise LicenseFileMissing(name, filename.filename, path)
    return tuple(raw.get("license_files", []))


def _check_agreement(name: str, version: str, filename: DistributionFilename) -> None:
    if normalize(name) != filename.name:
        raise InvalidDistribution(
            f"Its metadata is of project {shown(name)}, its filename of {str(filename.name)!r}"
        )
    if _version(version) != filename.version:
        raise InvalidDistribution(
            f"Its metadata is of version {shown(version)}, its filename of {str(filename.version)!r}"
        )


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
