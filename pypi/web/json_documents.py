"""The documents of the JSON API, as the public index prints them: every key there is, sorted, in UTF-8."""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import orjson
from attrs import frozen

from pypi.domain.metadata import Metadata
from pypi.index.documents import Document, PublishedFile

SAFE_IN_PATHS = "~!$&'()*+,;=:@"
"""What a segment of a path may have as it is (RFC 3986 §3.3), beside letters and digits."""

UNKNOWN = -1
"""Downloads, which nobody has counted for years."""

_DROPPED = str.maketrans("", "", string.punctuation + string.whitespace)


@frozen
class Where:
    """Where things are to be found.

    Attributes:
        origin: URL of this index.
        files_url: what stands before ``/packages/…`` in the URLs of files.
    """

    origin: str
    files_url: str

    def project(self, name: str) -> str:
        """URL of a project's page."""
        return f"{self.origin}/project/{quote(name, safe=SAFE_IN_PATHS)}/"

    def release(self, name: str, version: str) -> str:
        """URL of a release's page."""
        return f"{self.project(name)}{quote(version, safe=SAFE_IN_PATHS)}/"

    def file(self, path: str) -> str:
        """URL of a file."""
        return f"{self.files_url}/packages/{quote(path, safe=SAFE_IN_PATHS + '/')}"


def project(document: Document, where: Where) -> bytes:
    """The latest release, and the files of every other by version, also of those that have none."""
    releases: dict[str, list[orjson.Fragment]] = {version: [] for version in document.all_versions}
    for file in document.files:
        # One by one: a thread that writes thousands in one go would keep the reactor waiting.
        releases[file.version].append(_written(file, where))
    urls = releases[document.version]
    return _dumped({**_release(document, where), "releases": releases, "urls": urls})


def release(document: Document, where: Where) -> bytes:
    """One release and its files."""
    return _dumped({**_release(document, where), "urls": [_written(file, where) for file in document.files]})


def _dumped(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def _release(document: Document, where: Where) -> dict[str, Any]:
    return {
        "info": info(document, where),
        "last_serial": document.serial,
        "ownership": {
            "organization": None,
            "roles": [{"role": role, "user": user} for role, user in document.roles],
        },
        "vulnerabilities": [],
    }


def info(document: Document, where: Where) -> dict[str, Any]:
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
        "package_url": where.project(document.name),
        "platform": said.platform[0] if said.platform else None,
        "project_url": where.project(document.name),
        "project_urls": project_urls(said) or None,
        "provides_extra": _several(said.provides_extra),
        "release_url": where.release(document.name, document.version),
        "requires_dist": _several(said.requires_dist),
        "requires_python": said.requires_python,
        "summary": said.summary,
        "version": document.version,
        "yanked": document.yank is not None,
        "yanked_reason": document.yank.reason or None if document.yank is not None else None,
    }


def _several(values: Iterable[str]) -> list[str] | None:
    return list(values) or None


def project_urls(said: Metadata) -> dict[str, str]:
    """Label → URL: those of the two fields of old, then the labelled ones, except what says the same again.

    Source: PEP 753 for when two labels are one.
    """
    fields = {"Homepage": said.home_page, "Download": said.download_url}
    urls = {label: url for label, url in fields.items() if url}
    same = {("homepage", said.home_page), ("downloadurl", said.download_url)}
    for label, url in said.project_urls:
        if (label.translate(_DROPPED).lower(), url) not in same:
            urls[label] = url
    return urls


def _written(file: PublishedFile, where: Where) -> orjson.Fragment:
    return orjson.Fragment(orjson.dumps(_file(file, where)))


def _file(file: PublishedFile, where: Where) -> dict[str, Any]:
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
        "url": where.file(file.path),
        "yanked": file.yank is not None,
        "yanked_reason": file.yank.reason or None if file.yank is not None else None,
    }
