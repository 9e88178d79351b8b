"""Upload forms as clients send them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from attrs import frozen

BOUNDARY = "31a7cb6be0a44b1f8d4f0d0b6a2e5c99"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"

Value = str | Sequence[str] | None
"""Of a field: one text, several, or not there at all."""


@frozen
class Part:
    """A part of a form; ``filename`` makes it a file."""

    name: str
    value: bytes
    filename: str | None = None
    content_type: str | None = None


def multipart(parts: Sequence[Part]) -> bytes:
    """The body of a form with this ``BOUNDARY``."""
    return b"".join(map(_part, parts)) + f"--{BOUNDARY}--\r\n".encode()


def _part(part: Part) -> bytes:
    disposition = f'Content-Disposition: form-data; name="{part.name}"'
    if part.filename is not None:
        disposition += f'; filename="{part.filename}"'
    lines = [f"--{BOUNDARY}", disposition]
    if part.content_type is not None:
        lines.append(f"Content-Type: {part.content_type}")
    return "\r\n".join([*lines, "", ""]).encode() + part.value + b"\r\n"


def upload_parts(data: bytes, filename: str, changes: Mapping[str, Value]) -> list[Part]:
    """The form twine sends for a file, changed; the file is its last part."""
    fields = {**upload_fields(data, filename), **changes}
    parts = [
        Part(":action" if name == "action" else name, value.encode())
        for name, values in fields.items()
        for value in ([values] if isinstance(values, str) else values or ())
    ]
    return [*parts, Part("content", data, filename, "application/octet-stream")]


def upload_fields(data: bytes, filename: str) -> dict[str, Value]:
    """What twine says of a file with this name and no further metadata."""
    is_wheel = filename.endswith(".whl")
    name, version = filename.removesuffix(".tar.gz").removesuffix(".zip").split("-")[:2]
    return {
        "action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.4",
        "name": name,
        "version": version,
        "filetype": "bdist_wheel" if is_wheel else "sdist",
        "pyversion": filename.split("-")[-3] if is_wheel else "source",
        "sha256_digest": hashlib.sha256(data).hexdigest(),
        "blake2_256_digest": hashlib.blake2b(data, digest_size=32).hexdigest(),
    }
