"""Who is asking: believed from trusted proxies only, and forwarding headers reach no route."""

from __future__ import annotations

import pytest
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from pypi.http.caller import HEARSAY, Caller, Callers, Networks, address_of
from pypi.http.request import Request
from tests.http.memory import reply, serve
from tests.http.probes import H

PROXY = IPv4Address("TCP", "10.0.0.1", 40000)
CALLERS = Callers(Networks.of(["10.0.0.0/8", "::1/128"]))


def identify(peer: IAddress, *lines: tuple[str, str]) -> Caller:
    """The caller of a plain-HTTP request with these headers."""
    fields: dict[bytes, list[bytes]] = {}
    for name, value in lines:
        assert name.lower().encode() in HEARSAY
        fields.setdefault(name.lower().encode(), []).append(value.encode())
    return CALLERS.identify(address_of(peer), "http", fields)


def test_direct() -> None:
    """Without a proxy the caller is the other end of the connection."""
    assert identify(IPv4Address("TCP", "203.0.113.7", 1)) == Caller("203.0.113.7", "http")
    assert identify(IPv6Address("TCP", "::ffff:203.0.113.7", 1)) == Caller("203.0.113.7", "http")
    assert identify(UNIXAddress("/run/x")) == Caller("local", "http")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Forwarded-For", "192.0.2.9"),
        ("X-Forwarded-Proto", "https"),
        ("Forwarded", "for=192.0.2.9;proto=https"),
        ("X-Forwarded-Host", "evil.example"),
        ("X-Real-IP", "192.0.2.9"),
        ("X-Original-URL", "/admin"),
        ("X-HTTP-Method-Override", "DELETE"),
    ],
)
def test_hearsay_of_strangers(name: str, value: str) -> None:
    """Headers of who is no trusted proxy change nothing; all of them are hidden from routes."""
    assert identify(IPv4Address("TCP", "203.0.113.7", 1), (name, value)) == Caller("203.0.113.7", "http")


@pytest.mark.parametrize(
    ("forwarded_for", "address"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("6.6.6.6, 192.0.2.9", "192.0.2.9"),
        ("6.6.6.6, 192.0.2.9, 10.9.9.9", "192.0.2.9"),
        ("6.6.6.6, 10.9.9.9", "6.6.6.6"),
        ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("192.0.2.9:1234", "192.0.2.9"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("[2001:db8::1]:1234", "2001:db8::1"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("6.6.6.6, unknown", "10.0.0.1"),
        ("6.6.6.6, <script>", "10.0.0.1"),
        ("6.6.6.6, 10.1.1.1, evil", "10.0.0.1"),
        ("", "10.0.0.1"),
        (" , ,", "10.0.0.1"),
    ],
)
def test_walk_from_the_right(forwarded_for: str, address: str) -> None:
    """The caller is the last address that is no trusted proxy; nothing behind a strange one is believed."""
    assert identify(PROXY, ("X-Forwarded-For", forwarded_for)).address == address


def test_several_lines_are_one_list() -> None:
    """Repeated headers are read in their order."""
    lines = [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "192.0.2.9")]
    assert identify(PROXY, *lines).address == "192.0.2.9"


@pytest.mark.parametrize(
    ("proto", "scheme"),
    [("https", "https"), ("HTTPS", "https"), ("http, https", "https"), ("javascript", "http")],
)
def test_scheme(proto: str, scheme: str) -> None:
    """The nearest proxy says what the caller spoke."""
    assert identify(PROXY, ("X-Forwarded-Proto", proto)).scheme == scheme


@pytest.mark.parametrize(
    ("forwarded", "caller"),
    [
        ("for=192.0.2.9;proto=https", Caller("192.0.2.9", "https")),
        ('For="[2001:db8::1]:4711"; Proto=HTTPS', Caller("2001:db8::1", "https")),
        ("for=6.6.6.6, for=192.0.2.9", Caller("192.0.2.9", "http")),
        ("for=_hidden, for=10.2.2.2;by=10.1.1.1", Caller("10.2.2.2", "http")),
        ("proto=https", Caller("10.0.0.1", "https")),
        ('for="', Caller("10.0.0.1", "http")),
    ],
)
def test_forwarded(forwarded: str, caller: Caller) -> None:
    """The standard header is read as well."""
    assert identify(PROXY, ("Forwarded", forwarded)) == caller


def test_forwarded_does_not_count_beside_x_forwarded() -> None:
    """A proxy that sets one header and passes the other on unseen cannot be lied to."""
    lines = [("X-Forwarded-For", "192.0.2.9"), ("Forwarded", "for=6.6.6.6;proto=https")]
    assert identify(PROXY, *lines) == Caller("192.0.2.9", "http")
    lines = [("X-Forwarded-Proto", "https"), ("Forwarded", "for=6.6.6.6")]
    assert identify(PROXY, *lines) == Caller("10.0.0.1", "https")


def test_unix_sockets_are_trusted() -> None:
    """Only a proxy on the same machine can reach a UNIX socket."""
    assert identify(UNIXAddress("/run/x"), ("X-Forwarded-For", "192.0.2.9")).address == "192.0.2.9"


def test_networks() -> None:
    """Networks hold addresses of their family, and a wrong one is refused."""
    assert "10.1.2.3" in Networks.of(["10.0.0.0/8"])
    assert "11.1.2.3" not in Networks.of(["10.0.0.0/8"])
    assert "::1" not in Networks.of(["0.0.0.0/0"])
    assert "nonsense" not in Networks.of(["0.0.0.0/0"])
    with pytest.raises(ValueError, match="does not appear"):
        Networks.of(["10.0.0.0.0/8"])


def test_address_of_ipv6_is_canonical() -> None:
    """One address has one spelling, so that counting by address cannot be evaded."""
    assert address_of(IPv6Address("TCP", "2001:DB8:0:0::1", 1)) == "2001:db8::1"


def test_routes_see_no_hearsay() -> None:
    """A handler finds the caller in ``request.caller``, and no trace of the headers."""
    seen: list[Request] = []

    async def handler(request: Request) -> None:
        seen.append(request)
        reply(request)

    made = serve(handler, trusted=("10.0.0.0/8",))
    sent = b"GET / HTTP/1.1\r\n" + H + b"X-Forwarded-For: 192.0.2.9\r\nX-Forwarded-Proto: https\r\n"
    sent += b"x-forwarded-host: evil.example\r\n\r\n"
    made.connect("10.1.1.1").send(sent)
    made.connect("203.0.113.7").send(sent)
    assert [request.caller for request in seen] == [
        Caller("192.0.2.9", "https"),
        Caller("203.0.113.7", "http"),
    ]
    assert [request.isSecure() for request in seen] == [True, False]
    assert all([name for name, _ in r.requestHeaders.getAllRawHeaders()] == [b"Host"] for r in seen)
