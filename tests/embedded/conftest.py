"""Data folders whose servers are ended with the test, and processes that use them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGKILL
from threading import Event
from typing import Any

import psycopg2
import pytest
from attrs import define

from pypi.embedded import cluster, processes
from pypi.embedded.folders import discard_socket_folder
from pypi.embedded.identity import for_postgres
from pypi.embedded.postgres import NAME

ROOT = Path(__file__).parent.parent.parent
NOBODY = 65534
UNNAMED = 48211
"""A uid that no account of the machine has."""


@pytest.fixture
def new_data(tmp_path: Path) -> Iterator[Path]:
    """A data folder nothing was started in yet."""
    folder = tmp_path / "data"
    yield folder
    end_servers(folder)


@pytest.fixture
def data(new_data: Path, empty_cluster: Path) -> Path:
    """A data folder with a cluster that was never started; a copy, which is cheaper than a new one."""
    shutil.copytree(empty_cluster, new_data / "postgres" / "cluster")
    return new_data


@pytest.fixture(scope="session")
def empty_cluster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What ``initdb`` makes."""
    home = tmp_path_factory.mktemp("cluster")
    made = home / "cluster"
    programs = cluster.programs_for(made)
    cluster.create(
        made,
        programs=programs,
        identity=for_postgres(programs / "postgres", home, os.geteuid()),
        superuser=NAME,
        log=home / "initdb.log",
        seconds=120,
        stopping=Event(),
    )
    return made


def end_servers(data: Path) -> None:
    """End what runs in a data folder, whatever the test did."""
    processes.end(lambda: server_pids(data), [(SIGKILL, 5)])
    for home in (data / "postgres", data / "redis"):
        if home.exists():
            discard_socket_folder(home)


def server_pids(data: Path) -> list[int]:
    """Every process of the servers in a data folder."""
    return [*processes.working_in(data.resolve() / "postgres" / "cluster", "postgres"), *redis_pids(data)]


def redis_pids(data: Path) -> list[int]:
    """Every Redis in a data folder: one, or none."""
    return processes.working_in(data.resolve() / "redis", "redis-server")


def postmaster(data: Path) -> int:
    """What the cluster's own file says is its first process."""
    return int((data / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def ask(url: str, sql: str) -> Any:
    """The first column of the first row, on a new connection; committed."""
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute(sql)
        return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


@define
class User:
    """Another process that uses the servers."""

    process: subprocess.Popen[str]

    def said(self) -> dict[str, Any]:
        """What it says once it started them, or was refused."""
        assert self.process.stdout is not None
        found: dict[str, Any] = json.loads(self.process.stdout.readline())
        return found

    def kill(self) -> None:
        """Kill it outright."""
        self.process.kill()
        self.process.wait(60)

    def leave(self) -> None:
        """Have it stop in order."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(60)


Spawn = Callable[..., User]


@pytest.fixture
def spawn() -> Iterator[Spawn]:
    """Start another process that uses the servers of a data folder, by default as the same user."""
    users: list[User] = []

    def start(data: Path, *, python: str = sys.executable, uid: int | None = None) -> User:
        process = subprocess.Popen(
            [python, "-m", "tests.embedded.user", str(data)],
            cwd="/",
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **account(uid),
        )
        users.append(User(process))
        return users[-1]

    yield start
    for user in users:
        user.kill()
        for pipe in (user.process.stdin, user.process.stdout):
            assert pipe is not None
            pipe.close()


def environment() -> dict[str, str]:
    packages = sysconfig.get_paths()
    paths = [str(ROOT), packages["purelib"], packages["platlib"]]
    return {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}


def account(uid: int | None) -> dict[str, Any]:
    return {} if uid is None else {"user": uid, "group": uid, "extra_groups": []}


def python_for(uid: int) -> str:
    """An interpreter that this other user may run with what is installed here; skips where there is none."""
    if os.geteuid() != 0:
        pytest.skip("Only root can start a process of another user.")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for python in (sys.executable, f"/usr/bin/{version}", f"/usr/local/bin/{version}"):
        try:
            tried = subprocess.run(
                [python, "-c", "import tests.embedded.user"],
                cwd="/",
                env=environment(),
                capture_output=True,
                timeout=60,
                **account(uid),
            )
        except OSError:
            continue
        if tried.returncode == 0:
            return python
    pytest.skip("No interpreter on this machine can be run by another user with these packages.")
