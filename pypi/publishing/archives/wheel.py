"""Wheels: one ``.dist-info`` folder that tells the truth about the rest.

Source: specification "Binary distribution format" (PEP 427).
"""

from __future__ import annotations

import re
from configparser import ConfigParser
from configparser import Error as ConfigError

from packaging.tags import parse_tag

from pypi.domain.errors import InvalidDistribution
from pypi.domain.filenames import DistributionFilename
from pypi.publishing.archives import record
from pypi.publishing.archives.contents import (
    Contents,
    InvalidEntryPoints,
    RecordMismatch,
    RequiredFileMissing,
)
from pypi.publishing.archives.limits import Limits
from pypi.publishing.archives.members import case_warnings, shown
from pypi.publishing.archives.metadata import license_files
from pypi.publishing.archives.zips import ZipArchive

_SIGNATURES = ("RECORD.jws", "RECORD.p7s")
_SCRIPT_SECTIONS = ("console_scripts", "gui_scripts")
_SCRIPT_NAME = re.compile(r"[\w.-]+")
_MOST_TAGS = 1000
# The time a parser of INI needs for a line grows with the square of its blanks.
_LONG_LINE = re.compile(r"[^\n]{501}")


def inspect_wheel(archive: ZipArchive, filename: DistributionFilename, limits: Limits) -> Contents:
    """Check a wheel, reading every file of it.

    Args:
        archive: the wheel, its framing read.
        filename: what it is called.
        limits: of the files in ``.dist-info``.

    Raises:
        Invalid: it is not the wheel of that filename, or its RECORD or entry points are wrong.
    """
    folder = f"{filename.stem}.dist-info"
    files = archive.files()
    warnings = _read_wheel_file(archive, f"{folder}/WHEEL", filename, limits)
    _check_only_dist_info(files, folder)
    lines = _read_record(archive, f"{folder}/RECORD", filename, limits)
    _check_entry_points(archive, f"{folder}/entry_points.txt", filename, limits)
    metadata = _required(archive, f"{folder}/METADATA", filename, limits.metadata_bytes)
    licenses = license_files(metadata, filename, folder=f"{folder}/licenses", paths=frozenset(files))
    try:
        record.verify(lines, archive, [f"{folder}/{name}" for name in ("RECORD", *_SIGNATURES)])
    except record.Disagreement as error:
        raise RecordMismatch(filename.filename, str(error)) from None
    return Contents(
        metadata=metadata,
        license_files=licenses,
        entries=len(archive.entries),
        expanded_bytes=sum(entry.size for entry in archive.entries.values()),
        warnings=(*warnings, *case_warnings(files)),
    )


def _required(archive: ZipArchive, path: str, filename: DistributionFilename, limit: int) -> bytes:
    if path not in archive.entries:
        raise RequiredFileMissing(filename.filename, path)
    return archive.read(path, limit)


def _check_only_dist_info(files: list[str], folder: str) -> None:
    """One ``.dist-info``, with one spelling of each file: an installer has nothing to choose from."""
    tops = {path.partition("/")[0] for path in files if "/" in path}
    for top in tops:
        if top.casefold().endswith(".dist-info") and top != folder:
            raise InvalidDistribution(f"Besides {folder} there is another .dist-info folder: {shown(top)}")
    if warnings := case_warnings(path for path in files if path.startswith(f"{folder}/")):
        raise InvalidDistribution(warnings[0].removesuffix("."))


def _read_wheel_file(
    archive: ZipArchive, path: str, filename: DistributionFilename, limits: Limits
) -> list[str]:
    """Check the format's version; warn where the tags are not those of the filename."""
    if path not in archive.entries:
        raise InvalidDistribution(f"WHEEL not found at {path}")
    fields = _fields(archive.read(path, limits.details_bytes))
    version = next((value for key, value in fields if key == "wheel-version"), "")
    if not re.fullmatch(r"1\.[0-9]+", version, re.ASCII):
        raise InvalidDistribution(f"Its Wheel-Version is {shown(version)}, should be 1.0")
    tags = [value for key, value in fields if key == "tag"]
    if _expanded(tags) != {str(tag) for tag in filename.tags}:
        return ["The tags in WHEEL are not those of the filename."]
    return []


def _fields(raw: bytes) -> list[tuple[str, str]]:
    lines = raw.decode("utf-8", "replace").splitlines()
    pairs = (line.partition(":") for line in lines if ":" in line)
    return [(key.strip().lower(), value.strip()) for key, _, value in pairs]


def _expanded(tags: list[str]) -> set[str]:
    """Each single tag of the compressed ones; cut off where they are too many to be honest."""
    expanded: set[str] = set()
    for tag in tags[:_MOST_TAGS]:
        if tag.count("-") == 2 and tag.count(".") < 20 and len(expanded) < _MOST_TAGS:
            expanded.update(map(str, parse_tag(tag)))
    return expanded


def _read_record(
    archive: ZipArchive, path: str, filename: DistributionFilename, limits: Limits
) -> dict[str, record.Line]:
    raw = _required(archive, path, filename, limits.record_bytes)
    try:
        return record.parse(raw.decode(), limits.entries)
    except UnicodeDecodeError:
        raise RecordMismatch(filename.filename, "has a RECORD that is not UTF-8") from None
    except record.Disagreement as error:
        raise RecordMismatch(filename.filename, str(error)) from None


def _check_entry_points(
    archive: ZipArchive, path: str, filename: DistributionFilename, limits: Limits
) -> None:
    if path not in archive.entries:
        return
    parser = ConfigParser(delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        text = archive.read(path, limits.details_bytes).decode()
        if _LONG_LINE.search(text):
            raise InvalidEntryPoints(filename.filename)
        parser.read_string(text)
    except (UnicodeDecodeError, ConfigError):
        raise InvalidEntryPoints(filename.filename) from None
    for section in _SCRIPT_SECTIONS:
        names = parser.options(section) if parser.has_section(section) else []
        if not all(_SCRIPT_NAME.fullmatch(name) for name in names):
            raise InvalidEntryPoints(filename.filename)
