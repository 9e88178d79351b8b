"""Cookies in which a browser keeps the secret of a session: written one way, and read strictly.

Source: RFC 6265bis, sections 4.1.3 (prefixes of names), 5.5 (SameSite) and 5.8 (the header).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

SESSION = "session"
"""Of somebody who signed in."""

VISIT = "visit"
"""Of somebody who is about to: forms have to be ours before there is a session, too."""

BROWSER = "browser"
"""Of a browser that somebody has signed in with; it stays when they sign out."""

MAX_HEADER = 8192
"""Bytes of a ``Cookie`` header that is looked at."""

MAX_PAIRS = 100
"""Cookies of one header; others on this host have theirs."""

_VALUE = re.compile(r"[A-Za-z0-9_-]{1,512}", re.ASCII)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@frozen
class Cookie:
    """One cookie of this index.

    Attributes:
        name: as browsers know it.
        secure: whether it is sent over HTTPS alone.
    """

    name: str
    secure: bool

    @classmethod
    def of(cls, origin: str, kind: str) -> Cookie | None:
        """The cookie of a kind, on an index of this origin.

        Over HTTPS the prefix of its name makes browsers refuse it from any other host, and from plain HTTP.
        This machine is asked by plain HTTP. Another one that is has no cookie: whoever listens on the way
        would have it as well.
        """
        parts = urlsplit(origin)
        if parts.scheme == "https":
            return cls(f"__Host-cheeseshop-{kind}", secure=True)
        return cls(f"cheeseshop-{kind}", secure=False) if parts.hostname in _LOOPBACK else None

    def header(self, value: str, *, seconds: int | None = None) -> tuple[str, str]:
        """The header that makes a browser keep a value.

        Args:
            value: letters, digits, ``-`` and ``_``.
            seconds: how long it does; until it is closed, where that is not said.

        Raises:
            ValueError: a value no cookie of ours can have.
        """
        if not _VALUE.fullmatch(value):
            raise ValueError("a cookie of ours has letters, digits, - and _")
        return "Set-Cookie", self._said(value, seconds)

    def forget(self) -> tuple[str, str]:
        """The header that makes a browser forget it."""
        return "Set-Cookie", self._said("", 0)

    def _said(self, value: str, seconds: int | None) -> str:
        parts = [f"{self.name}={value}", "Path=/"]
        if seconds is not None:
            parts.append(f"Max-Age={seconds}")
        return "; ".join((*parts, *(["Secure"] if self.secure else []), "HttpOnly", "SameSite=Lax"))

    def read(self, request: Any) -> str | None:
        """Its value in a request; ``None`` where there is none, or nothing that can be relied upon.

        Of two cookies by this name one was put there by somebody else, so neither counts. What else the
        header says is none of our business, but a header that is too long, or there twice, says nothing.
        """
        given = request.requestHeaders.getRawHeaders(b"cookie") or []
        if len(given) != 1 or len(given[0]) > MAX_HEADER or given[0].count(b";") >= MAX_PAIRS:
            return None
        pairs = [pair.partition("=") for pair in given[0].decode("latin-1").split(";")]
        values = [value.strip(" \t") for name, _, value in pairs if name.strip(" \t") == self.name]
        return values[0] if len(values) == 1 and _VALUE.fullmatch(values[0]) else None
