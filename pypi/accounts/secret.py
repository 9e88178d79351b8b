"""Secrets handed to a browser or sent by mail: 32 random bytes, of which only a SHA-256 is kept."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Callable

SIZE = 32
"""Bytes."""

_GRAMMAR = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def make(random_bytes: Callable[[int], bytes]) -> str:
    """A new secret as text that stands in a cookie or an address: 43 characters (RFC 4648, section 5)."""
    return urlsafe_b64encode(random_bytes(SIZE)).decode("ascii").rstrip("=")


def digest(secret: str) -> bytes | None:
    """What is kept of a secret, and looked up; ``None`` for a text that never was one.

    Nothing is compared: whoever could learn from the time of a look-up how a digest begins has not learned
    what digests so.
    """
    if _GRAMMAR.fullmatch(secret) is None:
        return None
    return hashlib.sha256(secret.encode("ascii")).digest()


def digest_of_made(secret: str) -> bytes:
    """The same of a secret that was made here, which always has one."""
    found = digest(secret)
    assert found is not None
    return found
