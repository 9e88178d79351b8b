"""Where somebody is led after signing in: to a page of this site, whatever the address they came by says."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

LONGEST = 2000
"""Characters; no page of ours has a longer address."""

_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_QUERY = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*", re.ASCII)


def next_path(given: str | None, default: str = "/") -> str:
    """The path and query to go on to, as ``Location`` takes them.

    Browsers read more than RFC 3986 allows as the begin of another site, and tidy paths up before they ask.
    So this takes only what nobody reads in two ways: a path from the root, of segments that are there and are
    neither ``.`` nor ``..``, however they are spelled.

    Args:
        given: the parameter ``next``.
        default: where to go if that is no such path.
    """
    if not given or len(given) > LONGEST:
        return default
    path, _, query = given.partition("?")
    if not _PATH.fullmatch(path) or not _QUERY.fullmatch(query) or not _is_plain(path):
        return default
    return given


def _is_plain(path: str) -> bool:
    """Whether no step of decoding makes something else of a path."""
    decoded = unquote_to_bytes(path)
    if b"\\" in decoded or decoded.count(b"/") != path.count("/") or re.search(rb"[\x00-\x20\x7f]", decoded):
        return False
    segments = [unquote_to_bytes(segment) for segment in path.split("/")[1:]]
    return all(segment not in (b".", b"..") for segment in segments) and b"" not in segments[:-1]
