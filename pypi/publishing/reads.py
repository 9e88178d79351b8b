"""Who reads a project: everybody, every account, or those with a role in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.accounts.audit import Kind
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import dependencies, reads, roles, search
from pypi.domain.changes import ReadsChanged
from pypi.domain.permissions import Access, Identity, Permission
from pypi.publishing.holding import hold, leave_to_operator
from pypi.publishing.record import Recorded
from pypi.publishing.told import Act, conclude


@frozen(kw_only=True, eq=False)
class Reads:
    """Says who reads projects.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards, nor anything that
            is not for everybody.
    """

    database: Database
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)

    async def change(self, identity: Identity, name: str, access: Access, *, address: str = "") -> int | None:
        """Let these read a project from now on.

        Where the whole index is not for everybody, nobody gets to read more by that than the index allows;
        but whatever is said here other than ``PUBLIC``, no list has the project.

        Args:
            address: where on the network it comes from, for the security log.

        Returns:
            the serial; ``None`` where all was so before.

        Raises:
            NoSuchProject, MayNotManage, InQuarantine.
        """
        act = Act(identity=identity, now=self.now(), address=address)
        done = await self.database.transact(_change, act, name, access)
        if done is None:
            return None
        await self.announce(done.serial, done.tags)
        return done.serial


async def _change(cursor: Cursor, act: Act, name: str, access: Access) -> Recorded | None:
    project = await hold(cursor, act.identity, name, Permission.OWN)
    leave_to_operator(act.identity, project)
    if project.reads == access.value:
        return None
    await reads.say(cursor, project.id, access)
    await search.refresh(cursor, project.id)
    await dependencies.refresh(cursor, project.id)
    change = ReadsChanged(
        project=project.normalized,
        name=project.name,
        actor=act.identity.name,
        reads=access.value,
        before=project.reads,
        users=tuple(one.name for one in await roles.of_project(cursor, project.id)),
    )
    event = act.event(Kind.READS_CHANGED, project.normalized, reads=access.value, before=project.reads)
    return await conclude(cursor, act, (change, event))
