"""Listening sockets: bound once, or handed over by systemd, and shared by all workers.

Source: sd_listen_fds(3).
"""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any

from attrs import frozen

from pypi.config import Config

BACKLOG = 1024
FIRST_PASSED = 3
"""The number of the first descriptor systemd passes."""

NAMES = ("index", "operator")


class StartFailed(Exception):
    """The service cannot start; ``str()`` is for the operator."""


@frozen
class Sockets:
    """What the service listens on.

    Attributes:
        index: for everybody.
        operator: for the operator alone.
    """

    index: socket.socket
    operator: socket.socket

    @classmethod
    def open(cls, config: Config, passed: Mapping[str, socket.socket]) -> Sockets:
        """Take those that were passed, and bind the others.

        Raises:
            StartFailed: an address is taken or is not ours; names the configuration key.
        """
        service, operator = config.service, config.operator
        index = passed.get("index") or bind(service.interface, service.port, "service.port")
        try:
            other = passed.get("operator") or bind(operator.interface, operator.port, "operator.port")
        except StartFailed:
            index.close()
            raise
        return cls(index, other)

    def close(self) -> None:
        """Let go of them; whoever else holds them goes on listening."""
        self.index.close()
        self.operator.close()


def bind(interface: str, port: int, key: str) -> socket.socket:
    """A listening TCP socket.

    Raises:
        StartFailed: the address is taken or is not ours; names the configuration key.
    """
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    try:
        listening = socket.create_server((interface, port), family=family, backlog=BACKLOG)
    except OSError as error:
        # create_server repeats the address in the system's text; a name that is not known has another text.
        reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
        raise StartFailed(f"{key}: cannot listen on {interface}:{port}: {reason}.") from None
    listening.setblocking(False)
    return listening


def passed(environment: MutableMapping[str, str], pid: int) -> dict[str, socket.socket]:
    """The sockets systemd passes to this process; its variables are removed, so that no child takes them.

    Returns:
        ``index`` and ``operator``, by ``LISTEN_FDNAMES`` or else in that order, as far as they were passed.

    Raises:
        StartFailed: what was passed is no listening stream socket, or too much.
    """
    listen_pid, count, names = (
        environment.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    )
    if listen_pid != str(pid) or not count.isdecimal():
        return {}
    if int(count) > len(NAMES):
        raise StartFailed(f"LISTEN_FDS: {count} sockets were passed; index and operator are all there are.")
    found = [_adopted(FIRST_PASSED + place) for place in range(int(count))]
    given = names.split(":")
    if set(given) <= set(NAMES) and len(set(given)) == len(found):
        return dict(zip(given, found, strict=True))
    return dict(zip(NAMES, found, strict=False))


def _adopted(descriptor: int) -> socket.socket:
    try:
        os.set_inheritable(descriptor, False)
        listening = socket.socket(fileno=descriptor)
        is_listening = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError:
        is_listening = 0
    if not is_listening or listening.type != socket.SOCK_STREAM:
        raise StartFailed(f"LISTEN_FDS: descriptor {descriptor} is not a listening stream socket.")
    listening.setblocking(False)
    return listening


def address(listening: socket.socket) -> str:
    """``host:port`` as in a URL; ``localhost`` for a socket in the file system."""
    if listening.family == socket.AF_UNIX:
        return "localhost"
    host, port = listening.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def origin(config: Config, listening: socket.socket) -> str:
    """The URL under which clients know the index, without a slash at its end.

    Raises:
        StartFailed: only its operator can know it: the socket that was passed is open to other machines.
    """
    if config.service.origin:
        return config.service.origin
    if listening.family == socket.AF_UNIX or not _is_loopback(listening):
        raise StartFailed(
            "service.origin: an index that listens beyond loopback needs to know its URL, and this one "
            f"listens on {listening.getsockname()!r}."
        )
    return f"http://{_named(config.service.interface, listening)}"


def _is_loopback(listening: socket.socket) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(listening.getsockname()[0].partition("%")[0]).is_loopback
    return False


def _named(interface: str, listening: socket.socket) -> str:
    """The address as the configuration writes it: ``localhost`` stays ``localhost``."""
    if interface == "localhost":
        return f"localhost:{listening.getsockname()[1]}"
    return address(listening)


def listen(reactor: Any, listening: socket.socket, factory: Any) -> Any:
    """Accept connections on a socket.

    Returns:
        the port; its ``stopListening`` leaves the socket to all others that hold it.
    """
    # Imported here: a supervisor only binds.
    from caching.transport import EagerPort

    if listening.family == socket.AF_UNIX:
        return reactor.adoptStreamPort(listening.fileno(), listening.family, factory)
    return EagerPort.adopt(reactor, listening.fileno(), listening.family, factory)
