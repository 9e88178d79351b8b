"""Saying how often somebody may ask: who counts as one caller, and the headers of it.

Source: draft-ietf-httpapi-ratelimit-headers-10, in the spelling of the public index.
"""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network

from caching.limiter import Limiter, Verdict

PREFIX = 64
"""Bits of an IPv6 address that are one caller's: the rest it chooses as it likes."""


def client_key(address: str) -> str:
    """What a limit for each client counts by.

    Args:
        address: as ``request.caller`` has it.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, PREFIX), strict=False).network_address)
    return address


def headers(limiter: Limiter, verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """``RateLimit-Policy`` and ``RateLimit``; none where nobody counts, or nobody knows."""
    rate = limiter.rate
    if rate is None or verdict.remaining is None:
        return ()
    wait = verdict.reset_seconds if verdict.allowed else verdict.retry_seconds
    return (
        ("RateLimit-Policy", f'"{limiter.name}";q={rate.amount};w={rate.seconds};pk=:ip:'),
        ("RateLimit", f'"{limiter.name}";r={verdict.remaining};t={wait}'),
    )
