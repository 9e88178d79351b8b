"""API tokens: ``cheeseshop-<id>-<secret>``.

The prefix lets secret scanners find a token that leaked. The id is public and looked up; of the secret, 256
random bits, only a SHA-256 is kept, and it is compared in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable

from attrs import frozen

PREFIX = "cheeseshop"
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_GRAMMAR = re.compile(rf"{PREFIX}-([0-9a-f]{{16}})-([0-9a-f]{{64}})", re.ASCII)


@frozen
class Token:
    """A token taken apart; ``str()`` is what its owner keeps."""

    id: str
    secret: str

    def __str__(self) -> str:
        return f"{PREFIX}-{self.id}-{self.secret}"

    @property
    def digest(self) -> bytes:
        """What is stored of the secret."""
        return hashlib.sha256(bytes.fromhex(self.secret)).digest()

    def matches(self, digest: bytes) -> bool:
        """Whether this is the token whose digest was stored; takes equally long either way."""
        return hmac.compare_digest(self.digest, digest)


def make(random_bytes: Callable[[int], bytes]) -> Token:
    """A new token from a source of randomness such as ``secrets.token_bytes``."""
    return Token(random_bytes(8).hex(), random_bytes(32).hex())


def is_id(text: str) -> bool:
    """Whether a text may be the public half of a token."""
    return _ID.fullmatch(text) is not None


def parse(text: str) -> Token | None:
    """The token in ``text``, surrounding blanks aside; ``None`` if there is none."""
    match = _GRAMMAR.fullmatch(text.strip())
    return Token(match[1], match[2]) if match else None
