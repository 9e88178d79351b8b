"""A service of several workers, and clients that keep asking it."""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGHUP, SIGKILL
from threading import Event
from urllib.parse import urlsplit

from attrs import define, field

from pypi.process.picture import Picture, State, folder_of
from tests.support.rig import PATIENCE, Victim, wait_for


@define(eq=False)
class Crew(Victim):
    """``twistd -n pypi --workers N``, on a database that outlives it.

    Attributes:
        workers: how many.
        file: its configuration file, as far as a test writes one.
    """

    workers: int = field(default=2, kw_only=True)

    def environment(self, **more: str) -> dict[str, str]:
        """As for every victim, with the file of this one."""
        own = {"CHEESESHOP_CONFIG": str(self.config)} if self.config.exists() else {}
        return super().environment(**(own | more))

    def command(self) -> list[str | Path]:
        """The supervisor, as an operator starts it."""
        where = ["--port", str(self.port), "--data", self.data]
        return [self.scripts / "twistd", "-n", "pypi", *where, "--workers", str(self.workers)]

    @property
    def config(self) -> Path:
        """Its configuration file."""
        return self.folder / "cheeseshop.toml"

    @property
    def picture(self) -> Picture:
        """What it says of its workers."""
        found = Picture.read(folder_of(self.data))
        assert found is not None
        return found

    @property
    def everything_said(self) -> str:
        """Its log, wherever twistd has put it."""
        return self.log.read_text() + self.said.read_text()

    def await_crew(self, generation: int = 1) -> list[State]:
        """Wait until the workers of a generation serve, and no others are left.

        Returns:
            them.
        """

        def complete() -> bool:
            workers = self.picture.workers
            return [one.slot for one in workers] == list(range(1, self.workers + 1)) and all(
                one.state == "ready" and one.generation == generation for one in workers
            )

        assert wait_for(complete), f"{self.picture}\n{self.everything_said}"
        return self.picture.workers

    def reload(self) -> None:
        """Tell it to reload."""
        os.kill(self.pid, SIGHUP)

    def end(self) -> None:
        """Leave nothing running."""
        left = children(self.pid) if self.process is not None else []
        super().end()
        for pid in left:
            with suppress(OSError):
                os.kill(pid, SIGKILL)


def children(pid: int) -> list[int]:
    """The processes that a process has started, and that still run."""
    with suppress(OSError):
        return list(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))
    return []


def is_alive(pid: int) -> bool:
    """Whether a process runs, and is not only waiting to be noticed as dead."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@define(eq=False)
class Reader:
    """A client that asks for a page again and again.

    Attributes:
        netloc: of the service.
        keeps: whether it keeps its connection for as long as it is let.
        answered: how many answers it got.
        failures: what it got in place of answers.
    """

    netloc: str
    keeps: bool
    path: str = "/simple/"
    answered: int = 0
    failures: list[str] = field(factory=list)

    def run(self, enough: Event) -> None:
        """Ask until it is enough."""
        connection = None
        while not enough.is_set():
            connection = connection or http.client.HTTPConnection(self.netloc, timeout=PATIENCE)
            try:
                connection.request("GET", self.path)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
                connection = None
                continue
            if answer.status == 200:
                self.answered += 1
            else:
                self.failures.append(str(answer.status))
            if answer.will_close or not self.keeps:
                connection.close()
                connection = None
            time.sleep(0.002)
        if connection is not None:
            connection.close()


@contextmanager
def readers(crew: Crew, *, each: int = 3) -> Iterator[list[Reader]]:
    """Clients that read until the block ends: so many of each kind, with kept and with new connections."""
    netloc = urlsplit(crew.url).netloc
    clients = [Reader(netloc, keeps) for keeps in (True, False) for _ in range(each)]
    enough = Event()
    with ThreadPoolExecutor(len(clients)) as pool:
        running = [pool.submit(client.run, enough) for client in clients]
        try:
            yield clients
        finally:
            enough.set()
        for one in running:
            one.result()


def answered(clients: list[Reader]) -> int:
    """How many answers they have, all together."""
    return sum(client.answered for client in clients)


def failures(clients: list[Reader]) -> list[str]:
    """What went wrong for any of them."""
    return [failure for client in clients for failure in client.failures]
