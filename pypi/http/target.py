"""The target of a request: its four forms, and the one place where a path is decoded.

Source: RFC 9112 section 3.2, RFC 3986.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from attrs import frozen

from pypi.http.hosts import Authority, parse_authority
from pypi.http.rejected import Rejected

_ABSOLUTE = re.compile(rb"[hH][tT][tT][pP][sS]?://([^/?]*)(.*)")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_CONTROL_ESCAPE = re.compile(rb"%(?:[01][0-9A-Fa-f]|7[Ff]|[cC]2%[89][0-9A-Fa-f])")
_RUNS = re.compile(rb"//+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")


@frozen(kw_only=True)
class Target:
    """What a request asks for.

    Attributes:
        raw: path and query as sent, without authority and fragment; ``*`` for the server as a whole.
        path: the path as sent.
        query: the query as sent, without its question mark.
        text: the path, decoded once; free of control characters, backslashes, dot segments and empty ones.
        authority: host and port of the absolute form; None in the others.
    """

    raw: bytes
    path: bytes
    query: bytes
    text: str
    authority: Authority | None = None


def parse_target(target: bytes, method: bytes) -> Target:
    """Read the target of a request line.

    Args:
        target: printable ASCII, not empty.
        method: decides whether ``*`` may be asked for.

    Raises:
        Rejected: 400 for a form or spelling that means nothing here, 404 for a slash hidden in a segment.
    """
    # Browsers of old sent the fragment along; what they asked for ends before it.
    raw = target.partition(b"#")[0]
    if raw == b"*" and method == b"OPTIONS":
        return Target(raw=raw, path=raw, query=b"", text="*")
    authority = None
    absolute = _ABSOLUTE.fullmatch(raw)
    if absolute:
        authority = parse_authority(absolute.group(1))
        raw = absolute.group(2) if absolute.group(2).startswith(b"/") else b"/" + absolute.group(2)
    if not raw.startswith(b"/"):
        raise Rejected(400, "The target of a request must be a path.")
    path, _, query = raw.partition(b"?")
    if _CONTROL_ESCAPE.search(query):
        raise Rejected(400, "The query of this URL has control characters.")
    return Target(raw=raw, path=path, query=query, text=decode_path(path), authority=authority)


def decode_path(path: bytes) -> str:
    """The path as text, decoded exactly once; several slashes in a row count as one.

    Raises:
        Rejected: 400 for what is not UTF-8, has control characters, backslashes, dot segments or broken
            escapes; 404 for an encoded slash, since no path here has one.
    """
    if b"//" in path:
        path = _RUNS.sub(b"/", path)
    if b"%" not in path and b"\\" not in path and b"/." not in path:
        return path.decode("ascii")
    if _BAD_ESCAPE.search(path):
        raise Rejected(400, "The path of this URL has a percent sign that does not start an escape.")
    try:
        text = unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise Rejected(400, "The path of this URL is not UTF-8.") from None
    if "\\" in text or _CONTROL.search(text):
        raise Rejected(400, "The path of this URL has backslashes or control characters.")
    if not {".", ".."}.isdisjoint(text.split("/")):
        raise Rejected(400, "The path of this URL has dot segments.")
    if b"%2f" in path.lower():
        raise Rejected(404, "No path here has an encoded slash.")
    return text
