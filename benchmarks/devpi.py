"""devpi-server, a peer: installed in an environment of its own, started as its documentation says.

Its index has no bases and it has no mirror, so that no upload makes it look anywhere else. Everything else is
as it comes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

from benchmarks.cache import environment
from benchmarks.client import connect
from benchmarks.figure import BenchmarkFailed
from benchmarks.machine import free_port, pinned
from benchmarks.processes import Command, run, running
from benchmarks.servers import PASSWORD, USER, Login, Subject

START = 60.0


def installed(say: Callable[[str], None]) -> Path:
    """The folder of devpi's programs, installed when they are missing."""
    return environment("devpi", ("devpi-server", "devpi-client"), say)


@contextmanager
def serving(programs: Path, folder: Path, *, cores: str = "") -> Iterator[Subject]:
    """A devpi-server with an empty index, and somebody who may upload to it.

    Args:
        folder: of its data and logs; made when missing.
        cores: the processors it may use, such as ``0``; all by default.
    """
    folder.mkdir(exist_ok=True)
    data: Command = ["--serverdir", folder / "data"]
    run([programs / "devpi-init", *data, "--no-root-pypi", "--root-passwd", PASSWORD], deadline=START)
    port = free_port()
    address = ("--host", "127.0.0.1", "--port", str(port))
    with running(
        [*pinned(cores), programs / "devpi-server", *data, *address, "--offline-mode"],
        ready=r"Hit Ctrl-C to quit",
        log=folder / "serve.log",
        deadline=START,
        cwd=folder,
    ) as server:
        origin = f"http://127.0.0.1:{port}"
        _wait_until_listening(origin)  # it says that it is ready a little too early
        _ask(f"{origin}/{USER}", "PUT", {"password": PASSWORD})
        login = _ask(f"{origin}/+login", "POST", {"user": USER, "password": PASSWORD})
        token = Login(USER, login["result"]["password"])
        _ask(f"{origin}/{USER}/dev", "PUT", {"bases": []}, Authorization=token.authorization)
        yield Subject(
            running=server,
            origin=origin,
            upload_path=f"/{USER}/dev/",
            token=token,
            password=Login(USER, PASSWORD),
        )


def _ask(url: str, method: str, value: dict[str, Any], **headers: str) -> dict[str, Any]:
    request = Request(url, json.dumps(value).encode(), {"Content-Type": "application/json", **headers})
    request.method = method
    with build_opener(ProxyHandler({})).open(request, timeout=30) as response:
        found: dict[str, Any] = json.load(response)
    return found


def _wait_until_listening(origin: str) -> None:
    ends = time.monotonic() + START
    while True:
        try:
            return connect(origin).close()
        except ConnectionRefusedError:
            if time.monotonic() > ends:
                raise BenchmarkFailed("devpi-server does not listen") from None
            time.sleep(0.05)
