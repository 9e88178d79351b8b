"""The simple API as JSON, version 1.4 (PEP 691, 700, 714, 792)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import orjson

from caching.buckets import Fields, Format
from pypi.domain.values import FileEntry, ProjectPage

API_VERSION = "1.4"


def _project_lines(lines: Sequence[Fields]) -> bytes:
    quoted = orjson.dumps
    return b",".join(
        b'{"_last-serial":%s,"name":%s}' % (serial.encode(), quoted(name)) for _, name, serial in lines
    )


def _before_projects(serial: int) -> bytes:
    return b'{"meta":%s,"projects":[' % _dump({"api-version": API_VERSION, "_last-serial": serial}).rstrip()


PROJECTS = Format(name="json", head=_before_projects, lines=_project_lines, between=b",", foot=b"]}\n")
"""The list of all projects by their display names."""


def project_page(value: ProjectPage, files_url: str) -> bytes:
    """One project, its status, versions and files."""
    status = {"status": value.status.value}
    if value.status_reason:
        status["reason"] = value.status_reason
    return _dump(
        {
            "meta": {"api-version": API_VERSION, "_last-serial": value.serial},
            "name": value.name,
            "project-status": status,
            "versions": list(value.versions),
            "files": [_file(one, files_url) for one in value.files],
        }
    )


def _file(entry: FileEntry, files_url: str) -> dict[str, Any]:
    metadata = {"sha256": entry.metadata_sha256} if entry.metadata_sha256 else False
    return {
        "filename": entry.filename,
        "url": file_url(entry, files_url),
        "hashes": {"sha256": entry.sha256},
        "requires-python": entry.requires_python or None,
        "size": entry.size,
        "upload-time": timestamp(entry.uploaded),
        "yanked": False if entry.yank is None else entry.yank.reason or True,
        "core-metadata": metadata,
        # The public index's own name for it, which uv reads. The name of PEP 691, "dist-info-metadata", is
        # never sent: pip 23.0 stumbles over it, and PEP 714 was written to keep it unsaid.
        "data-dist-info-metadata": metadata,
        "provenance": None,
    }


def file_url(entry: FileEntry, files_url: str) -> str:
    """Where the file is handed out."""
    return f"{files_url}/packages/{quote(entry.path, safe=SAFE_IN_PATHS)}"


SAFE_IN_PATHS = "~!$&'()*+,;=:@/"


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with ``Z``; without a fraction where there is none (PEP 700)."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def _dump(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
