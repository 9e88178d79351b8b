"""Passwords proven a moment ago: an upload tool signs in anew for every file it sends."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable

from attrs import define, field

LIFETIME = 300.0
"""Seconds a proof counts."""

MOST = 1000
"""Proofs remembered at once; the oldest makes room."""


@define(eq=False, repr=False)
class Proven:
    """Remembers that a password belongs to a hash, without remembering either.

    What is kept is an HMAC of both under a key that dies with the process. The hash is part of it, so a
    changed password is forgotten in the moment it changes; only what was right is ever kept.

    Attributes:
        seconds: a monotonic clock.
        key: random, 32 bytes.
    """

    seconds: Callable[[], float]
    key: bytes
    _until: OrderedDict[bytes, float] = field(factory=OrderedDict, init=False)

    def knows(self, hashed: str, password: str) -> bool:
        """Whether the password was proven to belong to the hash within the last minutes."""
        return self._until.get(self._mark(hashed, password), 0.0) > self.seconds()

    def note(self, hashed: str, password: str) -> None:
        """The password was just proven to belong to the hash."""
        mark = self._mark(hashed, password)
        self._until[mark] = self.seconds() + LIFETIME
        self._until.move_to_end(mark)
        while len(self._until) > MOST:
            self._until.popitem(last=False)

    def _mark(self, hashed: str, password: str) -> bytes:
        return hmac.digest(self.key, f"{hashed}\0{password}".encode(), hashlib.sha256)
