"""Which host names are ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pypi.http.hosts import Authority, Hosts, parse_authority
from pypi.http.rejected import Rejected

OURS = Hosts.of(["Index.Example", "files.example:8443", "[2001:DB8::0:1]", "192.0.2.1:8080"])


@pytest.mark.parametrize(
    "host",
    [
        b"index.example",
        b"INDEX.example.",
        b"index.example:80",
        b"index.example:443",
        b"index.example:",
        b"index.example:00443",
        b"files.example:8443",
        b"[2001:db8::1]",
        b"[2001:db8:0:0:0:0:0:1]:443",
        b"192.0.2.1:8080",
    ],
)
def test_ours(host: bytes) -> None:
    """Case, a final dot, default ports and the spelling of an IPv6 address do not matter."""
    assert OURS.admits(parse_authority(host))


@pytest.mark.parametrize(
    "host",
    [
        b"index.example:8080",
        b"files.example",
        b"files.example:443",
        b"xindex.example",
        b"index.example.evil.example",
        b"www.index.example",
        b"[2001:db8::2]",
        b"192.0.2.1",
        b"localhost",
        b"127.0.0.1",
        b"%69ndex.example",
    ],
)
def test_not_ours(host: bytes) -> None:
    """Everything else is somebody else's."""
    assert not OURS.admits(parse_authority(host))


@pytest.mark.parametrize(
    "host", [b"", b".", b"..", b"index.example..", b"a:0", b"a:65536", b"[::1", b"[1.2]"]
)
def test_no_hosts(host: bytes) -> None:
    """What no host can be called is refused, a second final dot among it."""
    with pytest.raises(Rejected) as refusal:
        parse_authority(host)
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    "host", [b"localhost", b"localhost:1", b"127.0.0.1:8080", b"127.9.9.9", b"[::1]:8080"]
)
def test_loopback(host: bytes) -> None:
    """Loopback names are ours on any port, where that is switched on."""
    assert Hosts.of([], loopback=True).admits(parse_authority(host))
    assert not Hosts.of([]).admits(parse_authority(host))


@pytest.mark.parametrize(
    "host", [b"localhost.evil.example", b"127.0.0.1.evil.example", b"128.0.0.1", b"[::2]"]
)
def test_not_loopback(host: bytes) -> None:
    """Names that only look like loopback are not ours."""
    assert not Hosts.of([], loopback=True).admits(parse_authority(host))


@pytest.mark.parametrize("name", ["", "http://index.example", "a b", "index.example:x", "index.example/"])
def test_configured_names_are_checked(name: str) -> None:
    """A configured name that is none is refused at once, by name."""
    with pytest.raises(ValueError, match="is not a host name"):
        Hosts.of([name])


def test_authority_as_text() -> None:
    """An authority reads as it would stand in a URL."""
    assert str(parse_authority(b"Index.Example.:080")) == "index.example:80"
    assert str(Authority("index.example")) == "index.example"


@given(st.binary(max_size=40))
def test_any_bytes(value: bytes) -> None:
    """Any bytes are an authority or are rejected with 400."""
    try:
        authority = parse_authority(value)
    except Rejected as rejected:
        assert rejected.status == 400  # noqa: PT017
    else:
        assert parse_authority(str(authority).encode()) == authority
