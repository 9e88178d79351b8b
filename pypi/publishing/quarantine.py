"""Quarantine: of a project, or of one release, nothing is listed or handed out until it was looked into."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.accounts.audit import Event, Kind
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import dependencies, releases, roles, search, status
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.releases import ReleaseRow
from pypi.domain.changes import (
    Change,
    ProjectQuarantined,
    QuarantineCleared,
    ReleaseCleared,
    ReleaseQuarantined,
)
from pypi.domain.errors import NoSuchRelease
from pypi.domain.permissions import Identity, Permission
from pypi.domain.values import Status
from pypi.mail import letters
from pypi.mail.letters import Letter
from pypi.publishing.holding import hold
from pypi.publishing.record import Recorded
from pypi.publishing.told import Act, conclude, keepers, tell
from pypi.publishing.yank import check_reason

UNSAID = "none was given"
"""In letters, in place of a reason."""


async def _nothing_withheld() -> None:
    pass


@frozen(kw_only=True, eq=False)
class Quarantines:
    """Puts projects and releases into quarantine, for administrators and the operator.

    Each returns the serial, ``None`` where all was so before. ``version`` is of one release, in any spelling;
    ``None`` means all of the project. ``address`` is where on the network it comes from.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards.
        withhold: sees to it that this process hands out no file in quarantine.
    """

    database: Database
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)
    withhold: Callable[[], Awaitable[None]] = field(default=_nothing_withheld, repr=False)

    async def begin(
        self,
        identity: Identity,
        name: str,
        version: str | None = None,
        reason: str = "",
        *,
        address: str = "",
    ) -> int | None:
        """Offer nothing any more, and tell those who look after the project.

        Args:
            reason: one line, shown to whoever asks for it, and to installers (PEP 792).

        Raises:
            NoSuchProject, NoSuchRelease: there is no such thing.
            MayNotManage: it is not for this identity to do.
            ReasonUnusable: the reason is too long, or no line of text.
        """
        check_reason(reason)
        act = Act(identity=identity, now=self.now(), address=address)
        if version is None:
            return await self._conclude(await self.database.transact(_begin, act, name, reason))
        return await self._conclude(await self.database.transact(_begin_release, act, name, version, reason))

    async def clear(
        self, identity: Identity, name: str, version: str | None = None, *, address: str = ""
    ) -> int | None:
        """Offer it again: a project is what it was before, but for its releases that are in quarantine.

        Raises:
            NoSuchProject, NoSuchRelease, MayNotManage.
        """
        act = Act(identity=identity, now=self.now(), address=address)
        if version is None:
            return await self._conclude(await self.database.transact(_clear, act, name))
        return await self._conclude(await self.database.transact(_clear_release, act, name, version))

    async def _conclude(self, done: Recorded | None) -> int | None:
        if done is None:
            return None
        await self.announce(done.serial, done.tags)
        await self.withhold()
        return done.serial


async def _begin(cursor: Cursor, act: Act, name: str, reason: str) -> Recorded | None:
    project = await hold(cursor, act.identity, name, Permission.ADMINISTER)
    if project.status == Status.QUARANTINED.value:
        return None
    await status.quarantine(cursor, project.id, reason=reason)
    await _write(cursor, act, project, _begun(act, project.name, reason))
    return await _told(cursor, act, project, ProjectQuarantined)


async def _clear(cursor: Cursor, act: Act, name: str) -> Recorded | None:
    project = await hold(cursor, act.identity, name, Permission.ADMINISTER)
    if project.status != Status.QUARANTINED.value:
        return None
    await status.clear(cursor, project.id)
    await _write(cursor, act, project, letters.QuarantineCleared(user="", project=project.name, by=act.name))
    return await _told(cursor, act, project, QuarantineCleared)


async def _told(
    cursor: Cursor,
    act: Act,
    project: ProjectRow,
    kind: type[ProjectQuarantined] | type[QuarantineCleared],
) -> Recorded:
    users = tuple(one.name for one in await roles.of_project(cursor, project.id))
    change = kind(project=project.normalized, name=project.name, actor=act.identity.name, users=users)
    said = await status.of(cursor, project.id)
    event = act.event(
        Kind.PROJECT_STATUS,
        project.normalized,
        status=said.status,
        before=project.status,
        reason=said.reason,
    )
    return await conclude(cursor, act, (change, event))


async def _begin_release(cursor: Cursor, act: Act, name: str, version: str, reason: str) -> Recorded | None:
    project, release = await _hold(cursor, act, name, version)
    if not await releases.quarantine(cursor, release.id, reason=reason, now=act.now):
        return None
    what = f"{project.name} {release.version}"
    await _write(cursor, act, project, _begun(act, what, reason))
    change = ReleaseQuarantined(
        project=project.normalized, name=project.name, actor=act.identity.name, version=release.version
    )
    event = act.event(Kind.RELEASE_QUARANTINED, project.normalized, version=release.version, reason=reason)
    return await _told_of_release(cursor, act, project, (change, event))


async def _clear_release(cursor: Cursor, act: Act, name: str, version: str) -> Recorded | None:
    project, release = await _hold(cursor, act, name, version)
    if not await releases.clear(cursor, release.id):
        return None
    what = f"{project.name} {release.version}"
    await _write(cursor, act, project, letters.QuarantineCleared(user="", project=what, by=act.name))
    change = ReleaseCleared(
        project=project.normalized, name=project.name, actor=act.identity.name, version=release.version
    )
    event = act.event(Kind.RELEASE_CLEARED, project.normalized, version=release.version)
    return await _told_of_release(cursor, act, project, (change, event))


async def _hold(cursor: Cursor, act: Act, name: str, version: str) -> tuple[ProjectRow, ReleaseRow]:
    project = await hold(cursor, act.identity, name, Permission.ADMINISTER)
    release = await releases.by_version(cursor, project_id=project.id, version=version)
    if release is None:
        raise NoSuchRelease(name, version)
    return project, release


async def _told_of_release(
    cursor: Cursor, act: Act, project: ProjectRow, told: tuple[Change, Event]
) -> Recorded:
    await search.refresh(cursor, project.id)
    await dependencies.refresh(cursor, project.id)
    return await conclude(cursor, act, told)


def _begun(act: Act, what: str, reason: str) -> Letter:
    return letters.ProjectQuarantined(user="", project=what, by=act.name, reason=reason or UNSAID)


async def _write(cursor: Cursor, act: Act, project: ProjectRow, letter: Letter) -> None:
    await tell(cursor, await keepers(cursor, project.id), letter, now=act.now)
