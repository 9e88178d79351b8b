"""The simple API as HTML, version 1.4: frozen (PEP 833), byte for byte what installers have always read."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from caching.buckets import Fields, Format
from pypi.domain.values import FileEntry, ProjectPage
from pypi.web.simple_json import file_url

REPOSITORY_VERSION = "1.4"


def project_page(value: ProjectPage, files_url: str) -> bytes:
    """A link for every file, with all an installer looks for as attributes."""
    status = f'<meta name="pypi:project-status" content="{value.status.value}">'
    if value.status_reason:
        status += f'<meta name="pypi:project-status-reason" content="{escape(value.status_reason)}">'
    title = f"Links for {escape(value.name)}"
    links = "".join(_link(one, files_url) for one in value.files)
    body = f"    <h1>{title}</h1>\n{links}"
    return f"{_document(title, status, body)}\n<!--SERIAL {value.serial}-->".encode()


def _document(title: str, status: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en">\n  <head>\n'
        f'    <meta name="pypi:repository-version" content="{REPOSITORY_VERSION}">\n'
        f"{status}    <title>{title}</title>\n  </head>\n  <body>\n{body}</body>\n</html>"
    )


def _project_links(lines: Sequence[Fields]) -> bytes:
    # What valid names are made of needs no escapes; to look once is cheaper than to escape each.
    names = "".join(f"{normalized}{name}" for normalized, name, _ in lines)
    safe = escape if set(names) & set("&<>\"'") else str
    return "".join(
        f'<a href="/simple/{safe(normalized)}/">{safe(name)}</a>\n' for normalized, name, _ in lines
    ).encode()


_BEFORE, _, _AFTER = _document("Simple index", "", "\0").partition("\0")

PROJECTS = Format(name="html", head=lambda _: _BEFORE.encode(), lines=_project_links, foot=_AFTER.encode())
"""The list of all projects: a link for each."""


def _link(entry: FileEntry, files_url: str) -> str:
    parts = [f'<a href="{escape(file_url(entry, files_url))}#sha256={entry.sha256}" ']
    if entry.requires_python:
        parts.append(f'data-requires-python="{escape(entry.requires_python)}" ')
    if entry.yank is not None:
        parts.append(f'data-yanked="{escape(entry.yank.reason)}" ')
    if entry.metadata_sha256:
        digest = entry.metadata_sha256
        parts.append(f'data-dist-info-metadata="sha256={digest}" data-core-metadata="sha256={digest}"')
    parts.append(f">{escape(entry.filename)}</a><br />\n")
    return "".join(parts)
