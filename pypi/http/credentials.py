"""Credentials in a request: HTTP basic, or a bare token (RFC 7617, RFC 6750)."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from pypi.domain.permissions import TOKEN_USER, Credentials

MAX_LENGTH = 8192
"""Characters of an Authorization header; no honest one is longer."""


def credentials(request: Any) -> Credentials | None:
    """What the request says of who is asking; ``None`` if it says nothing, or nothing that can be read.

    ``Basic`` carries a user name and password, or ``__token__`` and an API token; ``Bearer`` and ``token``
    carry the API token alone.
    """
    given = request.requestHeaders.getRawHeaders("Authorization") or []
    if len(given) != 1 or len(given[0]) > MAX_LENGTH:
        return None
    scheme, _, value = given[0].strip().partition(" ")
    match scheme.lower():
        case "basic":
            return _basic(value.strip())
        case "bearer" | "token":
            return Credentials(TOKEN_USER, value.strip())
    return None


def _basic(value: str) -> Credentials | None:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    name, colon, password = text.partition(":")
    return Credentials(name, password) if colon else None
