"""The documents of the JSON API, as the public index prints them: every key there is, sorted, in UTF-8."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from pypi.domain.metadata.links import links
from pypi.http.urls import Urls
from pypi.index.documents import Document, PublishedFile

UNKNOWN = -1
"""Downloads, which nobody has counted for years."""


def project(document: Document, urls: Urls) -> bytes:
    """The latest release, and the files of every other by version, also of those that have none."""
    releases: dict[str, list[orjson.Fragment]] = {version: [] for version in document.all_versions}
    for file in document.files:
        # One by one: a thread that writes thousands in one go would keep the reactor waiting.
        releases[file.version].append(_written(file, urls))
    latest = releases[document.version]
    return _dumped({**_release(document, urls), "releases": releases, "urls": latest})


def release(document: Document, urls: Urls) -> bytes:
    """One release and its files."""
    return _dumped({**_release(document, urls), "urls": [_written(file, urls) for file in document.files]})


def _dumped(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _release(document: Document, urls: Urls) -> dict[str, Any]:
    return {
        "info": info(document, urls),
        "last_serial": document.serial,
        "ownership": {
            "organization": None,
            "roles": [{"role": role, "user": user} for role, user in document.roles],
        },
        "vulnerabilities": [],
    }


def info(document: Document, urls: Urls) -> dict[str, Any]:
    """What the core metadata says of a release, and where its pages are."""
    said = document.metadata
    return {
        "author": said.author,
        "author_email": said.author_email,
        "bugtrack_url": None,
        "classifiers": sorted(set(said.classifiers)),
        "description": document.description,
        "description_content_type": said.description_content_type,
        "docs_url": None,
        "download_url": said.download_url,
        "downloads": {"last_day": UNKNOWN, "last_month": UNKNOWN, "last_week": UNKNOWN},
        "dynamic": _several(one.title() for one in said.dynamic),
        "home_page": said.home_page,
        "keywords": ", ".join(said.keywords) or None,
        "license": said.license,
        "license_expression": said.canonical_license_expression or said.license_expression,
        "license_files": _several(said.license_file),
        "maintainer": said.maintainer,
        "maintainer_email": said.maintainer_email,
        "name": document.name,
        "package_url": urls.project(document.name),
        "platform": said.platform[0] if said.platform else None,
        "project_url": urls.project(document.name),
        "project_urls": links(said) or None,
        "provides_extra": _several(said.provides_extra),
        "release_url": urls.release(document.name, document.version),
        "requires_dist": _several(said.requires_dist),
        "requires_python": said.requires_python,
        "summary": said.summary,
        "version": document.version,
        "yanked": document.yank is not None,
        "yanked_reason": document.yank.reason or None if document.yank is not None else None,
    }


def _several(values: Iterable[str]) -> list[str] | None:
    return list(values) or None


def _written(file: PublishedFile, urls: Urls) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(_file(file, urls)))


def _file(file: PublishedFile, urls: Urls) -> dict[str, Any]:
    """A file; its keys stand in the order of the alphabet, as those that are sorted do."""
    uploaded = file.uploaded.replace(tzinfo=None)
    return {
        "comment_text": file.comment or None,
        "core-metadata": {"sha256": file.metadata_sha256} if file.metadata_sha256 else False,
        "digests": {"blake2b_256": file.blake2_256, "md5": file.md5, "sha256": file.sha256},
        "downloads": UNKNOWN,
        "filename": file.filename,
        "has_sig": False,
        "md5_digest": file.md5,
        "packagetype": file.filetype,
        "python_version": file.python_version,
        "requires_python": file.requires_python or None,
        "size": file.size,
        "upload_time": uploaded.isoformat(timespec="seconds"),
        "upload_time_iso_8601": f"{uploaded.isoformat()}Z",
        "url": urls.file(file.path),
        "yanked": file.yank is not None,
        "yanked_reason": file.yank.reason or None if file.yank is not None else None,
    }
