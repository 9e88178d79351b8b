"""Uploads by hand: the form twine sends, as bytes, for a wheel in memory or streamed from the disk."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from attrs import frozen

from benchmarks.client import send_file
from benchmarks.servers import Subject

BOUNDARY = "----------hedgehogs"


@frozen
class Form:
    """A form around a file.

    Attributes:
        before: the body up to the file's first byte.
        after: what comes behind its last.
    """

    before: bytes
    after: bytes

    @classmethod
    def of(cls, project: str, version: str, wheel: Path) -> Form:
        """The form for a wheel."""
        fields = {
            ":action": "file_upload",
            "protocol_version": "1",
            "metadata_version": "2.1",
            "name": project,
            "version": version,
            "filetype": "bdist_wheel",
            "pyversion": "py3",
            "sha256_digest": digest(wheel),
        }
        parts = [_part(f'name="{name}"', value) for name, value in fields.items()]
        last = _part(f'name="content"; filename="{wheel.name}"', "").removesuffix("\r\n")
        return cls(("".join(parts) + last).encode(), f"\r\n--{BOUNDARY}--\r\n".encode())


def request(subject: Subject, project: str, version: str, wheel: Path, *, close: bool = False) -> bytes:
    """The whole request, file and all."""
    form, content = Form.of(project, version, wheel), wheel.read_bytes()
    return _head(subject, form, len(content), close=close) + form.before + content + form.after


def stream(subject: Subject, project: str, wheel: Path) -> float:
    """Upload version 1.0 from the disk, over a connection of its own; seconds to the end of the answer."""
    form = Form.of(project, "1.0", wheel)
    head = _head(subject, form, wheel.stat().st_size, close=True)
    return send_file(subject.origin, head + form.before, wheel, form.after)


def url_of(subject: Subject, project: str) -> str:
    """Where the index says a project's only file is."""
    page = f"{subject.origin}/simple/{project}/"
    asked = Request(page, headers={"Accept": "application/vnd.pypi.simple.v1+json"})
    with build_opener(ProxyHandler({})).open(asked, timeout=30) as response:
        url: str = json.load(response)["files"][0]["url"]
    return urljoin(page, url)


def digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _head(subject: Subject, form: Form, size: int, *, close: bool) -> bytes:
    more = "Connection: close" if close else "Accept: */*"
    return (
        f"POST {subject.upload_path} HTTP/1.1\r\nHost: {urlsplit(subject.origin).netloc}\r\n"
        f"Authorization: {subject.token.authorization}\r\n{more}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(form.before) + size + len(form.after)}\r\n\r\n"
    ).encode()


def _part(disposition: str, value: str) -> str:
    return f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{value}\r\n"
