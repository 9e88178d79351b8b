"""The names the index had, and has: which of them a request was sent to."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any

from attrs import frozen

from pypi.http.hosts import Hosts


class Where(Enum):
    """What a name is to us."""

    HERE = "the index of today"
    INDEX = "an index of old"
    FILES = "a host of old for files"
    DOCS = "a host of old for documentation"
    NOWHERE = "somebody else's"


@frozen
class OldHosts:
    """Whom a request was meant for.

    Attributes:
        here: names of today; they go before all others.
        index, files, docs: names of old.
    """

    here: Hosts
    index: Hosts
    files: Hosts
    docs: Hosts

    @classmethod
    def of(
        cls, here: Hosts, *, index: Iterable[str] = (), files: Iterable[str] = (), docs: Iterable[str] = ()
    ) -> OldHosts:
        """Hosts by their names."""
        return cls(here, Hosts.of(index), Hosts.of(files), Hosts.of(docs))

    def where(self, authority: Any) -> Where:
        """What a host is to us; who names none (HTTP/1.0) means us.

        Args:
            authority: a ``pypi.http.hosts.Authority``, or ``None``.
        """
        if authority is None or self.here.admits(authority):
            return Where.HERE
        if self.index.admits(authority):
            return Where.INDEX
        if self.files.admits(authority):
            return Where.FILES
        return Where.DOCS if self.docs.admits(authority) else Where.NOWHERE
