"""Who is what to a project: invited, added, changed, removed; and there is always an owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import evolve, field, frozen

from pypi.accounts.audit import Kind
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import roles
from pypi.db.queries.projects import ProjectRow
from pypi.domain.changes import RoleChanged, RoleRemoved
from pypi.domain.permissions import Identity, Permission, Role
from pypi.mail import letters
from pypi.publishing import inviting
from pypi.publishing.holding import hold
from pypi.publishing.inviting import Order, account, say
from pypi.publishing.record import Recorded
from pypi.publishing.role_errors import HasRole, LastOwner, NoRole
from pypi.publishing.told import Act, tell


@frozen(kw_only=True, eq=False)
class Roles:
    """Gives roles and takes them. Owners do, and everybody may leave.

    ``address`` is where on the network it comes from, for the security log.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards.
    """

    database: Database
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)

    async def invite(
        self, identity: Identity, project: str, user: str, role: Role, *, address: str = ""
    ) -> None:
        """Offer somebody a role for a week, by mail; once more: anew.

        Raises:
            NoSuchProject, MayNotManage, NoSuchUser, HasRole.
            InvitedOften: ``MOST_A_DAY`` times today.
        """
        await self.database.transact(inviting.invite, self._order(identity, address, project, user, role))

    async def transfer(self, identity: Identity, project: str, user: str, *, address: str = "") -> None:
        """Offer somebody a project: who accepts it is an owner, and who offers it is none any more.

        It is an invitation like others, to be accepted, declined or withdrawn; by the operator, it is in the
        name of all owners.

        Raises:
            NoSuchProject, MayNotManage, NoSuchUser.
            HasRole: it is an owner already.
        """
        order = self._order(identity, address, project, user, Role.OWNER)
        await self.database.transact(inviting.invite, evolve(order, is_transfer=True))

    async def withdraw(self, identity: Identity, project: str, user: str, *, address: str = "") -> None:
        """Offer it no more; raises ``NotInvited`` where nothing was offered."""
        await self.database.transact(inviting.withdraw, self._order(identity, address, project, user))

    async def decline(self, identity: Identity, project: str, *, address: str = "") -> None:
        """Do not want what was offered to oneself; raises ``NotInvited``, too."""
        await self.database.transact(inviting.decline, self._order(identity, address, project, identity.name))

    async def accept(self, identity: Identity, project: str, *, address: str = "") -> int:
        """Take what was offered to oneself; returns the serial, as those below do.

        Raises:
            NotInvited: nothing was, or it is too old, or who offered it is no owner any more.
        """
        order = self._order(identity, address, project, identity.name)
        return await self._conclude(await self.database.transact(inviting.accept, order))

    async def change(
        self, identity: Identity, project: str, user: str, role: Role, *, address: str = ""
    ) -> int:
        """Give somebody another role; raises ``NoRole``, ``HasRole``, ``LastOwner``."""
        order = self._order(identity, address, project, user, role)
        return await self._conclude(await self.database.transact(_change, order))

    async def remove(self, identity: Identity, project: str, user: str, *, address: str = "") -> int:
        """Take somebody's role away; raises ``NoRole``, ``LastOwner``."""
        order = self._order(identity, address, project, user)
        return await self._conclude(await self.database.transact(_remove, order))

    def _order(
        self, identity: Identity, address: str, project: str, user: str, role: Role | None = None
    ) -> Order:
        return Order(Act(identity=identity, now=self.now(), address=address), project, user, role)

    async def _conclude(self, done: Recorded) -> int:
        await self.announce(done.serial, done.tags)
        return done.serial


async def _change(cursor: Cursor, order: Order) -> Recorded:
    project = await hold(cursor, order.act.identity, order.project, Permission.OWN)
    user_id, name = await account(cursor, order.user)
    held = await _held(cursor, project, user_id, name)
    assert order.role is not None
    if held is order.role:
        raise HasRole(name, held.value)
    await roles.change(cursor, project_id=project.id, user_id=user_id, role=order.role)
    await _keep_an_owner(cursor, project)
    letter = letters.RoleChanged(user="", project=project.name, by=order.act.name, role=order.role.value)
    await tell(cursor, [user_id], letter, now=order.act.now)
    event = order.act.event(
        Kind.ROLE_CHANGED,
        project.normalized,
        user_id=user_id,
        user=name,
        role=order.role.value,
        before=held.value,
    )
    return await say(cursor, RoleChanged, project, order, event)


async def _remove(cursor: Cursor, order: Order) -> Recorded:
    user_id, name = await account(cursor, order.user)
    # Whoever leaves asks nobody, but by a token nobody leaves.
    leaves = order.act.identity.user_id == user_id and order.act.identity.token_id is None
    needed = Permission.READ if leaves else Permission.OWN
    project = await hold(cursor, order.act.identity, order.project, needed)
    held = await _held(cursor, project, user_id, name)
    await roles.remove(cursor, project_id=project.id, user_id=user_id)
    await _keep_an_owner(cursor, project)
    letter = letters.RoleRemoved(user="", project=project.name, by=order.act.name)
    await tell(cursor, [user_id], letter, now=order.act.now)
    event = order.act.event(Kind.ROLE_TAKEN, project.normalized, user_id=user_id, user=name, role=held.value)
    return await say(cursor, RoleRemoved, project, order, event)


async def _held(cursor: Cursor, project: ProjectRow, user_id: int, name: str) -> Role:
    held = await roles.of_user(cursor, project_id=project.id, user_id=user_id)
    if held is None:
        raise NoRole(name, project.name)
    return held


async def _keep_an_owner(cursor: Cursor, project: ProjectRow) -> None:
    if not any(one.role == Role.OWNER.value for one in await roles.of_project(cursor, project.id)):
        raise LastOwner(project.name)
