"""The core metadata within an archive, as far as the archive itself has to agree with it.

Whether the fields keep their rules is for whoever compares them with the upload's form.
"""

from __future__ import annotations

from collections.abc import Collection

from packaging.version import InvalidVersion, Version

from pypi.domain.errors import InvalidDistribution
from pypi.domain.filenames import DistributionFilename
from pypi.domain.metadata import parse
from pypi.domain.names import normalize
from pypi.publishing.archives.contents import LicenseFileMissing
from pypi.publishing.archives.members import shown


def license_files(
    metadata: bytes, filename: DistributionFilename, *, folder: str, paths: Collection[str]
) -> tuple[str, ...]:
    """The license files the metadata names, all of them in the archive.

    Args:
        metadata: METADATA or PKG-INFO.
        filename: whose name and version the metadata has to repeat.
        folder: what the license files' paths are relative to.
        paths: of all files in the archive.

    Raises:
        InvalidDistribution: the metadata is of another project or version.
        InvalidField: the metadata cannot be read.
        LicenseFileMissing: a license file is not where it should be.

    Source: PEP 639.
    """
    found = parse(metadata, max_bytes=len(metadata))
    _check_agreement(found.name or "", found.version or "", filename)
    for name in found.license_file:
        path = f"{folder}/{name}"
        if path not in paths:
            raise LicenseFileMissing(name, filename.filename, path)
    return found.license_file


def _check_agreement(name: str, version: str, filename: DistributionFilename) -> None:
    if normalize(name) != filename.name:
        raise InvalidDistribution(
            f"Its metadata is of project {shown(name)}, its filename of {str(filename.name)!r}"
        )
    if not _same(version, filename.version):
        raise InvalidDistribution(
            f"Its metadata is of version {shown(version)}, its filename of {str(filename.version)!r}"
        )


def _same(text: str, version: Version) -> bool:
    try:
        return Version(text) == version
    except InvalidVersion:
        return False
