"""Calling a project otherwise; the name it had leads to it for ever, and nobody else gets it.

Files keep their names: an installer that looks for ``old`` takes ``old-1.0.tar.gz`` with the metadata of
``old`` and nothing else, whatever page that is listed on. So under its old name the simple index goes on to
list what was published under that, and under the new one what is published from now on; everywhere else, the
old name leads to the new one (docs/ARCHITECTURE.md).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from pypi.accounts.audit import Event, Kind
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import dependencies, projects, removal, renaming, roles, search
from pypi.db.queries.projects import ProjectRow
from pypi.domain.changes import Change, NameLeft, ProjectRenamed
from pypi.domain.errors import Conflict, TooMany
from pypi.domain.names import NormalizedName, normalize
from pypi.domain.permissions import Identity, Permission, Role
from pypi.mail import letters
from pypi.publishing.checks import of_new_name
from pypi.publishing.errors import NameProhibited
from pypi.publishing.facts import Facts
from pypi.publishing.holding import hold, leave_to_operator
from pypi.publishing.record import Recorded
from pypi.publishing.rules import Rules
from pypi.publishing.submission import checked_name
from pypi.publishing.told import Act, conclude, tell

MOST_NAMES = 10
"""Names that one project may have had."""

MOST_A_DAY = 3
"""How often its owners may rename a project within ``DAY``."""

DAY = timedelta(days=1)


@frozen
class NameTaken(Conflict):
    """Another project has the name."""

    name: str

    def __str__(self) -> str:
        return f"There is a project named {self.name!r} on this index already."


@frozen
class TooManyNames(Conflict):
    """The project had many names, each of which is kept for it."""

    project: str

    def __str__(self) -> str:
        return f"The project {self.project!r} had {MOST_NAMES} other names; it can take one of these again."


@frozen
class RenamedTooOften(TooMany):
    """Others have to find what they look for."""

    project: str
    retry_after: int = int(DAY.total_seconds())

    def __str__(self) -> str:
        return f"The project {self.project!r} was renamed {MOST_A_DAY} times in a day. Try again tomorrow."


@frozen
class Order:
    """What shall be so."""

    act: Act
    name: str
    new_name: str


@frozen(kw_only=True, eq=False)
class Renaming:
    """Renames projects: for their owners, and the operator.

    Attributes:
        rules: of this index, which names nobody may take among them.
        announce: sees to it that nobody is shown anything older by this process afterwards.
    """

    database: Database
    rules: Rules
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)

    async def rename(self, identity: Identity, name: str, new_name: str, *, address: str = "") -> int | None:
        """Call a project otherwise, or spell its name otherwise.

        Args:
            new_name: free for who begins a project; or one the project had before, or another spelling.
            address: where on the network it comes from, for the security log.

        Returns:
            the serial of the change; ``None`` where it is called just so.

        Raises:
            NoSuchProject, MayNotManage, InQuarantine.
            InvalidField: no project can have such a name.
            NameReserved, NameProhibited, NameMoved, NameWithdrawn, NameTooSimilar: this one must not.
            NameTaken: there is another project of the name.
            TooManyNames, RenamedTooOften.
        """
        act = Act(identity=identity, now=self.now(), address=address)
        order = Order(act, name, checked_name(new_name.strip()))
        done = await self.database.transact(_rename, order, self.rules)
        if done is None:
            return None
        await self.announce(done.serial, done.tags)
        return done.serial


async def _rename(cursor: Cursor, order: Order, rules: Rules) -> Recorded | None:
    identity, now = order.act.identity, order.act.now
    project = await hold(cursor, identity, order.name, Permission.OWN)
    leave_to_operator(identity, project)
    if project.name == order.new_name:
        return None
    await _check_often(cursor, project, order)
    people = await roles.of_project(cursor, project.id)
    renamed = evolve(project, name=order.new_name, normalized=normalize(order.new_name))
    if renamed.normalized == project.normalized:
        await projects.spell(cursor, project.id, order.new_name)
    else:
        await _check_name(cursor, project, order, rules)
        await renaming.rename(cursor, project.id, order.new_name, now=now)
    await search.refresh(cursor, project.id)
    await dependencies.refresh(cursor, project.id)
    owners = [one.user_id for one in people if one.role == Role.OWNER.value]
    await tell(cursor, owners, _letter(project, order), now=now)
    change = ProjectRenamed(
        project=renamed.normalized,
        name=renamed.name,
        actor=identity.name,
        before=project.name,
        users=tuple(one.name for one in people),
    )
    return await conclude(
        cursor, order.act, (change, _event(project, order)), also=await _left(cursor, change)
    )


async def _check_often(cursor: Cursor, project: ProjectRow, order: Order) -> None:
    if order.act.identity.is_operator:
        return
    since, event = order.act.now - DAY, Kind.PROJECT_RENAMED.event
    if await renaming.recent(cursor, project.id, event=event, since=since) >= MOST_A_DAY:
        raise RenamedTooOften(project.name)


async def _check_name(cursor: Cursor, project: ProjectRow, order: Order, rules: Rules) -> None:
    """Whether the project may have the name, which nobody else takes until this transaction ends."""
    identity, new = order.act.identity, normalize(order.new_name)
    await projects.lock_creation(cursor, order.new_name)
    taken = await projects.by_name(cursor, new)
    if taken is not None:
        raise NameProhibited(order.new_name) if taken.is_private else NameTaken(taken.name)
    own = await renaming.former_names(cursor, project.normalized)
    if new in own:
        return
    facts = Facts(
        project=None,
        look_alike=await projects.look_alike(cursor, order.new_name, but=project.id),
        is_prohibited=await projects.is_prohibited(cursor, new),
        former=await removal.former_name(cursor, new, user_id=identity.user_id),
    )
    for refusal in of_new_name(order.new_name, facts, identity, rules):
        raise refusal
    if len(own) >= MOST_NAMES:
        raise TooManyNames(project.name)


async def _left(cursor: Cursor, change: ProjectRenamed) -> list[Change]:
    """What is to be said of the names the project had: each leads to the new one."""
    return [
        NameLeft(project=one.normalized, name=one.name, actor=change.actor, now=change.name)
        for one in await renaming.former_of(cursor, [NormalizedName(change.project)])
    ]


def _letter(project: ProjectRow, order: Order) -> letters.ProjectRenamed:
    return letters.ProjectRenamed(
        user="", project=project.name, by=order.act.identity.name, new=order.new_name
    )


def _event(project: ProjectRow, order: Order) -> Event:
    return order.act.event(
        Kind.PROJECT_RENAMED, normalize(order.new_name), before=project.name, name=order.new_name
    )
