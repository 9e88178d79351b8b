"""Peers that hand out one project of many wheels: each in an environment of its own, as its documentation
says.

*pypiserver* under gunicorn with its cached-dir backend, its fastest way; *proxpi* under gunicorn with two
threads, in front of our own index, with its cache warm; *simple-repository-server* on a folder. devpi-server
is in a module of its own, since it is measured with uploads, too.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from attrs import frozen

from benchmarks import devpi, twine
from benchmarks.cache import environment
from benchmarks.client import connect
from benchmarks.contest import Contender
from benchmarks.figure import BenchmarkFailed
from benchmarks.machine import free_port, pinned
from benchmarks.processes import Command, running
from benchmarks.servers import PASSWORD, USER

START = 60.0
SETTLING = 1.0


@frozen
class Stock:
    """What all of them serve.

    Attributes:
        folder: where peers may work.
        wheels: of one project.
        project: its name.
        upstream: our index, which has the same.
        cores: the processors a peer may use.
        say: tells whoever waits what is going on.
    """

    folder: Path
    wheels: Sequence[Path]
    project: str
    upstream: str
    cores: str
    say: Callable[[str], None]


@frozen
class Peer:
    """Another index.

    Attributes:
        path: of the page of a project.
        serving: has it serve a stock.
    """

    name: str
    path: Callable[[str, bool], str]
    serving: Callable[[Stock], AbstractContextManager[Contender]]


@contextmanager
def _pypiserver(stock: Stock) -> Iterator[Contender]:
    programs = environment("pypiserver", ("pypiserver[cache]", "gunicorn"), stock.say)
    folder = _copied(stock, "pypiserver")
    port = free_port()
    options: Command = ("--server", "gunicorn", "--backend", "cached-dir", "-i", "127.0.0.1", "-p", str(port))
    with _started(
        "pypiserver", [programs / "pypi-server", "run", *options, folder], port, stock
    ) as contender:
        yield contender


@contextmanager
def _proxpi(stock: Stock) -> Iterator[Contender]:
    programs = environment("proxpi", ("proxpi", "gunicorn"), stock.say)
    port = free_port()
    command: Command = [
        programs / "gunicorn",
        "--threads",
        "2",
        "-b",
        f"127.0.0.1:{port}",
        "proxpi.server:app",
    ]
    env = {"PROXPI_INDEX_URL": f"{stock.upstream}/simple/", "NO_PROXY": "127.0.0.1"}
    with _started("proxpi", command, port, stock, env=env) as contender:
        yield contender


@contextmanager
def _simple_repository_server(stock: Stock) -> Iterator[Contender]:
    programs = environment("simple-repository-server", ("simple-repository-server",), stock.say)
    folder = _copied(stock, "simple-repository-server", inside=stock.project)
    port = free_port()
    command: Command = [
        programs / "simple-repository-server",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        folder,
    ]
    with _started("simple-repository-server", command, port, stock) as contender:
        yield contender


@contextmanager
def _devpi(stock: Stock) -> Iterator[Contender]:
    programs = devpi.installed(stock.say)
    with devpi.serving(programs, stock.folder / "devpi", cores=stock.cores) as subject:
        stock.say(f"Uploading {len(stock.wheels)} wheels to devpi-server")
        twine.upload(subject.origin + subject.upload_path, USER, PASSWORD, stock.wheels)
        yield Contender("devpi-server", subject.origin, subject.running.tree)


@contextmanager
def _started(
    name: str, command: Command, port: int, stock: Stock, *, env: dict[str, str] | None = None
) -> Iterator[Contender]:
    log = stock.folder / f"{name}.log"
    stock.say(f"Starting {name}")
    with running(
        [*pinned(stock.cores), *command], ready="", log=log, deadline=START, env=env, cwd=stock.folder
    ) as server:
        ends = time.monotonic() + START
        while not _listens(port):
            if time.monotonic() > ends or server.process.poll() is not None:
                raise BenchmarkFailed(f"{name} does not listen; its log ends:\n{log.read_text()[-2000:]}")
            time.sleep(0.05)
        time.sleep(SETTLING)
        yield Contender(name, f"http://127.0.0.1:{port}", server.tree)


def _listens(port: int) -> bool:
    try:
        connect(f"http://127.0.0.1:{port}").close()
    except ConnectionRefusedError:
        return False
    return True


def _copied(stock: Stock, name: str, *, inside: str = "") -> Path:
    folder = stock.folder / f"{name}-files"
    (folder / inside).mkdir(parents=True)
    for wheel in stock.wheels:
        shutil.copy(wheel, folder / inside)
    return folder


PEERS = (
    Peer("pypiserver", lambda project, _: f"/simple/{project}/", _pypiserver),
    Peer("devpi-server", lambda project, _: f"/{USER}/dev/+simple/{project}/", _devpi),
    Peer("proxpi", lambda project, _: f"/index/{project}/", _proxpi),
    Peer("simple-repository-server", lambda project, _: f"/simple/{project}/", _simple_repository_server),
)
