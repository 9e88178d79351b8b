"""The rig of the fault tests: a service that is about to be hurt, and clients that upload to it.

What the service has acknowledged is kept here, in the tests' own process, and so outlives whatever becomes
of it; ``tests.support.invariants`` compares the two.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from secrets import token_bytes
from subprocess import Popen
from threading import Event, Lock
from typing import Any
from urllib.parse import urlsplit

import psycopg2
from attrs import define, field, frozen
from twisted.internet import reactor

from pypi.accounts.accounts import Accounts
from pypi.accounts.passwords import Passwords
from pypi.db.database import Database
from tests.support import archives, forms
from tests.support.index import NO_REDIS, OWNER, with_token
from tests.support.service import Service, end_servers

PATIENCE = 90.0
"""Seconds a client waits for an answer: longer than any deadline of the service, so beyond, it hangs."""

MiB = 1 << 20

NO_ANSWER = None
"""The status of a request that got no answer: the connection was refused, closed or reset."""

_numbers = count(1)


@frozen(eq=False)
class Upload:
    """A distribution to be uploaded."""

    filename: str
    data: bytes = field(repr=False)

    @property
    def project(self) -> str:
        """The normalized name of its project."""
        return self.filename.split("-")[0].replace("_", "-")

    @property
    def sha256(self) -> str:
        """Of its bytes, hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def new_name() -> str:
    """A project name that nobody has used."""
    return f"demo{next(_numbers)}"


def upload(name: str | None = None, version: str = "1.0", *, size: int = 0, is_wheel: bool = True) -> Upload:
    """A wheel or source distribution like no other.

    Args:
        name: of its project; one nobody else has unless given.
        size: bytes it has at least.
        is_wheel: whether it is a wheel.
    """
    name = name or new_name()
    files = {f"{name}.bin": os.urandom(size + 16)}
    if is_wheel:
        return Upload(
            archives.wheel_filename(name, version), archives.wheel(name, version, files=files, alter=_store)
        )
    return Upload(archives.sdist_filename(name, version), archives.sdist(name, version, files=files))


def _store(members: list[archives.ZipMember]) -> None:
    """Without compression, which takes long and gains nothing on random bytes."""
    for member in members:
        member.method = archives.STORED


@frozen(kw_only=True)
class Outcome:
    """What a client got: a status and headers, or ``NO_ANSWER``."""

    status: int | None = NO_ANSWER
    said: str = ""
    headers: dict[str, str] = field(factory=dict, repr=False)

    @property
    def is_honest_refusal(self) -> bool:
        """Whether it says to come back later, or nothing at all."""
        return self.status is NO_ANSWER or (self.status == 503 and int(self.headers["retry-after"]) > 0)


