"""What becomes of projects (PEP 792): archived, deprecated, active again, or kept in quarantine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import projects, roles
from pypi.db.queries import status as queries
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.status import Said
from pypi.domain.changes import Change, ProjectQuarantined, QuarantineCleared, StatusChanged
from pypi.domain.errors import Invalid
from pypi.domain.names import NormalizedName, is_valid, normalize
from pypi.domain.permissions import Identity, Permission
from pypi.domain.values import Status
from pypi.publishing.holding import InQuarantine, hold
from pypi.publishing.record import Recorded, conclude
from pypi.publishing.yank import check_reason


@frozen
class NoSuccessor(Invalid):
    """What is to be used instead is not a project of this index, or the very same."""

    name: str

    def __str__(self) -> str:
        return f"{self.name!r} cannot be used instead: it is not another project of this index."


async def _nothing_withheld() -> None:
    pass


@frozen(kw_only=True, eq=False)
class Statuses:
    """Says what becomes of projects. Each returns the serial, ``None`` where all was so before.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards.
        withhold: sees to it that this process hands out no file in quarantine.
    """

    database: Database
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)
    withhold: Callable[[], Awaitable[None]] = field(default=_nothing_withheld, repr=False)

    async def archive(self, identity: Identity, name: str, reason: str = "") -> int | None:
        """No more files are taken; those that are there are offered.

        Raises:
            NoSuchProject, MayNotManage, ReasonUnusable, InQuarantine.
        """
        return await self._say(identity, name, Status.ARCHIVED, reason, "")

    async def deprecate(
        self, identity: Identity, name: str, reason: str = "", successor: str = ""
    ) -> int | None:
        """Something else should be used.

        Args:
            successor: another project of this index; empty for none.

        Raises:
            NoSuccessor: it is none; and what ``archive`` raises.
        """
        return await self._say(identity, name, Status.DEPRECATED, reason, successor)

    async def activate(self, identity: Identity, name: str) -> int | None:
        """The project is neither archived nor deprecated any more; raises what ``archive`` raises."""
        return await self._say(identity, name, Status.ACTIVE, "", "")

    async def quarantine(self, identity: Identity, name: str, reason: str = "") -> int | None:
        """Nothing of the project is listed or handed out; for administrators and the operator."""
        check_reason(reason)
        done = await self.database.transact(_quarantine, identity, name, reason, self.now())
        return await self._conclude(done)

    async def clear(self, identity: Identity, name: str) -> int | None:
        """The project is what it was before its quarantine; for administrators and the operator."""
        return await self._conclude(await self.database.transact(_clear, identity, name, self.now()))

    async def _say(
        self, identity: Identity, name: str, status: Status, reason: str, successor: str
    ) -> int | None:
        check_reason(reason)
        if successor and not is_valid(successor):
            raise NoSuccessor(successor)
        said = Said(status.value, reason, normalize(successor) if successor else NormalizedName(""))
        return await self._conclude(await self.database.transact(_change, identity, name, said, self.now()))

    async def _conclude(self, done: Recorded | None) -> int | None:
        if done is None:
            return None
        await self.announce(done.serial, done.tags)
        await self.withhold()
        return done.serial


async def _change(
    cursor: Cursor, identity: Identity, name: str, said: Said, now: datetime
) -> Recorded | None:
    project = await hold(cursor, identity, name, Permission.MANAGE)
    if project.status == Status.QUARANTINED.value:
        raise InQuarantine(project.name)
    if said.successor:
        other = await projects.by_name(cursor, said.successor)
        if other is None or other.id == project.id or other.status == Status.QUARANTINED.value:
            raise NoSuccessor(said.successor)
    if await queries.of(cursor, project.id) == said:
        return None
    await queries.say(cursor, project.id, said)
    line = StatusChanged(
        project=project.normalized, name=project.name, actor=identity.name, status=said.status
    )
    return await conclude(cursor, [line], now=now)


async def _quarantine(
    cursor: Cursor, identity: Identity, name: str, reason: str, now: datetime
) -> Recorded | None:
    project = await hold(cursor, identity, name, Permission.ADMINISTER)
    if project.status == Status.QUARANTINED.value:
        return None
    await queries.quarantine(cursor, project.id, reason=reason)
    line = await _line(cursor, ProjectQuarantined, project, identity)
    return await conclude(cursor, [line], now=now)


async def _clear(cursor: Cursor, identity: Identity, name: str, now: datetime) -> Recorded | None:
    project = await hold(cursor, identity, name, Permission.ADMINISTER)
    if project.status != Status.QUARANTINED.value:
        return None
    await queries.clear(cursor, project.id)
    return await conclude(cursor, [await _line(cursor, QuarantineCleared, project, identity)], now=now)


async def _line(
    cursor: Cursor,
    kind: type[ProjectQuarantined] | type[QuarantineCleared],
    project: ProjectRow,
    identity: Identity,
) -> Change:
    users = tuple(one.name for one in await roles.of_project(cursor, project.id))
    return kind(project=project.normalized, name=project.name, actor=identity.name, users=users)
