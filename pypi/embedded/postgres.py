"""The embedded PostgreSQL: a cluster under the data folder, reached through a private socket."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGQUIT
from socket import AF_UNIX, socket
from subprocess import Popen
from typing import ClassVar
from urllib.parse import quote

import psycopg2
from attrs import define, field

from pypi.embedded import cluster, processes, wheels
from pypi.embedded.folders import clear
from pypi.embedded.identity import Identity, for_postgres
from pypi.embedded.server import Server

NAME = "cheeseshop"
"""Of the database and of the role that owns it."""

SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "off",
    "log_destination": "stderr",
    "log_line_prefix": "%m [%p] ",
}
"""What clients may rely on, given at every start: it stands above ``postgresql.conf`` of the cluster."""

ANSWER_WAIT = 5.0
"""Seconds a server that says it is ready may take to answer."""


@define(eq=False)
class Postgres(Server):
    """PostgreSQL with an empty database ``cheeseshop``, in UTF-8, sorted by code point.

    `start` returns ``postgresql://cheeseshop@/cheeseshop?host=<folder of the socket>&port=5432``, which libpq
    and SQLAlchemy understand. Who may enter the folder of the socket may do anything with the server.
    """

    title: ClassVar[str] = "PostgreSQL"
    program: ClassVar[str] = "postgres"
    socket_name: ClassVar[str] = f".s.PGSQL.{SETTINGS['port']}"

    _programs: Path = field(factory=Path, init=False, repr=False)
    _identity: Identity = field(factory=Identity, init=False, repr=False)

    @property
    def url(self) -> str:
        return self._url_of(NAME)

    @property
    def _workplace(self) -> Path:
        return self.folder / "cluster"

    def _url_of(self, database: str) -> str:
        folder = quote(str(self._sockets), safe="/")
        return f"postgresql://{NAME}@/{database}?host={folder}&port={SETTINGS['port']}"

    def _owner(self) -> int:
        return self._workplace.stat().st_uid if self._workplace.exists() else os.geteuid()

    def _find(self) -> int:
        pid = self._postmaster()
        if not pid:
            return 0
        self._await(
            lambda: self._postmaster() != pid or cluster.status(self._workplace) in ("ready", "stopping")
        )
        if cluster.status(self._workplace) == "ready" and processes.wait_until(self._accepts, ANSWER_WAIT):
            return self._postmaster()
        self._end()
        return 0

    def _prepare(self) -> None:
        self._programs = cluster.programs_for(self._workplace)
        self._identity = for_postgres(self._programs / "postgres", self.folder, self._owner())
        if not self._workplace.exists():
            cluster.create(
                self._workplace,
                programs=self._programs,
                identity=self._identity,
                superuser=NAME,
                log=self._log,
                seconds=self.patience,
                stopping=self._stopping,
            )

    def _launch(self, lock: int) -> Popen[bytes]:
        cluster.forget_postmaster(self._workplace)
        clear(self._sockets)
        self._identity.own(self._workplace)
        self._identity.own(self._sockets)
        settings = SETTINGS | {"unix_socket_directories": str(self._sockets)}
        return processes.launch(
            [
                self._programs / "postgres",
                *("-D", self._workplace),
                *(f"--{name}={value}" for name, value in settings.items()),
            ],
            identity=self._identity,
            folder=self.folder,
            log=self._log,
            lock=lock,
        )

    def _check_installed(self) -> None:
        wheels.postgres_versions()

    def _is_ready(self) -> bool:
        return cluster.status(self._workplace) == "ready" and self._accepts()

    def _settle(self) -> None:
        if not processes.wait_until(self._has_database, ANSWER_WAIT, self._stopping):
            raise self._failed("does not answer")

    def _end(self) -> None:
        postmaster = self._postmaster()
        processes.end(
            lambda: [postmaster] if processes.works_in(postmaster, self._workplace, self.program) else [],
            ((SIGINT, 2.2), (SIGQUIT, 0.6), (SIGKILL, 0.3)),
        )
        self._end_all((SIGQUIT, 0.5), (SIGKILL, 0.3))

    def _postmaster(self) -> int:
        """The process id of the cluster's living postmaster; 0 when there is none."""
        pid = cluster.postmaster(self._workplace)
        return pid if processes.works_in(pid, self._workplace, self.program) else 0

    def _accepts(self) -> bool:
        with closing(socket(AF_UNIX)) as client:
            client.settimeout(1)
            return client.connect_ex(str(self._socket)) == 0

    def _has_database(self) -> bool:
        """Whether clients find their database, which is made when it is missing."""
        try:
            with closing(psycopg2.connect(self._url_of("postgres"), connect_timeout=5)) as connection:
                connection.autocommit = True
                cursor = connection.cursor()
                cursor.execute("SELECT FROM pg_database WHERE datname = %s", (NAME,))
                if not cursor.rowcount:
                    cursor.execute(f"CREATE DATABASE {NAME}")
        except psycopg2.Error:
            return False
        return True
