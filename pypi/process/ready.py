"""What a service says once it serves."""

from __future__ import annotations

import sys

from twisted.logger import Logger

log = Logger()


def announce(origin: str, operator: str) -> None:
    """Say where it is, in the log and, for whoever waits for it, on the true stdout.

    Args:
        origin: URL of the index, without a slash at its end.
        operator: ``host:port`` of the operator's listener.
    """
    log.info("The index: {index}", index=f"{origin}/")
    log.info("Health for the operator: {health}", health=f"http://{operator}/health/ready")
    # Under twistd sys.stdout is the log.
    print(f"Cheeseshop ready: {origin}/", file=sys.__stdout__, flush=True)
