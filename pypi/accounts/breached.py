"""Whether a password has leaked elsewhere, asked of a service that learns next to nothing of it.

It is told the first 5 of 40 hexadecimal digits of the password's SHA-1, and answers with all that begin so,
some hundreds; which of them is meant stays here (k-anonymity).
"""

from __future__ import annotations

import hashlib

from attrs import field, frozen

from caching.client import Client, NoReply
from pypi.domain.errors import Unavailable

TOLD = 5
"""Digits that the service is told."""


@frozen
class NobodyKnows(Unavailable):
    """The service did not answer, or not as it should."""

    why: str

    def __str__(self) -> str:
        return f"the list of those that leaked cannot be asked: {self.why}"


@frozen(kw_only=True, eq=False)
class Breached:
    """Asks a range service.

    Attributes:
        url: the digits are put behind its last slash.
        client: bounds the time it may take.
    """

    url: str
    client: Client = field(repr=False)

    async def __call__(self, password: str) -> bool:
        """Whether a password is in lists of those that leaked.

        Raises:
            NobodyKnows: nobody can say.
        """
        # SHA-1 is what such services are asked by, and protects nothing here.
        digits = hashlib.sha1(password.encode("utf-8", "replace"), usedforsecurity=False).hexdigest().upper()
        known = await self._known(digits[:TOLD])
        return any(_is_told(line, digits[TOLD:]) for line in known.splitlines())

    async def _known(self, digits: str) -> str:
        # Answers are made equally long on demand, so that who listens learns no more than the service.
        headers = {"Accept": "text/plain", "Add-Padding": "true"}
        try:
            reply = await self.client.ask("GET", f"{self.url.rstrip('/')}/{digits}", headers)
        except NoReply as error:
            raise NobodyKnows(str(error)) from None
        if reply.status != 200:
            raise NobodyKnows(f"status {reply.status}")
        return reply.body.decode("ascii", "replace")


def _is_told(line: str, rest: str) -> bool:
    """Whether a line of an answer, ``<digits>:<how often>``, is about those digits; 0 is padding."""
    found, _, count = line.strip().partition(":")
    return found.upper() == rest and count.strip() not in ("", "0")
