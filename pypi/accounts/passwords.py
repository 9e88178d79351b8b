"""Passwords: hashed with argon2id, off the reactor, never more at once than there are cores."""

from __future__ import annotations

import os
import secrets
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from attrs import define, field
from twisted.internet.threads import deferToThreadPool
from twisted.python.threadpool import ThreadPool

from pypi.accounts.proven import Proven

MIN_LENGTH = 8
MAX_LENGTH = 1024
"""Characters. The upper bound keeps the hashing of one password cheap."""


@define(eq=False)
class Passwords:
    """Hashes and verifies; costs about 100 ms of one core and 64 MiB each time (RFC 9106).

    Attributes:
        reactor: whose threads do the work.
    """

    reactor: Any
    _hasher: PasswordHasher = field(factory=PasswordHasher, init=False, repr=False)
    _pool: ThreadPool = field(init=False, repr=False)
    _nobody: str | None = field(default=None, init=False, repr=False)
    _proven: Proven = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self._pool = ThreadPool(0, max(1, os.cpu_count() or 1), "passwords")
        self._proven = Proven(self.reactor.seconds, secrets.token_bytes(32))

    async def start(self) -> None:
        """Make threads available."""
        self._pool.start()

    async def stop(self) -> None:
        """Let the running ones finish."""
        self._pool.stop()

    async def hash(self, password: str) -> str:
        """The password in PHC form, with its salt and parameters."""
        hashed: str = await deferToThreadPool(self.reactor, self._pool, self._hasher.hash, password)
        return hashed

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether the password belongs to the hash.

        It takes as long without a hash to compare with, so that nobody learns which accounts exist. A
        password that was right a moment ago costs nothing.
        """
        if len(password) > MAX_LENGTH:
            return False
        if hashed is not None and self._proven.knows(hashed, password):
            return True
        if self._nobody is None:
            self._nobody = await self.hash("nobody's password")
        matches: bool = await deferToThreadPool(
            self.reactor, self._pool, self._matches, hashed or self._nobody, password
        )
        if hashed is None or not matches:
            return False
        self._proven.note(hashed, password)
        return True

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False
