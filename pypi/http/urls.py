"""Where things of this index are to be found, as URLs for documents and pages."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from attrs import frozen

SAFE_IN_PATHS = "~!$&'()*+,;=:@"
"""What a segment of a path may have as it is (RFC 3986 §3.3), beside letters and digits."""


def quoted(segment: str) -> str:
    """A text as one segment of a path."""
    return quote(segment, safe=SAFE_IN_PATHS)


def project_path(name: str) -> str:
    """The path of a project's page.

    Args:
        name: as displayed.
    """
    return f"/project/{quoted(name)}/"


def release_path(name: str, version: str) -> str:
    """The path of a release's page."""
    return f"{project_path(name)}{quoted(version)}/"


def user_path(name: str) -> str:
    """The path of somebody's page.

    Args:
        name: of the account, as displayed.
    """
    return f"/user/{quoted(name)}/"


def search_path(words: str = "", *, classifier: str = "") -> str:
    """The path and query of what is found of some words, or has a classifier, or both.

    Args:
        words: as somebody types them.
        classifier: itself, or what stands above some: ``Topic``.
    """
    query = urlencode([pair for pair in (("q", words), ("c", classifier)) if pair[1]])
    return f"/search/?{query}" if query else "/search/"


@frozen
class Urls:
    """Absolute ones.

    Attributes:
        origin: URL of this index.
        files: what stands before ``/packages/…`` in the URLs of files.
    """

    origin: str
    files: str

    def project(self, name: str) -> str:
        """Of a project's page."""
        return self.origin + project_path(name)

    def release(self, name: str, version: str) -> str:
        """Of a release's page."""
        return self.origin + release_path(name, version)

    def file(self, path: str) -> str:
        """Of a file, by its path below ``/packages/``."""
        return f"{self.files}/packages/{quote(path, safe=SAFE_IN_PATHS + '/')}"
