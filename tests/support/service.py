"""The real service in a process of its own, for tests that are its clients."""

from __future__ import annotations

import os
import re
import subprocess
import sysconfig
import time
from collections.abc import Mapping
from pathlib import Path
from signal import SIGINT, SIGKILL
from typing import Any, ClassVar

import psycopg2
import pytest
from attrs import define, field

from pypi.embedded import processes
from pypi.embedded.folders import discard_socket_folder

ROOT = Path(__file__).parent.parent.parent
SCRIPTS = Path(sysconfig.get_path("scripts"))

READY = re.compile(r"^Cheeseshop ready: (http://\S+/)$", re.MULTILINE)
OPERATOR = re.compile(r"Health for the operator: (http://\S+/)health/ready")

START_SECONDS = 180.0
STOP_SECONDS = 30.0
COMMAND_SECONDS = 240.0

PASSWORD = "correct horse battery"

_LEADS_ASTRAY = ("CHEESESHOP_", "FLIT_", "PIP_", "POETRY_", "PYTHON", "TWINE_", "UV_", "VIRTUAL_ENV", "XDG_")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}


def environment(home: Path, **more: str) -> dict[str, str]:
    """This process's environment without what would lead a tool to another index, account or setting.

    Args:
        home: stands in for the home folder, where tools keep such things too.
        more: further variables.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_LEADS_ASTRAY) and name.lower() not in _PROXIES
    }
    own = {
        "HOME": str(home),
        "PIP_CONFIG_FILE": os.devnull,
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",
        "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
        "UV_NO_CONFIG": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "COLUMNS": "500",
        "NO_COLOR": "1",
    }
    return kept | own | more


def run(
    command: list[str | Path],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    given: str | None = None,
    status: int | None = 0,
    seconds: float = COMMAND_SECONDS,
) -> subprocess.CompletedProcess[str]:
    """Run a client to its end.

    Args:
        command: program and arguments.
        cwd: where it runs; nothing of ours should be importable from there.
        environment: all of it.
        given: what it reads from standard input; nothing by default.
        status: the exit status it has to have; ``None`` for any.
        seconds: how long it may take.
    """
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environment,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    if status is not None:
        said = f"{' '.join(map(str, command))}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == status, f"exit status {done.returncode}, not {status}: {said}"
    return done


def servers_of(data: Path) -> list[int]:
    """The ids of the PostgreSQL and Redis processes that work in a data folder."""
    home = data.resolve()
    return [
        *processes.working_in(home / "postgres" / "cluster", "postgres"),
        *processes.working_in(home / "redis", "redis-server"),
    ]


def end_servers(data: Path) -> None:
    """End the servers of a data folder, whatever a test has left behind."""
    processes.end(lambda: servers_of(data), [(SIGKILL, 5)])
    for home in (data / "postgres", data / "redis"):
        if home.exists():
            discard_socket_folder(home)


def postmaster(data: Path) -> int:
    """The id of the first PostgreSQL process of a data folder, by its own file."""
    return int((data / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[0])


@define(eq=False)
class Service:
    """``cheeseshop serve`` on a data folder of its own; also the place to run other commands on that folder.

    Attributes:
        folder: the working folder; data, home, logs lie in it.
        settings: configuration by environment variables, without their prefix: ``UPLOADS_ZIP_SDISTS``.
        port: TCP port; 0 takes a free one.
        scripts: where the program ``cheeseshop`` is.
        patience: seconds a start may take.
        stopped: the exit status after Ctrl-C.
    """

    stopped: ClassVar[int] = 0
    folder: Path
    settings: Mapping[str, str] = field(factory=dict)
    port: int = 0
    scripts: Path = SCRIPTS
    patience: float = START_SECONDS
    process: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)
    _token: str = field(default="", init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def home(self) -> Path:
        """An empty home folder for the service and its clients."""
        return self.folder / "home"

    @property
    def log(self) -> Path:
        """What the service wrote to stderr: its log, unless twistd runs it."""
        return self.folder / "service.log"

    @property
    def said(self) -> Path:
        """What the service wrote to stdout."""
        return self.folder / "service.out"

    @property
    def pid(self) -> int:
        """The id of the service's process, once started."""
        assert self.process is not None
        return self.process.pid

    @property
    def url(self) -> str:
        """Where the index answers, with a slash at its end."""
        return str(READY.findall(self.said.read_text())[-1])

    @property
    def operator_url(self) -> str:
        """Where the operator's listener answers, with a slash at its end."""
        return str(OPERATOR.findall(self.log.read_text() + self.said.read_text())[-1])

    @property
    def simple(self) -> str:
        """The index URL installers are given."""
        return f"{self.url}simple/"

    @property
    def legacy(self) -> str:
        """The URL uploads go to."""
        return f"{self.url}legacy/"

    @property
    def token(self) -> str:
        """An API token of the account ``ada``, who is made for it."""
        if not self._token:
            self.add_user("ada")
            self._token = self.cheeseshop("token", "create", "ada").stdout.strip()
        return self._token

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of the service and its commands."""
        own = {
            "CHEESESHOP_OPERATOR_PORT": "0",
            "CHEESESHOP_SERVICE_DATA": str(self.data),
            **{f"CHEESESHOP_{key}": value for key, value in self.settings.items()},
        }
        return environment(self.home, **(own | more))

    def command(self) -> list[str | Path]:
        """The command that serves."""
        return [self.scripts / "cheeseshop", "serve", "--port", str(self.port), "--data", self.data]

    def start(self) -> Service:
        """Start it, and wait until it says that it is ready.

        Returns:
            itself.
        """
        with self.said.open("wb") as out, self.log.open("ab") as log:
            self.process = process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + self.patience
        while not READY.search(self.said.read_text()):
            if process.poll() is not None:
                pytest.fail(f"The service ended with {process.returncode}:\n{self.log.read_text()}")
            if time.monotonic() > deadline:
                self.end()
                pytest.fail(f"The service was not ready in {self.patience:g} s:\n{self.log.read_text()}")
            time.sleep(0.02)
        return self

    def stop(self) -> None:
        """Stop it as Ctrl-C does; fails unless it and its servers are gone within the promised time."""
        assert self.process is not None
        self.process.send_signal(SIGINT)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.end()
            pytest.fail(f"The service did not stop in {STOP_SECONDS:g} s:\n{self.log.read_text()}")
        left = servers_of(self.data)
        end_servers(self.data)
        assert status == self.stopped
        assert left == []

    def kill(self) -> None:
        """Kill it outright; its servers go on."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def end(self) -> None:
        """Leave nothing running, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.pid, SIGKILL)
            self.process.wait(10)
        end_servers(self.data)

    def cheeseshop(
        self, *arguments: str | Path, given: str | None = None, status: int | None = 0, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run another command of the command line on this data folder."""
        return run(
            [self.scripts / "cheeseshop", *arguments],
            cwd=self.folder,
            environment=self.environment(**more),
            given=given,
            status=status,
        )

    def add_user(self, name: str) -> None:
        """Make an account with ``PASSWORD``."""
        self.cheeseshop(
            "user", "add", name, "--email", f"{name}@example.com", "--password-stdin", given=f"{PASSWORD}\n"
        )

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement in the embedded database, which has to be running; committed."""
        sockets = (self.data / "postgres" / "run").resolve()
        connection = psycopg2.connect(host=str(sockets), user="cheeseshop", dbname="cheeseshop")
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(text, values)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
