"""The service as a benchmark sees it: from outside, by its command line and its URLs."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from attrs import field, frozen

from benchmarks import machine
from benchmarks.figure import BenchmarkFailed
from benchmarks.processes import Running, run, running
from pypi.config.sections import keys

CHEESESHOP = Path(sys.executable).with_name("cheeseshop")
READY = r"Cheeseshop ready: (http://\S+)/\n"
START = 120.0
"""Seconds a service has to become ready; a first start makes a database cluster."""

USER, PASSWORD = "bench", "measure by measure"

SERVERS = ("postgres", "redis")
"""How the programs of the embedded servers begin."""

WORKER = "pypi.process.worker"
"""In the command line of a process that answers, when there are several."""

ENVIRONMENT = {"CHEESESHOP_OPERATOR_PORT": "0", "PYTHONDONTWRITEBYTECODE": ""}
"""An installation has its byte code, whatever the shell that measures asks Python not to write."""

OBSERVED = {"log.access": "{folder}/access.log", "log.format": "combined"}
"""What is on while it is measured, since operators have it on, besides metrics, which nothing turns off."""


@frozen
class Login:
    """What twine signs in with."""

    user: str
    secret: str = field(repr=False)

    @property
    def authorization(self) -> str:
        """The header of that name, for HTTP basic authentication."""
        return f"Basic {b64encode(f'{self.user}:{self.secret}'.encode()).decode()}"


@frozen(kw_only=True)
class Subject:
    """A running index that takes uploads.

    Attributes:
        origin: its URL, without a slash at its end.
        upload_path: where twine posts to.
        token: what the index issued, to sign in with in place of a password.
        password: what it keeps a hash of.
    """

    running: Running
    origin: str
    upload_path: str
    token: Login
    password: Login


def cheeseshop(*words: str | Path, data: Path, deadline: float = START, given: str = "") -> tuple[float, str]:
    """Run a command of ``cheeseshop`` on a data folder.

    Args:
        given: its standard input.

    Returns:
        the seconds it took, and what it printed.
    """
    env = ENVIRONMENT | {"CHEESESHOP_SERVICE_DATA": str(data)}
    return run([CHEESESHOP, *words], deadline=deadline, env=env, given=given)


@contextmanager
def reading(
    data: Path, folder: Path, *, workers: int = 1, cores: str = "", env: Mapping[str, str] | None = None
) -> Iterator[Running]:
    """Our service on a data folder, with embedded servers, on free ports.

    Args:
        folder: of its logs; made when missing.
        workers: processes that answer.
        cores: the processors it may use, such as ``0``; all by default.
        env: further configuration.
    """
    folder.mkdir(exist_ok=True)
    observed = {
        key.variable: OBSERVED[key.dotted].format(folder=folder) for key in keys() if key.dotted in OBSERVED
    }
    with running(
        [*machine.pinned(cores), CHEESESHOP, "serve", "--port", "0", "--data", data],
        ready=READY,
        log=folder / "serve.log",
        deadline=START,
        env=ENVIRONMENT | observed | {"CHEESESHOP_SERVICE_WORKERS": str(workers)} | dict(env or {}),
        cwd=folder,
    ) as service:
        yield service


def origin(service: Running) -> str:
    """The URL of our service, without a slash at its end."""
    assert service.said is not None, "it is ready"
    return service.said.group(1)


@contextmanager
def serving(
    folder: Path,
    *,
    data: Path | None = None,
    workers: int = 1,
    cores: str = "",
    env: Mapping[str, str] | None = None,
) -> Iterator[Subject]:
    """Our service, and somebody who may upload.

    Args:
        folder: of its logs; made when missing.
        data: by default a new one in ``folder``, with an empty index.
        workers: processes that answer.
        cores: the processors it may use, such as ``0``; all by default.
        env: further configuration.
    """
    kept = data is not None
    data = data or folder / "data"
    with reading(data, folder, workers=workers, cores=cores, env=env) as service:
        # In a data folder that is kept somebody may have added the account before.
        with suppress(BenchmarkFailed) if kept else nullcontext():
            cheeseshop(
                *("user", "add", USER, "--email", "bench@packages.example", "--password-stdin"),
                data=data,
                given=f"{PASSWORD}\n",
            )
        _, token = cheeseshop("token", "create", USER, data=data)
        yield Subject(
            running=service,
            origin=origin(service),
            upload_path="/legacy/",
            token=Login("__token__", token.strip()),
            password=Login(USER, PASSWORD),
        )


def answering(service: Running) -> list[int]:
    """The service's own processes, without PostgreSQL and Redis."""
    return [service.pid, *children(service)]


def workers(service: Running, count: int) -> list[int]:
    """The processes that answer: the service's own for one worker, those it started for several."""
    if count == 1:
        return [service.pid]
    return [pid for pid in machine.children(service.pid) if WORKER in machine.program(pid)]


def children(service: Running) -> list[int]:
    """The processes a service started for its own work, which look into what it was sent."""
    return [pid for pid in service.tree()[1:] if not _program(pid).startswith(SERVERS)]


def _program(pid: int) -> str:
    return machine.program(pid).partition(" ")[0].rpartition("/")[2]
