"""A release and its files as structs, with every key that old clients ever found in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from pypi.domain.metadata import Metadata
from pypi.index.releases import ReleaseDataRow, ReleaseFileRow, path_of, place_of

NOT_COUNTED = -1
"""In the place of downloads, as at the public index: ``release_downloads`` tells them."""

TEXTS = (
    *("home_page", "author", "author_email", "maintainer", "maintainer_email", "summary", "license"),
    *("download_url", "requires_python", "description_content_type"),
)
LISTS = (
    *("classifiers", "requires", "requires_dist", "provides", "provides_dist", "obsoletes"),
    *("obsoletes_dist", "requires_external"),
)


def release_file(row: ReleaseFileRow, files_url: str) -> dict[str, Any]:
    """A file of ``release_urls``.

    Args:
        files_url: what stands before ``/packages/…`` in its URL.
    """
    uploaded = row.uploaded.astimezone(UTC).replace(tzinfo=None)
    path = path_of(row)
    return {
        "filename": row.filename,
        "packagetype": row.filetype,
        "python_version": row.python_version,
        "size": row.size,
        "md5_digest": row.md5,
        "sha256_digest": row.sha256,
        "digests": {"md5": row.md5, "sha256": row.sha256},
        "has_sig": False,
        "upload_time": f"{uploaded.isoformat(timespec='seconds')}Z",
        "upload_time_iso_8601": f"{uploaded.isoformat()}Z",
        "comment_text": row.comment,
        "downloads": NOT_COUNTED,
        "path": path,
        "url": f"{files_url}/packages/{path}",
    }


def release_data(row: ReleaseDataRow, package_url: str, release_url: str) -> dict[str, Any]:
    """The struct of ``release_data``; a text that is not there is empty."""
    said = Metadata.from_json(row.metadata)
    return {
        "name": row.name,
        "version": row.version,
        "stable_version": None,
        "bugtrack_url": None,
        "package_url": package_url,
        "release_url": release_url,
        "docs_url": None,
        "description": row.description or "",
        "keywords": ", ".join(said.keywords),
        "platform": ", ".join(said.platform),
        "project_url": list(said.texts("project_urls")),
        "_pypi_ordering": place_of(row),
        "downloads": dict.fromkeys(("last_day", "last_week", "last_month"), NOT_COUNTED),
        **dict.fromkeys(
            ("cheesecake_code_kwalitee_id", "cheesecake_documentation_id", "cheesecake_installability_id")
        ),
        **_plain(said),
    }


def _plain(said: Metadata) -> Mapping[str, Any]:
    texts = {name: getattr(said, name) or "" for name in TEXTS}
    return texts | {name: list(getattr(said, name)) for name in LISTS}
