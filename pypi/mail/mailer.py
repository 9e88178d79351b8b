"""Mailers: who carries messages; the contract of all of them."""

from __future__ import annotations

import re
from typing import Protocol
from urllib.parse import urlsplit

from attrs import field, frozen


@frozen(kw_only=True)
class Message:
    """A message as it is sent.

    Attributes:
        sender: the address that is told when it cannot be delivered (RFC 5321 §4.1.1.2).
        to: the one address it goes to; ASCII.
        data: the message (RFC 5322) in ASCII, its lines ended by a line feed alone.
    """

    sender: str
    to: str
    data: bytes = field(repr=False)


class NotSent(Exception):
    """A message was not taken for now: to be tried again. ``str()`` says why, without secrets."""


class Refused(Exception):
    """A message or its address will never be taken. ``str()`` says why, without secrets."""


class Mailer(Protocol):
    """Carries messages."""

    async def send(self, message: Message) -> None:
        """Return once somebody else is responsible for the message.

        When that is not known, for the connection ended just then, it counts as not sent: a message may
        arrive twice, with one Message-ID.

        Raises:
            NotSent: try again later.
            Refused: do not.
        """

    async def probe(self) -> str:
        """In a few words, where messages would go now.

        Raises:
            NotSent: nowhere.
        """


def host_of(origin: str) -> str:
    """What an index calls itself in mail: the host of its URL, ``localhost`` where that is no name."""
    host = urlsplit(origin).hostname or ""
    return host if re.search("[a-z]", host) and ":" not in host else "localhost"
