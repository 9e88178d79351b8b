"""The simple API as JSON, version 1.4 (PEP 691, 700, 714, 792)."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from urllib.parse import quote

from pypi.domain.values import FileEntry, ProjectList, ProjectPage

API_VERSION = "1.4"


def project_list(value: ProjectList) -> bytes:
    """Every project by its display name."""
    return _dump(
        {
            "meta": {"api-version": API_VERSION, "_last-serial": value.serial},
            "projects": [{"name": one.name, "_last-serial": one.serial} for one in value.projects],
        }
    )


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
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode() + b"\n"
