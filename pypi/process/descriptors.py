"""How many files and sockets this process may have open."""

from __future__ import annotations

import resource
from contextlib import suppress

ENOUGH = 65_536
"""Descriptors that one process can make use of; what walks all there could be takes long beyond."""


def raised() -> int:
    """Ask for as many descriptors as the system allows.

    Returns:
        how many there may be now.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(ValueError, OSError):  # some systems have a lower bound that they do not tell
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return ENOUGH if soft == resource.RLIM_INFINITY else soft
