"""Addresses as a log may have them: without what only one person is to know.

Secrets that are sent by mail stand in paths, and providers of sign-ins bring people back by addresses with
codes. Each is good once and not for long; a log is read by many, and kept. A token counts for nothing in an
address, and yet some put it there.
"""

from __future__ import annotations

import re

_PLACE = b"/account/"
_QUERY = re.compile(rb"(/account/openid/callback)\?[^#\s]*")
_MARK = b"cheeseshop-"
_TOKEN = re.compile(rb"(cheeseshop-[0-9a-f]{16}-)[0-9a-f]{64}")
_SECRET = re.compile(rb"(?<=/)[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")


def hushed(address: bytes) -> bytes:
    """The target of a request, or a referer, without secrets; all others as they are."""
    if _MARK in address:
        address = _TOKEN.sub(rb"\1***", address)
    if _PLACE not in address:
        return address
    before, place, path = address.partition(_PLACE)
    return before + _SECRET.sub(b"***", _QUERY.sub(rb"\1", place + path))
