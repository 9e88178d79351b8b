"""What is said of limits, and whom they count as one."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from caching.limiter import UNKNOWN, Limiter, Verdict
from caching.rate import Rate
from caching.redis import Redis
from pypi.http.rate_limit import client_key, headers


def limiter(rate: Rate | None) -> Limiter:
    clock = Clock()
    return Limiter("xmlrpc.client", rate, Redis("unix:///nowhere", clock), clock.seconds)


def test_headers() -> None:
    """The policy and what is left of it, in the form of the draft."""
    said = headers(limiter(Rate(3600, 3600)), Verdict(True, 3599, 1))
    assert dict(said) == {
        "RateLimit-Policy": '"xmlrpc.client";q=3600;w=3600;pk=:ip:',
        "RateLimit": '"xmlrpc.client";r=3599;t=1',
    }


def test_headers_of_a_refusal() -> None:
    """Who is refused is told when to ask again."""
    said = headers(limiter(Rate(2, 60)), Verdict(False, 0, 60, 30))
    assert dict(said)["RateLimit"] == '"xmlrpc.client";r=0;t=30'


def test_nothing_to_say() -> None:
    """Where nobody counts, or nobody knows, nothing is said."""
    assert headers(limiter(None), Verdict(True)) == ()
    assert headers(limiter(Rate(2, 60)), UNKNOWN) == ()


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::"),
        ("::1", "::"),
        ("local", "local"),
    ],
)
def test_who_is_one_caller(address: str, key: str) -> None:
    """An address of IPv4, a network of 64 bits of IPv6, or everybody on this machine's socket."""
    assert client_key(address) == key
