"""What becomes of projects (PEP 792): archived, deprecated, or active again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.accounts.audit import Event, Kind
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import projects
from pypi.db.queries import status as queries
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.status import Said
from pypi.domain.changes import StatusChanged
from pypi.domain.errors import Invalid
from pypi.domain.names import NormalizedName, is_valid, normalize
from pypi.domain.permissions import Identity, Permission
from pypi.domain.values import Status
from pypi.publishing.holding import InQuarantine, hold
from pypi.publishing.record import Recorded
from pypi.publishing.told import Act, conclude
from pypi.publishing.yank import check_reason


@frozen
class NoSuccessor(Invalid):
    """What is to be used instead is not a project of this index, or the very same."""

    name: str

    def __str__(self) -> str:
        return f"{self.name!r} cannot be used instead: it is not another project of this index."


@frozen(kw_only=True, eq=False)
class Statuses:
    """Says what becomes of projects. Each returns the serial, ``None`` where all was so before.

    ``address`` is where on the network it comes from, for the security log.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards.
    """

    database: Database
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)

    async def archive(
        self, identity: Identity, name: str, reason: str = "", *, address: str = ""
    ) -> int | None:
        """No more files are taken; those that are there are offered.

        Raises:
            NoSuchProject, MayNotManage, ReasonUnusable, InQuarantine.
        """
        return await self._say(self._act(identity, address), name, Status.ARCHIVED, reason, "")

    async def deprecate(
        self, identity: Identity, name: str, reason: str = "", successor: str = "", *, address: str = ""
    ) -> int | None:
        """Something else should be used.

        Args:
            successor: another project of this index; empty for none.

        Raises:
            NoSuccessor: it is none; and what ``archive`` raises.
        """
        return await self._say(self._act(identity, address), name, Status.DEPRECATED, reason, successor)

    async def activate(self, identity: Identity, name: str, *, address: str = "") -> int | None:
        """The project is neither archived nor deprecated any more; raises what ``archive`` raises."""
        return await self._say(self._act(identity, address), name, Status.ACTIVE, "", "")

    def _act(self, identity: Identity, address: str) -> Act:
        return Act(identity=identity, now=self.now(), address=address)

    async def _say(self, act: Act, name: str, status: Status, reason: str, successor: str) -> int | None:
        check_reason(reason)
        if successor and not is_valid(successor):
            raise NoSuccessor(successor)
        said = Said(status.value, reason, normalize(successor) if successor else NormalizedName(""))
        return await self._conclude(await self.database.transact(_change, act, name, said))

    async def _conclude(self, done: Recorded | None) -> int | None:
        if done is None:
            return None
        await self.announce(done.serial, done.tags)
        return done.serial


async def _change(cursor: Cursor, act: Act, name: str, said: Said) -> Recorded | None:
    project = await hold(cursor, act.identity, name, Permission.MANAGE)
    if project.status == Status.QUARANTINED.value:
        raise InQuarantine(project.name)
    if said.successor:
        other = await projects.by_name(cursor, said.successor)
        if other is None or other.id == project.id or not _is_shown(other):
            raise NoSuccessor(said.successor)
    if await queries.of(cursor, project.id) == said:
        return None
    await queries.say(cursor, project.id, said)
    change = StatusChanged(
        project=project.normalized, name=project.name, actor=act.identity.name, status=said.status
    )
    return await conclude(cursor, act, (change, _event(act, project, said)))


def _is_shown(project: ProjectRow) -> bool:
    """Whether everybody may be told of it."""
    return project.status != Status.QUARANTINED.value and not project.is_private


def _event(act: Act, project: ProjectRow, said: Said) -> Event:
    return act.event(
        Kind.PROJECT_STATUS,
        project.normalized,
        status=said.status,
        before=project.status,
        reason=said.reason,
        successor=said.successor or None,
    )
