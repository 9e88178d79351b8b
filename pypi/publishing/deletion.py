"""Deleting files, releases and projects, for good.

Filenames stay in the ledger for ever. The name of a deleted project is kept for those who owned it, until the
operator frees it or says whose it is: the public index gives it to whoever comes first, and names that many
still ask for have been taken by strangers that way. What is in quarantine is the operator's to delete.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.accounts.audit import Event, Kind
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import dependencies, releases, removal, roles, search
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.removal import RemovedFile
from pypi.domain.changes import Change, FileRemoved, ProjectRemoved, ReleaseRemoved
from pypi.domain.errors import NoSuchFile, NoSuchRelease
from pypi.domain.permissions import Identity, Permission
from pypi.files import paths
from pypi.mail import letters
from pypi.publishing.holding import hold, leave_to_operator
from pypi.publishing.record import Recorded
from pypi.publishing.told import Act, conclude, keepers, tell


@frozen
class Deleted:
    """What was deleted, and the files that are not listed any more."""

    recorded: Recorded
    files: Sequence[RemovedFile]


@frozen(kw_only=True, eq=False)
class Deletions:
    """Deletes what its owners want gone.

    Each returns the serial of the change; ``address`` is where on the network it comes from, for the security
    log.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards.
        forget: takes a file out of the store unless it is listed, which the sweep would do otherwise.
    """

    database: Database
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)
    forget: Callable[[str], Awaitable[bool]] = field(repr=False)

    async def delete_file(self, identity: Identity, name: str, filename: str, *, address: str = "") -> int:
        """Delete a file; a release stays even without files.

        Raises:
            NoSuchProject, NoSuchFile: there is no such thing in this project.
            MayNotManage: it is not for this identity to do.
            InQuarantine, ReleaseInQuarantine: the operator looks into it.
        """
        act = Act(identity=identity, now=self.now(), address=address)
        return await self._conclude(await self.database.transact(_delete_file, act, name, filename))

    async def delete_release(self, identity: Identity, name: str, version: str, *, address: str = "") -> int:
        """Delete a release with all its files; raises ``NoSuchRelease``, too."""
        act = Act(identity=identity, now=self.now(), address=address)
        return await self._conclude(await self.database.transact(_delete_release, act, name, version))

    async def delete_project(self, identity: Identity, name: str, *, address: str = "") -> int:
        """Delete a project with all that belongs to it; for its owners, and the operator."""
        act = Act(identity=identity, now=self.now(), address=address)
        return await self._conclude(await self.database.transact(_delete_project, act, name))

    async def _conclude(self, deleted: Deleted) -> int:
        await self.announce(deleted.recorded.serial, deleted.recorded.tags)
        for file in deleted.files:
            # Nothing lists it any more; whoever lists the same bytes meanwhile is noticed under their lock.
            await self.forget(paths.store_path(file.blake2_256, file.filename))
        return deleted.recorded.serial


async def _delete_file(cursor: Cursor, act: Act, name: str, filename: str) -> Deleted:
    project = await hold(cursor, act.identity, name, Permission.MANAGE)
    version = await removal.version_of(cursor, project_id=project.id, filename=filename)
    if version is None:
        raise NoSuchFile(filename)
    release = await releases.by_version(cursor, project_id=project.id, version=version)
    assert release is not None, "a file has a release"
    leave_to_operator(act.identity, project, release)
    removed = await removal.file(cursor, project_id=project.id, release_id=release.id, filename=filename)
    assert removed is not None, "nobody else changes this project"
    change = FileRemoved(
        project=project.normalized,
        name=project.name,
        actor=act.identity.name,
        version=release.version,
        filename=filename,
    )
    event = act.event(Kind.FILE_DELETED, project.normalized, version=release.version, filename=filename)
    return await _write_down(cursor, act, project, (change, event), [removed])


async def _delete_release(cursor: Cursor, act: Act, name: str, version: str) -> Deleted:
    project = await hold(cursor, act.identity, name, Permission.MANAGE)
    release = await releases.by_version(cursor, project_id=project.id, version=version)
    if release is None:
        raise NoSuchRelease(name, version)
    leave_to_operator(act.identity, project, release)
    removed = await removal.release(cursor, release.id)
    change = ReleaseRemoved(
        project=project.normalized, name=project.name, actor=act.identity.name, version=release.version
    )
    event = act.event(Kind.RELEASE_DELETED, project.normalized, version=release.version)
    return await _write_down(cursor, act, project, (change, event), removed)


async def _write_down(
    cursor: Cursor,
    act: Act,
    project: ProjectRow,
    told: tuple[Change, Event],
    removed: Sequence[RemovedFile],
) -> Deleted:
    await search.refresh(cursor, project.id)
    await dependencies.refresh(cursor, project.id)
    return Deleted(await conclude(cursor, act, told), removed)


async def _delete_project(cursor: Cursor, act: Act, name: str) -> Deleted:
    project = await hold(cursor, act.identity, name, Permission.OWN)
    leave_to_operator(act.identity, project, *await releases.held_back(cursor, project.id))
    change = ProjectRemoved(
        project=project.normalized,
        name=project.name,
        actor=act.identity.name,
        users=tuple(one.name for one in await roles.of_project(cursor, project.id)),
        former_names=tuple(await removal.former_names_of(cursor, project.id)),
        is_private=project.is_private,
    )
    letter = letters.ProjectDeleted(user="", project=project.name, by=act.identity.name)
    await tell(cursor, await keepers(cursor, project.id), letter, now=act.now)
    removed = await removal.project(cursor, project.id, now=act.now)
    event = act.event(Kind.PROJECT_DELETED, project.normalized, name=project.name)
    return Deleted(await conclude(cursor, act, (change, event)), removed)
