"""The bounds of a connection, in one value."""

from __future__ import annotations

from attrs import frozen

MOST_CONNECTIONS = 16_384
"""Connections of one process at most, if nobody says otherwise."""

RESERVED = 512
"""Descriptors kept for all else: files (256 stay open for a moment), database, Redis, whom we turn away."""


@frozen(kw_only=True)
class Limits:
    """How much, how long, how slowly and how often a client may.

    Attributes:
        header_seconds: from the first byte of a request (the first time: from connecting) to its last header.
        idle_seconds: between an answer and the next request.
        body_grace: seconds before a body must flow at ``body_rate``.
        body_stall: seconds a body that flowed faster before may rest.
        body_rate: bytes per second a body must bring on average.
        write_stall: seconds within which a client must take ``body_rate`` × that many bytes of an answer.
        linger_seconds: how long the rest of an unread body is thrown away after its answer.
        linger_bytes: and how much of it at most; 1.1 × the largest upload lets every client see its answer.
        refusal_seconds: how long a connection lingers after a request that could not be understood.
        drain: bytes of an unread body that are read away to keep the connection.
        ahead: bytes of a body that are kept before its reader takes them.
        request_line: bytes of the request line.
        header_block: bytes of all header lines (and of all trailer lines) together.
        headers: header lines.
        connections: open at once, in all.
        connections_per_address: open at once from one IPv4 address or IPv6 /64 network.
    """

    header_seconds: float = 10
    idle_seconds: float = 75
    body_grace: float = 10
    body_stall: float = 30
    body_rate: int = 1024
    write_stall: float = 60
    linger_seconds: float = 30
    linger_bytes: int = 110 << 20
    refusal_seconds: float = 2
    drain: int = 1 << 16
    ahead: int = 1 << 18
    request_line: int = 8192
    header_block: int = 16384
    headers: int = 100
    connections: int = 2000
    connections_per_address: int = 100


def connections_within(descriptors: int, wanted: int = 0) -> int:
    """How many connections a process can hold, and still open files and ask the database.

    Args:
        descriptors: it may have open.
        wanted: by the operator; 0 for as many as possible.
    """
    room = descriptors - min(RESERVED, descriptors // 2)
    return max(1, min(wanted or MOST_CONNECTIONS, room))
