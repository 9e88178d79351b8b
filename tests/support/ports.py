"""Ports for servers that have to be told one before they listen."""

from __future__ import annotations

from pathlib import Path
from random import SystemRandom
from socket import socket

HERE = "127.0.0.1"

LOWEST = 15_000

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_port() -> int:
    """A port that nobody has.

    It is none of those that the system gives to whoever asks for any, nor to clients for their own end: such
    a one may be somebody else's by the time the server listens.
    """
    below = int(RANGE.read_text().split()[0]) if RANGE.exists() else 32_768
    while True:
        port = SystemRandom().randrange(LOWEST, max(below, LOWEST + 1000))
        with socket() as tried:
            if _is_free(tried, port):
                return port


def _is_free(tried: socket, port: int) -> bool:
    try:
        tried.bind((HERE, port))
    except OSError:
        return False
    return True
