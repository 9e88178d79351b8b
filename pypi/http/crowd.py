"""How many connections are open, and from where."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from ipaddress import IPv6Address, IPv6Network, ip_address

from pypi.http.caller import LOCAL, Networks
from pypi.http.limits import Limits

# Connections beyond the limit that may be told so; those beyond these are only closed.
_TOLD = 100


class Admission(Enum):
    """What becomes of a new connection."""

    WELCOME = "served"
    TOO_MANY = "answered 503 and closed"
    TURNED_AWAY = "closed without a word"


class Crowd:
    """Counts connections against the limits in all and per address.

    Args:
        limits: the bounds.
        uncounted: networks whose addresses have no bound of their own: loopback, trusted proxies.
    """

    def __init__(self, limits: Limits, uncounted: Networks) -> None:
        self._limits = limits
        self._uncounted = uncounted
        self._places: Counter[str] = Counter()
        self.open = 0

    def __repr__(self) -> str:
        return f"<Crowd {self.open} connections from {len(self._places)} places>"

    def enter(self, address: str) -> Admission:
        """Count a new connection; every one that enters must ``leave``."""
        place = self._place(address)
        self.open += 1
        self._places[place] += 1
        if self.open > self._limits.connections + _TOLD:
            return Admission.TURNED_AWAY
        if self.open > self._limits.connections:
            return Admission.TOO_MANY
        excess = self._places[place] - self._limits.connections_per_address
        if excess <= 0 or address in self._uncounted:
            return Admission.WELCOME
        return Admission.TOO_MANY if excess <= _TOLD else Admission.TURNED_AWAY

    def leave(self, address: str) -> None:
        """Count a connection that has closed."""
        place = self._place(address)
        self.open -= 1
        self._places[place] -= 1
        if not self._places[place]:
            del self._places[place]

    @staticmethod
    def _place(address: str) -> str:
        """The unit that is bounded: one IPv4 address, or the /64 that one IPv6 customer has at least."""
        if address == LOCAL:
            return address
        parsed = ip_address(address)
        if isinstance(parsed, IPv6Address):
            return str(IPv6Network((int(parsed), 64), strict=False))
        return address
