"""Who is asking: address and scheme, from the connection or from a proxy we trust.

Source: RFC 7239 (``Forwarded``); ``X-Forwarded-For`` and ``-Proto`` as proxies commonly send them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from attrs import frozen
from twisted.internet.interfaces import IAddress

LOCAL = "local"
"""The address of callers that come over a UNIX socket."""

HEARSAY = frozenset(
    name.encode()
    for name in (
        "forwarded x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-prefix "
        "x-forwarded-server x-forwarded-scheme x-forwarded-ssl x-forwarded-path x-forwarded-uri x-real-ip "
        "x-client-ip x-cluster-client-ip true-client-ip x-scheme x-url-scheme front-end-https "
        "x-original-url x-original-host x-rewrite-url x-host x-http-host-override x-http-method-override "
        "x-http-method x-method-override"
    ).split()
)
"""Headers that speak of another request than the one received: no route ever sees them."""

_NODE = re.compile(r"\[?([0-9A-Fa-f:.]+?)\]?(?::[0-9]{1,5})?")


@frozen
class Networks:
    """A set of IP networks."""

    blocks: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, blocks: Iterable[str]) -> Networks:
        """Networks as CIDR text (``10.0.0.0/8``, ``::1``).

        Raises:
            ValueError: one of them is no network.
        """
        return cls(tuple(ip_network(block) for block in blocks))

    def __contains__(self, address: str) -> bool:
        """Whether this address lies in one of them; callers over a UNIX socket (``local``) always do."""
        if address == LOCAL:
            return True
        parsed = _ip(address)
        return parsed is not None and any(parsed in block for block in self.blocks)


@frozen
class Caller:
    """Who sent a request.

    Attributes:
        address: IP address in its canonical spelling, or ``local``.
        scheme: ``http`` or ``https``: what the caller itself spoke.
    """

    address: str
    scheme: str


@frozen
class Callers:
    """Tells who is asking, believing only the proxies of ``trusted`` networks."""

    trusted: Networks = Networks()

    def identify(self, address: str, scheme: str, fields: Mapping[bytes, list[bytes]]) -> Caller:
        """The caller of a request.

        Addresses are walked from the right: the first that is no trusted proxy is the caller. ``Forwarded``
        counts only where no ``X-Forwarded-…`` is, for a proxy that sets one passes the other on unseen.

        Args:
            address: of the other end of the connection (``address_of``).
            scheme: ``http`` or ``https``, as the connection was made.
            fields: header values by lower-case name.
        """
        if HEARSAY.isdisjoint(fields) or address not in self.trusted:
            return Caller(address, scheme)
        hops, schemes = _forwarded(fields)
        remaining = list(hops)
        while address in self.trusted and remaining:
            hop = _ip(remaining.pop())
            if hop is None:
                break
            address = str(hop)
        if schemes and schemes[-1] in ("http", "https"):
            scheme = schemes[-1]
        return Caller(address, scheme)


def address_of(peer: IAddress) -> str:
    """The address of a connection's other end, canonical; IPv4 in IPv6 is IPv4; ``local`` without an IP."""
    parsed = _ip(getattr(peer, "host", None) or "")
    return LOCAL if parsed is None else str(parsed)


def _forwarded(fields: Mapping[bytes, list[bytes]]) -> tuple[Sequence[str], Sequence[str]]:
    """Hops (nearest last) and schemes as the proxies report them."""
    hops = _members(fields, b"x-forwarded-for")
    schemes = _members(fields, b"x-forwarded-proto")
    if hops or schemes:
        return hops, [scheme.lower() for scheme in schemes]
    elements = [_pairs(element) for element in _members(fields, b"forwarded")]
    return (
        [element.get("for", "") for element in elements],
        [element.get("proto", "").lower() for element in elements],
    )


def _pairs(element: str) -> dict[str, str]:
    """``for="[2001:db8::1]:4711";proto=https`` as a mapping."""
    pairs = (pair.partition("=") for pair in element.split(";"))
    return {name.strip().lower(): value.strip().strip('"') for name, _, value in pairs}


def _members(fields: Mapping[bytes, list[bytes]], name: bytes) -> list[str]:
    """The members of a comma-separated header, from all its lines."""
    joined = b",".join(fields.get(name, ())).decode("latin-1")
    return [value.strip() for value in joined.split(",") if value.strip()]


def _ip(text: str) -> IPv4Address | IPv6Address | None:
    found = _NODE.fullmatch(text)
    try:
        parsed = ip_address(found.group(1) if found and not _is_bare_ipv6(text) else text)
    except ValueError:
        return None
    return (isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed


def _is_bare_ipv6(text: str) -> bool:
    return text.count(":") > 1 and not text.startswith("[")
