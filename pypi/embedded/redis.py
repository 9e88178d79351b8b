"""The embedded Redis: a cache in memory, reached through a private socket; it keeps nothing on disk."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from signal import SIGKILL, SIGTERM
from socket import AF_UNIX, socket
from subprocess import Popen
from typing import ClassVar

from attrs import define, field

from pypi.embedded import processes, wheels
from pypi.embedded.folders import clear
from pypi.embedded.identity import Identity
from pypi.embedded.server import Server

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "protected-mode": "yes",
    "save": "",
    "appendonly": "no",
    "maxmemory-policy": "allkeys-lru",
    "daemonize": "no",
    "loglevel": "notice",
    "logfile": "",
}

ANSWER_WAIT = 2.0
"""Seconds a running server may take to answer before it is replaced."""


@define(eq=False)
class Redis(Server):
    """Redis that forgets what was not used for longest when its memory is full.

    `start` returns ``unix://<path of the socket>``: an absolute path of letters, digits and ``/._-``, so that
    nothing in it is ever quoted.

    Attributes:
        memory: bytes it may hold.
    """

    title: ClassVar[str] = "Redis"
    program: ClassVar[str] = "redis-server"
    socket_name: ClassVar[str] = "redis.sock"

    memory: int = field(default=256 << 20, kw_only=True)

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def _workplace(self) -> Path:
        return self.folder

    def _find(self) -> int:
        pids = processes.working_in(self._workplace, self.program)
        if len(pids) == 1 and processes.wait_until(self._is_ready, ANSWER_WAIT, self._stopping):
            return pids[0]
        self._refuse_when_stopping()
        self._end_all((SIGKILL, 1.0))
        return 0

    def _prepare(self) -> None:
        """Nothing: it needs no files."""

    def _launch(self, lock: int) -> Popen[bytes]:
        clear(self._sockets)
        settings = SETTINGS | {"unixsocket": str(self._socket), "maxmemory": str(self.memory)}
        return processes.launch(
            [
                wheels.redis_server(),
                *(word for name, value in settings.items() for word in (f"--{name}", value)),
            ],
            identity=Identity(),
            folder=self._workplace,
            log=self._log,
            lock=lock,
        )

    def _check_installed(self) -> None:
        wheels.redis_server()

    def _settle(self) -> None:
        """Nothing: clients find it empty."""

    def _is_ready(self) -> bool:
        try:
            with closing(socket(AF_UNIX)) as client:
                client.settimeout(1)
                client.connect(str(self._socket))
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    def _end(self) -> None:
        self._end_all((SIGTERM, 2.0), (SIGKILL, 0.5))