@define(eq=False)
class Victim(Service):
    """The service in a process of its own, on a database that outlives it.

    Attributes:
        database_url: of a database with the catalogue's schema; empty for embedded servers of its own.
        failpoints: what ``FAILPOINTS`` says at the next start.
        acks: filename → what was acknowledged.
        digests: filename → the SHA-256 that was listed or acknowledged for it first.
    """

    database_url: str = field(default="", kw_only=True)
    failpoints: str = field(default="", kw_only=True)
    process: Popen[bytes] | None = field(default=None, init=False, repr=False)
    acks: dict[str, Upload] = field(factory=dict, init=False, repr=False)
    digests: dict[str, str] = field(factory=dict, init=False, repr=False)
    _auths: dict[str, str] = field(factory=dict, init=False, repr=False)
    _lock: Lock = field(factory=Lock, init=False, repr=False)

    def environment(self, **more: str) -> dict[str, str]:
        """As for every service, on this database, with these failpoints, and soon at an end when stopped."""
        own = {"FAILPOINTS": self.failpoints}
        own["CHEESESHOP_SERVICE_DRAIN"] = self.settings.get("SERVICE_DRAIN", "1")
        if self.database_url:
            own |= {"CHEESESHOP_DATABASE_URL": self.database_url, "CHEESESHOP_REDIS_URL": NO_REDIS}
        return super().environment(**(own | more))

    def file(self, path: str = "") -> Path:
        """Where a file of its store lies; the folder of all of them unless one is given."""
        return self.data / "files" / path

    @property
    def temporaries(self) -> list[Path]:
        """The files in its spool."""
        return sorted(self.file(".tmp").iterdir())

    @property
    def server_url(self) -> str:
        """Where its database is, embedded or not."""
        sockets = (self.data / "postgres" / "run").resolve()
        return self.database_url or f"postgresql://cheeseshop@/cheeseshop?host={sockets}"

    @property
    def is_alive(self) -> bool:
        """Whether the process that was started last still runs."""
        return self.process is not None and self.process.poll() is None

    def end(self) -> None:
        """Leave nothing running, also if it was never started."""
        if self.is_alive:
            self.kill()
        end_servers(self.data)

    def restart(self, failpoints: str = "") -> None:
        """Kill it if it lives, and start it again."""
        if self.is_alive:
            self.kill()
        self.failpoints = failpoints
        self.start()

    def sql(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run one statement in its database; committed."""
        with closing(psycopg2.connect(self.server_url)) as connection, connection:
            cursor = connection.cursor()
            cursor.execute(text, values)
            return cursor.fetchall() if cursor.description else []

    # --- its clients --------------------------------------------------------------------------------------

    async def welcome(self, name: str) -> None:
        """Make an account with a token, for ``publish``; harmless when it is there."""
        if name in self._auths:
            return
        database = Database(self.server_url, reactor, size=1)
        accounts = Accounts(
            database=database,
            passwords=Passwords(reactor),
            now=lambda: datetime.now(UTC),
            random_bytes=token_bytes,
        )
        try:
            await accounts.add_user(name, email=f"{name}@people.example", password=None)
            self._auths[name] = with_token(await accounts.add_token(name))
        finally:
            await database.stop()

    def connect(self) -> socket.socket:
        """A connection to it."""
        address = urlsplit(self.url)
        return socket.create_connection((address.hostname, address.port), timeout=PATIENCE)

    def request(self, wanted: Upload, name: str = OWNER) -> bytes:
        """An upload as a request, whole."""
        body = forms.multipart(forms.upload_parts(wanted.data, wanted.filename, {}))
        lines = [
            "POST /legacy/ HTTP/1.1",
            f"Host: {urlsplit(self.url).netloc}",
            f"Authorization: {self._auths[name]}",
            f"Content-Type: {forms.CONTENT_TYPE}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def publish(self, wanted: Upload, name: str = OWNER) -> Outcome:
        """Upload a file, and remember it if that was acknowledged."""
        request = self.request(wanted, name)
        try:
            with closing(self.connect()) as connection:
                # What it said before it hung up is read all the same.
                with suppress(BrokenPipeError, ConnectionResetError):
                    connection.sendall(request)
                outcome = answer(connection)
        except ConnectionError:
            outcome = Outcome()
        if outcome.status == 200:
            self.note(wanted)
        return outcome

    def note(self, wanted: Upload) -> None:
        """Remember that an upload was acknowledged."""
        with self._lock:
            self.acks[wanted.filename] = wanted
            self.digests.setdefault(wanted.filename, wanted.sha256)

    def get(self, path: str, accept: str = "*/*", seconds: float = PATIENCE) -> tuple[int, bytes]:
        """Status and body of one GET."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=seconds)
        with closing(connection):
            connection.request("GET", path, headers={"Accept": accept})
            response = connection.getresponse()
            return response.status, response.read()


def answer(connection: socket.socket) -> Outcome:
    """The answer on a connection; only a connection that hangs is an error."""
    response = http.client.HTTPResponse(connection)
    try:
        response.begin()
        said = response.read().decode()
    except TimeoutError:
        raise
    except (OSError, http.client.HTTPException):
        return Outcome()
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Outcome(status=response.status, said=said, headers=headers)


@contextmanager
def load(victim: Victim, *, clients: int = 4, size: int = 0) -> Iterator[list[tuple[Upload, Outcome]]]:
    """Clients that upload one file after the other until the block ends.

    Yields:
        what they have sent so far, and what they got.
    """
    outcomes: list[tuple[Upload, Outcome]] = []
    enough = Event()

    def client() -> None:
        while not enough.is_set():
            wanted = upload(size=size)
            outcome = victim.publish(wanted)
            outcomes.append((wanted, outcome))
            if outcome.status != 200:
                enough.wait(0.02)

    with ThreadPoolExecutor(clients) as pool:
        running = [pool.submit(client) for _ in range(clients)]
        try:
            yield outcomes
        finally:
            enough.set()
        for one in running:
            one.result()


def at_once(calls: list[Callable[[], Outcome]]) -> list[Outcome]:
    """What all these calls return, each in a thread of its own."""
    with ThreadPoolExecutor(len(calls)) as pool:
        return [one.result() for one in [pool.submit(call) for call in calls]]


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
    """Wait until something holds; returns whether it does."""
    ends = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > ends:
            return False
        time.sleep(0.02)
    return True
