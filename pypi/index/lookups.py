"""Looking things up one by one, and asking the database for all of a moment at once.

Redirects need very little each: how a name is registered, whether a release is there. What is asked within
one turn of the reactor, or while the database is busy with what was asked before, goes there as one
statement. A question always goes into a statement that begins after it was asked: no answer is older than it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import journal
from pypi.db.queries import lookups as queries
from pypi.db.queries.lookups import ListedFile, Release, ReleaseFound
from pypi.domain import versions
from pypi.domain.names import NormalizedName

__all__ = ["Gathering", "ListedFile", "Lookups"]

Key = TypeVar("Key", bound=Hashable)
Found = TypeVar("Found")
_Waiting = dict[Key, list[Deferred[Found | None]]]

MOST_AT_ONCE = 256
"""Keys of one statement: it should end within a few milliseconds."""

MOST_UNDER_WAY = 2
"""Statements of one kind; what is asked meanwhile waits for one of them to end."""


@define(eq=False, repr=False)
class Gathering(Generic[Key, Found]):
    """Questions of one kind.

    Attributes:
        ask: what many keys lead to; keys that lead to nothing are left out.
        reactor: ``IReactorTime``.
        asked: how many questions there were.
        statements: in how many statements they went.
    """

    ask: Callable[[Sequence[Key]], Awaitable[Mapping[Key, Found]]]
    reactor: Any
    asked: int = field(default=0, init=False)
    statements: int = field(default=0, init=False)
    _waiting: _Waiting[Key, Found] = field(factory=dict, init=False)
    _under_way: int = field(default=0, init=False)

    def __repr__(self) -> str:
        return f"<Gathering of {self.asked} questions in {self.statements} statements>"

    async def find(self, key: Key) -> Found | None:
        """What a key leads to; ``None`` where it leads nowhere.

        Raises:
            DatabaseDown: the database does not answer.
        """
        waiter: Deferred[Found | None] = Deferred(lambda _: None)
        if not self._waiting and self._under_way < MOST_UNDER_WAY:
            self.reactor.callLater(0, self._send)
        self.asked += 1
        self._waiting.setdefault(key, []).append(waiter)
        return await waiter

    def _send(self) -> None:
        keys = tuple(islice(self._waiting, MOST_AT_ONCE))
        if not keys or self._under_way >= MOST_UNDER_WAY:
            return
        waiting = {key: self._waiting.pop(key) for key in keys}
        self.statements += 1
        self._under_way += 1
        Deferred.fromCoroutine(self._answer(waiting)).addErrback(_fail, waiting).addBoth(self._over)

    async def _answer(self, waiting: _Waiting[Key, Found]) -> None:
        found = await self.ask(tuple(waiting))
        for key, waiters in waiting.items():
            _tell(waiters, found.get(key))

    def _over(self, _: object) -> None:
        self._under_way -= 1
        self._send()


def _fail(failure: Failure, waiting: _Waiting[Any, Any]) -> None:
    for waiters in waiting.values():
        _tell(waiters, failure)


def _tell(waiters: Sequence[Deferred[Any]], outcome: object) -> None:
    for waiter in waiters:
        if not waiter.called:
            waiter.callback(outcome)  # a Failure starts the errbacks


@define(eq=False)
class Lookups:
    """What there is, and how it is spelled."""

    database: Database
    _projects: Gathering[NormalizedName, str] = field(init=False)
    _releases: Gathering[Release, ReleaseFound] = field(init=False)
    _files: Gathering[str, ListedFile] = field(init=False)
    _stored: Gathering[str, ListedFile] = field(init=False)
    _released: Gathering[Release, tuple[ListedFile, ...]] = field(init=False)
    _digests: Gathering[str, str] = field(init=False)
    _people: Gathering[str, str] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._projects = self._gathering(queries.projects)
        self._releases = self._gathering(queries.releases)
        self._files = self._gathering(queries.files)
        self._stored = self._gathering(queries.stored)
        self._released = self._gathering(queries.released)
        self._digests = self._gathering(queries.digests)
        self._people = self._gathering(queries.people)

    def _gathering(
        self, query: Callable[[Cursor, Sequence[Key]], Awaitable[Mapping[Key, Found]]]
    ) -> Gathering[Key, Found]:
        async def ask(keys: Sequence[Key]) -> Mapping[Key, Found]:
            return await self.database.ask(query, keys)

        return Gathering(ask, self.database.reactor)

    async def project(self, name: NormalizedName) -> str | None:
        """How the project is spelled where it was registered; ``None`` where the name is free."""
        return await self._projects.find(name)

    async def release(self, name: NormalizedName, version: str) -> tuple[str, str] | None:
        """(name, version) as registered, of a release in any spelling; ``None`` where there is none."""
        found = await self._releases.find((name, versions.canonical(version)))
        return None if found is None or found.version is None else (found.name, found.version)

    async def file(self, filename: str) -> ListedFile | None:
        """The file listed under exactly this name."""
        return await self._files.find(filename)

    async def stored(self, blake2_256: str) -> ListedFile | None:
        """The file of this content."""
        return await self._stored.find(blake2_256)

    async def files_of(self, name: NormalizedName, canonical: str) -> tuple[ListedFile, ...]:
        """The files of a release.

        Args:
            canonical: its version, as ``pypi.domain.versions.canonical`` spells it.
        """
        return await self._released.find((name, canonical)) or ()

    async def has_md5(self, md5: str) -> bool:
        """Whether a file has this MD5, in hexadecimal."""
        return await self._digests.find(md5) is not None

    async def user(self, name: str) -> str | None:
        """How somebody's name is spelled; ``None`` where there is nobody of that name."""
        return await self._people.find(name.lower())

    async def last_serial(self) -> int:
        """Of the last change of anything; 0 where there was none."""
        return await self.database.ask(journal.last_serial)

    async def last_change(self) -> datetime | None:
        """When it was; aware, UTC."""
        return await self.database.ask(queries.last_change)
