"""Clients that stop in the middle of an upload leave nothing behind, however they go."""

from __future__ import annotations

import socket
import struct

import pytest

from tests.support.invariants import check
from tests.support.rig import Victim, upload, wait_for

SIZE = 400_000
AT_ONCE = struct.pack("ii", 1, 0)
"""Linger no second: the connection is reset, as when the client's machine goes away."""

SOME = [0.0, 0.001, 0.01, 0.3, 0.5, 0.8, 0.99, 1.0]
EVERY = [percent / 100 for percent in range(101)]


@pytest.mark.parametrize("resets", [False, True], ids=["closes", "resets"])
@pytest.mark.parametrize("parts", [SOME, pytest.param(EVERY, marks=pytest.mark.long)], ids=["some", "every"])
async def test_client_stops_in_the_middle(survivor: Victim, parts: list[float], resets: bool) -> None:
    """No temporary file, no row and no used-up filename comes of an upload that was not sent whole."""
    wanted = upload(size=SIZE)
    request = survivor.request(wanted)
    for part in parts:
        with survivor.connect() as connection:
            # All but the last byte at most: what was sent whole may well be published.
            connection.sendall(request[: min(int(part * len(request)), len(request) - 1)])
            if resets:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    assert wait_for(lambda: survivor.temporaries == [])
    assert survivor.sql("SELECT * FROM filenames WHERE filename = %s", wanted.filename) == []
    assert survivor.sql("SELECT * FROM projects WHERE normalized = %s", wanted.project) == []
    assert survivor.publish(wanted).status == 200
    await check(survivor)


async def test_many_clients_stop_while_they_are_being_served(survivor: Victim) -> None:
    """The temporary files they were filling go with their connections."""
    request = survivor.request(upload(size=SIZE))
    connections = [survivor.connect() for _ in range(10)]
    for number, connection in enumerate(connections):
        connection.sendall(request[: len(request) * (number + 5) // 20])
    assert wait_for(lambda: len(survivor.temporaries) == len(connections))
    for connection in connections:
        connection.close()
    assert wait_for(lambda: survivor.temporaries == [])
    await check(survivor)
