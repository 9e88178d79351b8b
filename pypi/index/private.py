"""Projects that are not for everybody: which they are, so that nothing is looked up for all others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from time import time

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, DeferredLock
from twisted.logger import Logger

from pypi.db.queries import reads
from pypi.db.queries.reads import PrivateRow
from pypi.domain.cache_tags import PRIVATE, PRIVATE_TAG
from pypi.domain.errors import Unavailable
from pypi.domain.permissions import Access
from pypi.index.looking import Looking
from pypi.index.withheld import Withheld

log = Logger()

YOUNG = 60.0
"""Seconds for which a file may be there while not every process knows of it: far more than it takes."""

MOST_SETTLED = 10_000
"""Such files that are known to be for everybody; the oldest make room."""


@frozen
class PrivateProject:
    """A project that is not for everybody who reads the index."""

    id: int
    access: Access


@frozen(eq=False)
class Unoffered:
    """BLAKE2b-256 of the files that nobody gets, or not everybody."""

    withheld: Withheld
    private: Private

    def __contains__(self, digest: object) -> bool:
        """Whether a file is one of them.

        Raises:
            Unavailable: that is not known yet.
        """
        return digest in self.withheld.digests or digest in self.private

    async def settle(self, blake2_256: str, modified: float) -> None:
        """Know it of a file for certain, also where it was published a moment ago.

        Args:
            modified: when the file was stored, in POSIX seconds.
        """
        await self.private.settle(blake2_256, modified)


def names_in(tags: Iterable[str]) -> list[str]:
    """Normalized names of the projects that tags of a change are about."""
    return [tag.partition("/")[2] for tag in tags if tag.startswith((PRIVATE_TAG, "project/"))]


@define(eq=False, repr=False)
class Private(Looking):
    """Knows them by name, and by the digests of their files.

    It tells nobody anything: answers for everybody are made as if these projects were not there, whatever is
    known here. It says whose requests are worth a look at who asks, and which files are not for everybody.

    Attributes:
        wall: POSIX seconds.
    """

    wall: Callable[[], float] = time
    _projects: dict[str, PrivateProject] = field(factory=dict, init=False)
    _files: dict[str, PrivateProject] = field(factory=dict, init=False)
    _held: dict[int, tuple[set[str], set[str]]] = field(factory=dict, init=False)
    _settled: OrderedDict[str, None] = field(factory=OrderedDict, init=False)
    _is_known: bool = field(default=False, init=False)
    _unseen: set[str] | None = field(default=None, init=False)
    _turn: DeferredLock = field(factory=DeferredLock, init=False, repr=False)

    def __repr__(self) -> str:
        return f"<Private {len(self._projects)} projects, {len(self._files)} files>"

    def project(self, normalized: str) -> PrivateProject | None:
        """The project of that name, if it is not for everybody.

        Raises:
            Unavailable: that is not known yet.
        """
        self._check()
        return self._projects.get(normalized)

    def file(self, blake2_256: str) -> PrivateProject | None:
        """The project that has a file of this content, if it is not for everybody; raises the same."""
        self._check()
        return self._files.get(blake2_256)

    def __contains__(self, blake2_256: object) -> bool:
        """Whether a file of this content is not for everybody; raises the same."""
        self._check()
        return blake2_256 in self._files

    async def settle(self, blake2_256: str, modified: float) -> None:
        """Know whose a file is that came so recently that nobody may have told yet.

        Raises:
            DatabaseDown: nobody can say.
        """
        is_known = blake2_256 in self._files or blake2_256 in self._settled
        if is_known or abs(self.wall() - modified) > YOUNG:
            return
        name = await self.database.ask(reads.private_by_file, blake2_256)
        if name is not None:
            await self.look([name])
            return
        self._settled[blake2_256] = None
        while len(self._settled) > MOST_SETTLED:
            self._settled.popitem(last=False)

    def after(
        self, announce: Callable[[int, Sequence[str]], Awaitable[None]]
    ) -> Callable[[int, Sequence[str]], Awaitable[None]]:
        """What announces a change, and has it known here as well when it returns."""

        async def announced(serial: int, tags: Sequence[str]) -> None:
            await announce(serial, tags)
            if PRIVATE in tags:
                await self.look(names_in(tags))

        return announced

    def _check(self) -> None:
        if not self._is_known:
            raise Unavailable()

    # --- knowing ------------------------------------------------------------------------------------------

    def hint(self, names: Iterable[str] | None = None) -> None:
        """Something may have changed: of projects by these normalized names, or of any."""
        if not self._stopped:
            Deferred.fromCoroutine(self.look(names))

    async def look(self, names: Iterable[str] | None = None) -> None:
        """Know what holds now, or at any rate go on asking; never fails.

        Looks come one after the other, so that none undoes what a later one saw.
        """
        self._note(names)
        await self._turn.acquire()
        try:
            if self._unseen != set() and not self._stopped:  # else whoever looked meanwhile did so for us
                await self._look()
        finally:
            self._turn.release()

    def _note(self, names: Iterable[str] | None) -> None:
        if names is None or not self._is_known:
            self._unseen = None
        elif self._unseen is not None:
            self._unseen.update(names)

    async def _look(self) -> None:
        unseen, self._unseen = self._unseen, set()
        try:
            if unseen is None:
                ids: Sequence[int] = list(self._held)
                rows = await self.database.scan(reads.private)
            else:
                ids = [self._projects[name].id for name in unseen if name in self._projects]
                rows = await self.database.scan(reads.private_of, sorted(unseen), ids)
        except Exception as error:
            log.warn("It is not known which projects are private: {error}", error=repr(error))
            self._unseen = None if unseen is None or self._unseen is None else unseen | self._unseen
            self._later()
            return
        # Nobody asks in between: these run in one turn of the reactor.
        for project_id in ids:
            self._forget(project_id)
        self._learn(rows)
        self._is_known = True

    def _forget(self, project_id: int) -> None:
        names, digests = self._held.pop(project_id, ((), ()))
        for name in names:
            self._projects.pop(name, None)
        for digest in digests:
            self._files.pop(digest, None)

    def _learn(self, rows: Iterable[PrivateRow]) -> None:
        projects: dict[int, PrivateProject] = {}
        for row in rows:
            project = projects.get(row.project_id) or PrivateProject(row.project_id, Access(row.reads))
            projects[row.project_id] = project
            names, digests = self._held.setdefault(row.project_id, (set(), set()))
            names.add(row.normalized)
            self._projects[row.normalized] = project
            if row.blake2_256 is not None:
                digests.add(row.blake2_256)
                self._files[row.blake2_256] = project

    def _look_again(self) -> None:
        self._again = None
        self.hint(())
