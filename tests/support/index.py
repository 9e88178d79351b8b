"""The whole index as tests use it: the real application behind the real site, on a loopback port.

``running`` packs what ``pypi.app.build`` packs, on a database and a folder of its own; only its clockwork
stands still, so that jobs run when a test runs them. ``Index`` asks it over HTTP, byte by byte, and shows
what came back. ``State`` is everything an index remembers, to be compared.
"""

from __future__ import annotations

import hashlib
import os
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from socket import socket
from typing import Any, TypeVar

import psycopg2
from argon2 import PasswordHasher
from attrs import define, evolve, field, frozen
from psycopg2.sql import SQL, Identifier
from twisted.internet import reactor as _reactor
from twisted.internet.task import deferLater
from twisted.logger import LogEvent

from caching import invalidations, layered, limiter
from caching.redis import Redis
from caching.transport import EagerPort
from pypi.app import Application, Part, build
from pypi.config import load
from pypi.db import database
from pypi.http.hosts import Hosts
from pypi.http.site import Site
from pypi.jobs.schedule import Schedule
from pypi.process.sockets import bind
from tests.http.memory import errors_logged
from tests.support import client, forms
from tests.support.client import Headers, Reply
from tests.support.databases import ask as ask_database
from tests.support.forms import CONTENT_TYPE, Value, multipart, upload_parts

reactor: Any = _reactor

OWNER = "ada"
"""The account that uploads unless a test says otherwise."""

T = TypeVar("T")

NO_REDIS = "unix:///nowhere/redis.sock"

HURRIED = (
    (invalidations, "BLIND"),
    (invalidations, "HALTED"),
    (invalidations, "DEADLINE"),
    (layered, "PATIENCE"),
    (layered, "COLD_PATIENCE"),
    (limiter, "PATIENCE"),
    (database, "READ_DEADLINE"),
)
"""Seconds after which an index does without, or doubts what it knows. Busy machines need more."""

_kept = [getattr(*one) for one in HURRIED]
_indexes = 0

Alter = Callable[[list[forms.Part]], Sequence[forms.Part]]


@define(eq=False)
class Index:
    """A running index.

    Attributes:
        application: as the service builds it.
        folder: of all its data.
        database_url: of its database.
        port: of the public listener.
        operator_port: of the operator's.
        site: what listens for the public.
        errors: what it logged as gone wrong; a test that breaks something on purpose clears it.
    """

    application: Application
    folder: Path
    database_url: str
    port: int
    operator_port: int
    site: Site
    errors: list[LogEvent]
    _tokens: dict[str, str] = field(factory=dict)

    async def add_user(self, name: str, *, password: str | None = None) -> None:
        """Make an account, with the token that ``auth`` uses."""
        accounts = self.application.accounts
        await accounts.add_user(name, email=f"{name}@people.example", password=password)
        self._tokens[name] = await accounts.add_token(name)

    def auth(self, name: str = OWNER) -> str:
        """The Authorization header of an account."""
        return with_token(self._tokens[name])

    async def ask(self, path: str, headers: Headers = (), *, method: str = "GET", body: bytes = b"") -> Reply:
        """One request on a connection of its own."""
        return await client.ask(self.port, method, path, headers, body)

    async def upload(
        self,
        data: bytes,
        filename: str,
        *,
        to: str = "/legacy/",
        auth: str | None = "",
        accept: str | None = "*/*",
        alter: Alter = lambda parts: parts,
        **fields: Value,
    ) -> Reply:
        """Upload a file as twine would.

        Args:
            auth: the Authorization header; the owner's unless given, none for ``None``.
            accept: the Accept header; none for ``None``.
            alter: may change the parts of the form.
            fields: of the form, instead of what the filename says; ``None`` leaves one out, and
                ``action`` is ``:action``.
        """
        body = multipart(alter(upload_parts(data, filename, fields)))
        headers = {
            "Content-Type": CONTENT_TYPE,
            "Accept": accept,
            "Authorization": self.auth() if auth == "" else auth,
        }
        return await self.ask(to, headers, method="POST", body=body)

    def sql(self, text: str) -> list[tuple[Any, ...]]:
        """Run a statement behind the index's back."""
        return ask_database(self.database_url, text)

    def state(self) -> State:
        """Everything it remembers at this moment."""
        return State(tables=_tables(self.database_url), files=_files(self.folder / "files"))

    async def rests(self) -> State:
        """Its state, once nobody is connected any more and nothing is on its way in."""
        temporary, workers = self.folder / "files" / ".tmp", self.application.spool.workers
        await eventually(lambda: not self.site.crowd.open and " 0 calls" in repr(workers))
        await eventually(lambda: not list(temporary.iterdir()))
        return self.state()


