"""Projects as those see them who have a role in them: what is to be managed.

Every question joins the role of who asks: a project in which they have none is not there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import managed
from pypi.domain.downloads import RECENT_DAYS, first_of
from pypi.domain.errors import NoSuchFile, NoSuchRelease
from pypi.domain.names import normalize
from pypi.domain.permissions import Identity
from pypi.index.held import Extent, Held, Mine, NotYours, Part, People, Release, Releases

PROJECTS_SHOWN = 50
RELEASES_SHOWN = 100
FILES_SHOWN = 100
PEOPLE_SHOWN = 500
OFFERS_SHOWN = 100


@frozen(kw_only=True, eq=False)
class Managing:
    """Answers from the rows of this index; names may be spelled in any way, and be of before.

    All that are about one project raise ``NotYours`` to who has no role in it, and all ``DatabaseDown``.

    Attributes:
        now: aware, UTC.
    """

    database: Database
    now: Callable[[], datetime] = field(repr=False)

    async def mine(self, identity: Identity, page: int = 1) -> Mine:
        """The projects in which somebody has a role."""
        return await self.database.read(_mine, identity.user_id or 0, page, now=self.now())

    async def project(self, identity: Identity, name: str) -> Held:
        """A project."""
        return await self.database.ask(_held, identity, name)

    async def releases(self, identity: Identity, name: str, page: int = 1) -> Releases:
        """All its releases, the highest version first."""
        return await self.database.read(_releases, identity, name, page)

    async def release(self, identity: Identity, name: str, version: str, page: int = 1) -> Release:
        """One of them, with its files; raises ``NoSuchRelease``, too."""
        return await self.database.read(_release, identity, name, version, page=page, now=self.now())

    async def file(self, identity: Identity, name: str, version: str, filename: str) -> Release:
        """One of them with only this of its files; raises ``NoSuchRelease``, ``NoSuchFile``, too."""
        found = await self.database.read(_release, identity, name, version, filename=filename, now=self.now())
        if not found.files:
            raise NoSuchFile(filename)
        return found

    async def people(self, identity: Identity, name: str) -> People:
        """Who has a role in it, and who is offered one."""
        return await self.database.read(_people, identity, name, now=self.now())

    async def extent(self, identity: Identity, name: str) -> Extent:
        """How much of it there is."""
        return await self.database.read(_extent, identity, name, now=self.now())


async def _mine(cursor: Cursor, user_id: int, page: int, *, now: datetime) -> Mine:
    count = await managed.count_mine(cursor, user_id)
    part = Part.of(count, PROJECTS_SHOWN, page)
    return Mine(
        await managed.mine(cursor, user_id, limit=part.each, offset=part.offset),
        count,
        part,
        await managed.offers(cursor, user_id, now=now, limit=OFFERS_SHOWN),
    )


async def _held(cursor: Cursor, identity: Identity, name: str) -> Held:
    row = await managed.head(cursor, identity.user_id or 0, normalize(name))
    if row is None:
        raise NotYours(name)
    return Held.of(row)


async def _releases(cursor: Cursor, identity: Identity, name: str, page: int) -> Releases:
    held = await _held(cursor, identity, name)
    part = Part.of(held.releases, RELEASES_SHOWN, page)
    found = await managed.releases(cursor, held.id, limit=part.each, offset=part.offset)
    return Releases(held, found, part)


async def _release(
    cursor: Cursor,
    identity: Identity,
    name: str,
    version: str,
    *,
    filename: str | None = None,
    page: int = 1,
    now: datetime,
) -> Release:
    held = await _held(cursor, identity, name)
    release = await managed.release(cursor, held.id, version)
    if release is None:
        raise NoSuchRelease(name, version)
    part = Part.of(release.files, FILES_SHOWN, page)
    files = await managed.files(cursor, release.id, filename=filename, limit=part.each, offset=part.offset)
    return Release(held, release, files, part, await _recent(cursor, held, now))


async def _people(cursor: Cursor, identity: Identity, name: str, *, now: datetime) -> People:
    held = await _held(cursor, identity, name)
    return People(
        held,
        await managed.people(cursor, held.id, limit=PEOPLE_SHOWN),
        await managed.invited(cursor, held.id, now=now, limit=PEOPLE_SHOWN),
    )


async def _extent(cursor: Cursor, identity: Identity, name: str, *, now: datetime) -> Extent:
    held = await _held(cursor, identity, name)
    files, size = await managed.held(cursor, held.id)
    return Extent(held, files, size, await _recent(cursor, held, now))


async def _recent(cursor: Cursor, held: Held, now: datetime) -> int:
    return await managed.recent(cursor, held.id, first=first_of(now.date(), RECENT_DAYS))
