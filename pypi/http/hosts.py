"""Which names this server answers to; ``Host`` is never believed beyond that.

Source: RFC 9110 section 7.2, RFC 3986 section 3.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv6Address, ip_address

from attrs import field, frozen

from pypi.http.rejected import Rejected

_AUTHORITY = re.compile(
    rb"(\[[0-9A-Fa-f:.]+\]|(?:[0-9A-Za-z._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?"
)
_DEFAULT_PORTS = (None, 80, 443)

MISDIRECTED = "This server does not answer for the host that was asked for."
"""What is said to who asks for a host that is not ours (421)."""


@frozen
class Authority:
    """Host and port as a client names them.

    Attributes:
        host: in lower case, without a final dot; IPv6 compressed, in brackets.
        port: None when it was not said.
    """

    host: str
    port: int | None = None

    def __str__(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"


def parse_authority(value: bytes) -> Authority:
    """Read a ``Host`` header or the authority of an absolute target.

    Raises:
        Rejected: 400, it is not a host with an optional port.
    """
    found = _AUTHORITY.fullmatch(value)
    if found is None:
        raise Rejected(400, "The host of this request is not a valid host name.")
    host = found.group(1).decode("ascii").lower().removesuffix(".")
    port = int(found.group(2)) if found.group(2) else None
    if port is not None and not 0 < port < 65536:
        raise Rejected(400, "The port of this request's host is not a valid port.")
    if host.startswith("["):
        try:
            host = f"[{IPv6Address(host[1:-1]).compressed}]"
        except AddressValueError:
            raise Rejected(400, "The host of this request is not a valid IPv6 address.") from None
    if not host or host.endswith("."):
        raise Rejected(400, "The host of this request is not a valid host name.")
    return Authority(host, port)


@frozen
class Hosts:
    """The names that are ours.

    Attributes:
        allowed: ``host`` (on the default ports) or ``host:port``, in any case, IPv6 in brackets.
        loopback: whether ``localhost``, ``127.0.0.0/8`` and ``[::1]`` are ours too, on any port.
        led_on: whether who reads under another name is heard, to be led to one that is ours.
    """

    allowed: frozenset[str]
    loopback: bool = False
    led_on: bool = False
    _known: frozenset[Authority] = field(init=False, repr=False, eq=False)

    @_known.default
    def _parse(self) -> frozenset[Authority]:
        return frozenset(_with_default_port(_configured(name)) for name in self.allowed)

    @classmethod
    def of(cls, names: Iterable[str], *, loopback: bool = False, led_on: bool = False) -> Hosts:
        """Hosts by their names.

        Raises:
            ValueError: one of them is not a host name.
        """
        return cls(frozenset(names), loopback, led_on)

    def admits(self, authority: Authority) -> bool:
        """Whether a request that names ``authority`` is meant for us."""
        if _with_default_port(authority) in self._known:
            return True
        return self.loopback and _is_loopback(authority.host)


def _configured(name: str) -> Authority:
    try:
        return parse_authority(name.encode())
    except Rejected:
        raise ValueError(f"{name!r} is not a host name with an optional port") from None


def _with_default_port(authority: Authority) -> Authority:
    return Authority(authority.host) if authority.port in _DEFAULT_PORTS else authority


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
