"""Waiting until every worker of this machine shows a change."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from pathlib import Path

from pypi.config import Config
from pypi.process.picture import folder_of

PATIENCE = 2.0
"""Seconds the workers of this machine have to hear of it."""

QUESTION = b"GET /health/serial HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"


def is_shown(config: Config, serial: int | None) -> bool:
    """Wait until every worker of this machine shows a change; whether they do.

    Args:
        serial: of the change; ``None`` where there was none.
    """
    if serial is None:
        return True
    ends = time.monotonic() + PATIENCE
    behind = list(folder_of(config.service.data).glob("worker-*.sock"))
    while behind and time.monotonic() < ends:
        behind = [path for path in behind if 0 <= _serial(path) < serial]
        if behind:
            time.sleep(0.01)
    return not behind


def _serial(path: Path) -> int:
    """The last change a worker has heard of; -1 for one that is not there."""
    with suppress(OSError, ValueError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(str(path))
        connection.sendall(QUESTION)
        with connection.makefile("rb") as answer:
            return int(answer.read(64 << 10).rpartition(b"\r\n\r\n")[2])
    return -1
