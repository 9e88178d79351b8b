"""The lines of a head: how they end, and what a header line is.

Source: RFC 9112 sections 2.2 and 5, RFC 9110 section 5.
"""

from __future__ import annotations

import re

from pypi.http.rejected import Rejected

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE_BYTES = bytes([0x09, *range(0x20, 0x7F), *range(0x80, 0x100)])


def strip_line_end(line: bytes) -> bytes:
    """A line without its CR LF.

    Raises:
        Rejected: it ends in LF alone, or has a CR elsewhere.
    """
    if line.find(b"\r") != len(line) - 2 or len(line) < 2:
        raise Rejected(400, "Every line of a request's head must end in CR LF, and have no CR elsewhere.")
    return line[:-2]


def parse_field(line: bytes) -> tuple[bytes, bytes]:
    """Name and value of one header or trailer line.

    Raises:
        Rejected: it is no such line, or continues the one before.
    """
    name, colon, value = line.partition(b":")
    if line[:1] in (b" ", b"\t"):
        raise Rejected(400, "A header may not be folded over several lines.")
    if not colon or not _NAME.fullmatch(name):
        raise Rejected(400, "A header line must be a name, a colon and a value.")
    value = value.strip(b" \t")
    if value.translate(None, _VALUE_BYTES):
        raise Rejected(400, "A header may not have control characters.")
    return name, value
