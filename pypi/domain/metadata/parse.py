"""METADATA and PKG-INFO: bytes in, fields out."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pypi.domain.errors import InvalidField
from pypi.domain.metadata.model import FIELDS, OF_SEVERAL_LINES, VERSIONS, Metadata

MAX_BYTES = 4 << 20
MAX_HEADERS = 10_000

_BY_HEADER = {field.header: field.name for field in FIELDS.values()}
Header = tuple[str, list[str]]
"""Name in lower case, and the lines of the value."""

_HEADER = re.compile(r"[!-9;-~]+:")
_VERSION_1 = re.compile(rb"Metadata-Version:[ \t]*1\.", re.IGNORECASE)
_BEFORE_2_2 = re.compile(rb"Metadata-Version:[ \t]*(?:1\.|2\.[01]\s)", re.IGNORECASE)
_BLANKS = " \t\n"
_MARGINS = ("        ", "       |")


def parse(raw: bytes, *, max_bytes: int = MAX_BYTES) -> Metadata:
    """Read the metadata a distribution carries; the rules of single fields are ``refusals``' business.

    A file that readers of the format would understand differently is refused, so that every installer sees
    what the index shows: one with a byte order mark, a NUL, a lone carriage return or a line that is no
    header among the headers. ``UNKNOWN``, which distutils wrote for nothing, is nothing.

    Old metadata is read with more patience. 1.x, whose writers used the locale's encoding, may be Latin-1.
    Up to 2.1 writers did not mark the further lines of a summary or licence: readers take such a line, or
    an empty one, for the end of the headers. The value that runs on and what follows are left out.

    Raises:
        InvalidField: of the field ``metadata`` where the whole cannot be read, else of the field that has
            more or longer values than it may.

    Source: core metadata specification; RFC 822 as the standard library's ``email`` reads it.
    """
    if len(raw) > max_bytes:
        raise _unreadable(f"is larger than {max_bytes} bytes")
    head, _, body = _decoded(raw).replace("\r\n", "\n").partition("\n\n")
    lines = head.removesuffix("\n").split("\n") if head else []
    headers, taken = _headers(lines)
    if taken < len(lines) and not _BEFORE_2_2.match(raw):
        raise _unreadable(f"has a line {taken + 1} that is neither a header nor the continuation of one")
    if taken < len(lines) or (_VERSION_1.match(raw) and body.strip() and _ends_in_prose(headers)):
        headers, body = headers[:-1], ""
    texts = _by_field(headers)
    if body.strip() not in ("", "UNKNOWN"):
        texts.setdefault("description", []).append(body)
    if _version_of(texts) < "2.4":
        # Setuptools wrote License-File before the standard had it; twine leaves it out of the form.
        texts.pop("license_file", None)
    return Metadata.of_texts(texts)


def dedented(text: str) -> str:
    """A value of several lines without the margin that marks its lines as continuations.

    The standard's margin is seven blanks and a bar, distutils' is eight blanks.
    """
    first, *rest = text.split("\n")
    return "\n".join([first, *map(_without_margin, rest)])


def _without_margin(line: str) -> str:
    return line[8:] if line.startswith(_MARGINS) else line.lstrip(" \t")


def _unreadable(why: str) -> InvalidField:
    return InvalidField("metadata", f"The metadata inside the file {why}.")


def _decoded(raw: bytes) -> str:
    if raw.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        raise _unreadable(
            "begins with a byte order mark, which installers take for a part of the first header"
        )
    if b"\0" in raw:
        raise _unreadable("contains a NUL character")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        if _VERSION_1.match(raw):
            return raw.decode("latin-1")
        raise _unreadable("is not UTF-8") from None


def _headers(lines: list[str]) -> tuple[list[Header], int]:
    """The headers, each with its lines, and how many lines they are: up to the first that fits nowhere."""
    headers: list[Header] = []
    for number, line in enumerate(lines):
        if "\r" in line:
            return headers, number
        if line.startswith((" ", "\t")) and headers:
            headers[-1][1].append(line)
        elif _HEADER.match(line):
            name, _, value = line.partition(":")
            headers.append((name.lower(), [value.strip(_BLANKS)]))
        else:
            return headers, number
        if len(headers) > MAX_HEADERS:
            raise _unreadable(f"has more than {MAX_HEADERS} headers")
    return headers, len(lines)


def _ends_in_prose(headers: list[Header]) -> bool:
    return bool(headers) and headers[-1][0] in ("summary", "license")


def _by_field(headers: list[Header]) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = {}
    for header, lines in headers:
        field, text = _BY_HEADER.get(header), "\n".join(lines)
        if field and text.strip() != "UNKNOWN":
            value = dedented(text) if field in OF_SEVERAL_LINES else text.strip(_BLANKS)
            texts.setdefault(field, []).append(value)
    return texts


def _version_of(texts: Mapping[str, list[str]]) -> str:
    """The metadata version, or the newest where it is missing or of no standard."""
    version = texts.get("metadata_version", [""])[0]
    return version if version in VERSIONS else VERSIONS[-1]
