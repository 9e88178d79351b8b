"""Deleting files, releases and projects, for good.

Filenames stay in the ledger for ever. The name of a deleted project is kept for those who owned it, until the
operator frees it: the public index gives it to whoever comes first, and names that many still ask for have
been taken by strangers that way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import dependencies, releases, removal, roles, search
from pypi.db.queries.removal import RemovedFile
from pypi.domain.changes import Change, FileRemoved, ProjectRemoved, ReleaseRemoved
from pypi.domain.errors import NoSuchFile, NoSuchRelease
from pypi.domain.names import normalize
from pypi.domain.permissions import Identity, Permission
from pypi.files import paths
from pypi.publishing.holding import hold
from pypi.publishing.record import Recorded, conclude


@frozen
class Deleted:
    """What was deleted, and the files that are not listed any more."""

    recorded: Recorded
    files: Sequence[RemovedFile]


@frozen(kw_only=True, eq=False)
class Deletions:
    """Deletes what its owners want gone.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards.
        forget: takes a file out of the store unless it is listed, which the sweep would do otherwise.
    """

    database: Database
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)
    forget: Callable[[str], Awaitable[bool]] = field(repr=False)

    async def delete_file(self, identity: Identity, name: str, filename: str) -> int:
        """Delete a file; a release stays even without files.

        Returns:
            the serial of the change, as the others do.

        Raises:
            NoSuchProject, NoSuchFile: there is no such thing in this project.
            MayNotManage: it is not for this identity to do.
        """
        return await self._conclude(
            await self.database.transact(_delete_file, identity, name, filename, self.now())
        )

    async def delete_release(self, identity: Identity, name: str, version: str) -> int:
        """Delete a release with all its files; raises ``NoSuchRelease``, too."""
        return await self._conclude(
            await self.database.transact(_delete_release, identity, name, version, self.now())
        )

    async def delete_project(self, identity: Identity, name: str) -> int:
        """Delete a project with all that belongs to it; for its owners, and the operator."""
        return await self._conclude(await self.database.transact(_delete_project, identity, name, self.now()))

    async def free(self, name: str) -> bool:
        """Let anybody take the name of a project that is gone: for the operator; whether it was kept."""
        return await self.database.transact(removal.free, normalize(name))

    async def _conclude(self, deleted: Deleted) -> int:
        await self.announce(deleted.recorded.serial, deleted.recorded.tags)
        for file in deleted.files:
            # Nothing lists it any more; whoever lists the same bytes meanwhile is noticed under their lock.
            await self.forget(paths.store_path(file.blake2_256, file.filename))
        return deleted.recorded.serial


async def _delete_file(
    cursor: Cursor, identity: Identity, name: str, filename: str, now: datetime
) -> Deleted:
    project = await hold(cursor, identity, name, Permission.MANAGE)
    version = await removal.version_of(cursor, project_id=project.id, filename=filename)
    if version is None:
        raise NoSuchFile(filename)
    release = await releases.by_version(cursor, project_id=project.id, version=version)
    assert release is not None, "a file has a release"
    removed = await removal.file(cursor, project_id=project.id, release_id=release.id, filename=filename)
    assert removed is not None, "nobody else changes this project"
    line = FileRemoved(
        project=project.normalized,
        name=project.name,
        actor=identity.name,
        version=release.version,
        filename=filename,
    )
    return await _write_down(cursor, project.id, line, [removed], now)


async def _delete_release(
    cursor: Cursor, identity: Identity, name: str, version: str, now: datetime
) -> Deleted:
    project = await hold(cursor, identity, name, Permission.MANAGE)
    release = await releases.by_version(cursor, project_id=project.id, version=version)
    if release is None:
        raise NoSuchRelease(name, version)
    removed = await removal.release(cursor, release.id)
    line = ReleaseRemoved(
        project=project.normalized, name=project.name, actor=identity.name, version=release.version
    )
    return await _write_down(cursor, project.id, line, removed, now)


async def _delete_project(cursor: Cursor, identity: Identity, name: str, now: datetime) -> Deleted:
    project = await hold(cursor, identity, name, Permission.OWN)
    line = ProjectRemoved(
        project=project.normalized,
        name=project.name,
        actor=identity.name,
        users=tuple(one.name for one in await roles.of_project(cursor, project.id)),
        former_names=tuple(await removal.former_names_of(cursor, project.id)),
    )
    removed = await removal.project(cursor, project.id, now=now)
    return Deleted(await conclude(cursor, [line], now=now), removed)


async def _write_down(
    cursor: Cursor, project_id: int, line: Change, removed: Sequence[RemovedFile], now: datetime
) -> Deleted:
    await search.refresh(cursor, project_id)
    await dependencies.refresh(cursor, project_id)
    return Deleted(await conclude(cursor, [line], now=now), removed)
