"""Listening sockets: bound, or handed over."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from pypi.config import load
from pypi.process.sockets import Sockets, StartFailed, origin, passed

SHOW = """
import os, sys
from pypi.process.sockets import StartFailed, passed
for number, given in enumerate(map(int, sys.argv[1:]), 3):
    os.dup2(given, number)
os.environ["LISTEN_PID"] = str(os.getpid())
try:
    found = passed(os.environ, os.getpid())
    print({name: one.getsockname()[1] for name, one in found.items()})
except StartFailed as error:
    print(error)
print([name for name in os.environ if name.startswith("LISTEN")])
"""


def shown(*sockets: socket.socket, names: str = "") -> list[str]:
    """What a process says that is started with these sockets as 3, 4, …"""
    numbers = [one.fileno() for one in sockets]
    done = subprocess.run(
        [sys.executable, "-c", SHOW, *map(str, numbers)],
        env=os.environ | {"LISTEN_FDS": str(len(sockets)), "LISTEN_FDNAMES": names},
        pass_fds=numbers,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.splitlines() or [done.stderr]


def out_of_the_way(one: socket.socket) -> socket.socket:
    """The same socket under a number that does not meet those a child gets."""
    with one:
        return socket.socket(fileno=fcntl.fcntl(one.fileno(), fcntl.F_DUPFD_CLOEXEC, 20))


@pytest.fixture
def two() -> Iterator[list[socket.socket]]:
    """Two listening sockets."""
    made = [out_of_the_way(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
    yield made
    for one in made:
        one.close()


def port(listening: socket.socket) -> int:
    """Where it listens."""
    return int(listening.getsockname()[1])


def test_sockets_are_told_by_their_names(two: list[socket.socket]) -> None:
    """The names systemd gives say which is which; its variables are not handed on."""
    first, second = map(port, two)
    assert shown(*two, names="operator:index") == [str({"operator": first, "index": second}), "[]"]


def test_sockets_without_names_come_in_order(two: list[socket.socket]) -> None:
    """The index first, then the operator."""
    first, second = map(port, two)
    assert shown(*two) == [str({"index": first, "operator": second}), "[]"]
    assert shown(two[0], names="cheeseshop.socket") == [str({"index": first}), "[]"]


def test_what_does_not_listen_is_refused(two: list[socket.socket]) -> None:
    """A socket that takes no connections is a mistake in a unit, and is named."""
    with out_of_the_way(socket.socket()) as idle:
        said = shown(two[0], idle)
    assert said[0] == "LISTEN_FDS: descriptor 4 is not a listening stream socket."


def test_sockets_of_another_process() -> None:
    """Variables that speak to another process are not for us."""
    environment = {"LISTEN_PID": "1", "LISTEN_FDS": "2"}
    assert passed(environment, os.getpid()) == {}
    assert environment == {}


def test_an_open_socket_needs_an_origin() -> None:
    """A socket that was passed and is open to other machines does not say what the index is called."""
    config = load(None, environment={})
    named = load(None, environment={}, overrides={"service.origin": "https://packages.example"})
    with socket.create_server(("0.0.0.0", 0)) as listening:
        with pytest.raises(StartFailed, match=r"service\.origin"):
            origin(config, listening)
        assert origin(named, listening) == "https://packages.example"


def test_nothing_stays_open_when_one_address_is_taken() -> None:
    """The index lets go of its port when the operator's is taken."""
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        numbers = {"service.port": port(free), "operator.port": port(taken)}
        free.close()
        config = load(None, environment={}, overrides=numbers)
        with pytest.raises(StartFailed, match=r"operator\.port"):
            Sockets.open(config, {})
        with socket.create_server(("127.0.0.1", numbers["service.port"])):
            pass