@frozen
class State:
    """What an index remembers: every row of every table; every file by its digest, and every folder."""

    tables: Mapping[str, Sequence[str]]
    files: Mapping[str, str]

    def __sub__(self, earlier: State) -> dict[str, object]:
        """What differs, fit for an assertion's message; empty where nothing does."""
        changed: dict[str, object] = {
            table: sorted({*rows} ^ {*earlier.tables[table]})
            for table, rows in self.tables.items()
            if rows != earlier.tables[table]
        }
        if self.files != earlier.files:
            changed["files"] = sorted({*self.files.items()} ^ {*earlier.files.items()})
        return changed


async def eventually(condition: Callable[[], T], *, within: float = 60.0) -> T:
    """The first result of ``condition`` that counts as true; fails after so many seconds without one."""
    give_up = reactor.seconds() + within
    while not (result := condition()):
        assert reactor.seconds() < give_up, "it never came to that"
        await deferLater(reactor, 0.01)
    return result


def basic(name: str, password: str) -> str:
    """An Authorization header of name and password (RFC 7617)."""
    return "Basic " + b64encode(f"{name}:{password}".encode()).decode()


def with_token(token: str) -> str:
    """An Authorization header as upload tools send tokens."""
    return basic("__token__", token)


@asynccontextmanager
async def running(
    database_url: str,
    folder: Path,
    *,
    redis_url: str = NO_REDIS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    scheduled: bool = False,
    lane: bool = False,
    joins: bool = False,
    **settings: object,
) -> AsyncIterator[Index]:
    """An index that listens, with one account, ``OWNER``.

    Args:
        database_url: of a new database with the catalogue's schema.
        folder: for its data.
        redis_url: of its Redis, if it is to have one.
        now: its clock.
        scheduled: whether its jobs run by themselves.
        lane: whether its fast lane answers, too.
        joins: whether it is one more worker of an index that has its account already.
        settings: configuration, as ``section__key``.
    """
    overrides = {key.replace("__", "."): value for key, value in settings.items()}
    config = load(environment={}, overrides={"service.data": str(folder), **overrides})
    public, private = bind("127.0.0.1", 0, "service.port"), bind("127.0.0.1", 0, "operator.port")
    port, operator_port = public.getsockname()[1], private.getsockname()[1]
    origin = config.service.origin or f"http://127.0.0.1:{port}"
    application = build(
        config, reactor, database_url=database_url, redis_url=redis_url, origin=origin, now=now
    )
    # As cheap as it gets: what a hash costs is not what is tested.
    application.accounts.passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    if not scheduled:
        application = evolve(application, parts=_timeless(application))
    with errors_logged() as errors, _unhurried():
        await application.start()
        await _take_its_time(application, has_redis=redis_url != NO_REDIS)
        site = Site(
            application.public,
            reactor=reactor,
            hosts=application.hosts,
            callers=application.callers,
            lane=application.caches.lane if lane else None,
        )
        operators = Site(application.operator, reactor=reactor, hosts=Hosts.of([], loopback=True))
        ports = [_listen(public, site), _listen(private, operators)]
        index = Index(application, folder, database_url, port, operator_port, site, errors)
        try:
            if not joins:
                await index.add_user(OWNER)
            yield index
        finally:
            for listening in ports:
                await listening.stopListening()
            await application.stop()
    assert not errors, errors


def _listen(listening: socket, site: Site) -> Any:
    """As the service does it."""
    port = EagerPort.adopt(reactor, listening.fileno(), listening.family, site)
    listening.close()
    return port


@contextmanager
def _unhurried() -> Iterator[None]:
    """Let this process stand still for many seconds, as long as there is an index, before anybody minds."""
    global _indexes
    _indexes += 1
    for module, name in HURRIED:
        setattr(module, name, 60.0)
    try:
        yield
    finally:
        _indexes -= 1
        if not _indexes:
            for (module, name), seconds in zip(HURRIED, _kept, strict=True):
                setattr(module, name, seconds)


async def _take_its_time(application: Application, *, has_redis: bool) -> None:
    """Wait for Redis, which nobody else does; and do without nothing because the machine is busy."""
    renderer = application.publisher.renderer
    renderer.patience_seconds = renderer._children.deadline_seconds = 60.0
    if has_redis:
        [redis] = [part for part in application.parts if isinstance(part, Redis)]
        redis.timeout = 60.0
        await eventually(lambda: redis._factory.size == redis.connections)


def _timeless(application: Application) -> tuple[Part, ...]:
    return tuple(part for part in application.parts if not isinstance(part, Schedule))


def _tables(database_url: str) -> dict[str, list[str]]:
    connection = psycopg2.connect(database_url)
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return {name: _rows(cursor, name) for (name,) in cursor.fetchall()}
    finally:
        connection.close()


def _rows(cursor: Any, table: str) -> list[str]:
    cursor.execute(SQL("SELECT t::text FROM {} t ORDER BY 1").format(Identifier(table)))
    return [row for (row,) in cursor.fetchall()]


def _files(root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for folder, _, names in os.walk(root):
        found[os.path.relpath(folder, root)] = "folder"
        for name in names:
            path = Path(folder, name)
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
