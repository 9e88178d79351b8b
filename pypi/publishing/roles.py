"""Who is what to a project: invited, added, changed, removed; and there is always an owner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from attrs import evolve, field, frozen

from pypi.accounts import audit
from pypi.accounts.audit import Event, Kind
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import invitations, roles, users
from pypi.db.queries.projects import ProjectRow
from pypi.domain.changes import Change, RoleAdded, RoleChanged, RoleRemoved
from pypi.domain.errors import Conflict, Forbidden, NotFound, TooMany
from pypi.domain.permissions import Identity, Permission, Role
from pypi.mail import letters
from pypi.publishing.holding import MayNotManage, hold
from pypi.publishing.record import Recorded
from pypi.publishing.told import Act, conclude, tell
from pypi.publishing.transfer import take_over

GOOD_FOR = timedelta(days=7)
"""How long an invitation may be accepted."""

MOST_A_DAY = 5
"""Letters that one project may have sent to one account within a day, whatever is taken back in between."""

DAY = timedelta(days=1)

INVITATIONS = "/manage/"
"""Where people find theirs."""


@frozen
class NoSuchUser(NotFound):
    """No account of that name."""

    name: str

    def __str__(self) -> str:
        return f"There is no user named {self.name!r} on this index."


@frozen
class NoRole(NotFound):
    """The account has no role in the project."""

    user: str
    project: str

    def __str__(self) -> str:
        return f"The user {self.user!r} has no role in project {self.project!r}."


@frozen
class HasRole(Conflict):
    """The account has a role already."""

    user: str
    role: str

    def __str__(self) -> str:
        return f"The user {self.user!r} is {self.role} already."


@frozen
class NotInvited(Forbidden):
    """There is no invitation, or none that is still good."""

    user: str
    project: str

    def __str__(self) -> str:
        return f"The user {self.user!r} isn't invited to project {self.project!r}."


@frozen
class InvitedOften(TooMany):
    """Nobody is written to all day long."""

    user: str
    retry_after: int = int(DAY.total_seconds())

    def __str__(self) -> str:
        return f"The user {self.user!r} was invited often enough today; try again tomorrow."


@frozen
class LastOwner(Conflict):
    """Somebody has to be able to manage the project."""

    project: str

    def __str__(self) -> str:
        return f"The project {self.project!r} would be without an owner."


@frozen
class Order:
    """What shall be so; ``role`` is ``None`` for none, and ``is_transfer`` whether it is one's own."""

    act: Act
    project: str
    user: str
    role: Role | None = None
    is_transfer: bool = False


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
        await self.database.transact(_invite, self._order(identity, address, project, user, role))

    async def transfer(self, identity: Identity, project: str, user: str, *, address: str = "") -> None:
        """Offer somebody a project: who accepts it is an owner, and who offers it is none any more.

        It is an invitation like others, to be accepted, declined or withdrawn; by the operator, it is in the
        name of all owners.

        Raises:
            NoSuchProject, MayNotManage, NoSuchUser.
            HasRole: it is an owner already.
        """
        order = self._order(identity, address, project, user, Role.OWNER)
        await self.database.transact(_invite, evolve(order, is_transfer=True))

    async def withdraw(self, identity: Identity, project: str, user: str, *, address: str = "") -> None:
        """Offer it no more; raises ``NotInvited`` where nothing was offered."""
        await self.database.transact(_withdraw, self._order(identity, address, project, user))

    async def decline(self, identity: Identity, project: str, *, address: str = "") -> None:
        """Do not want what was offered to oneself; raises ``NotInvited``, too."""
        await self.database.transact(_decline, self._order(identity, address, project, identity.name))

    async def accept(self, identity: Identity, project: str, *, address: str = "") -> int:
        """Take what was offered to oneself; returns the serial, as those below do.

        Raises:
            NotInvited: nothing was, or it is too old, or who offered it is no owner any more.
        """
        order = self._order(identity, address, project, identity.name)
        return await self._conclude(await self.database.transact(_accept, order))

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


async def _user(cursor: Cursor, name: str) -> tuple[int, str]:
    found = await users.by_name(cursor, name)
    if found is None:
        raise NoSuchUser(name)
    return found.id, found.name


async def _invite(cursor: Cursor, order: Order) -> None:
    project = await hold(cursor, order.act.identity, order.project, Permission.OWN)
    user_id, name = await _user(cursor, order.user)
    held = await roles.of_user(cursor, project_id=project.id, user_id=user_id)
    if held is not None and not (order.is_transfer and held is not Role.OWNER):
        raise HasRole(name, held.value)
    assert order.role is not None
    since = order.act.now - DAY
    before = await audit.count(
        cursor, Kind.ROLE_INVITED, user_id=user_id, normalized=project.normalized, since=since
    )
    if before >= MOST_A_DAY:
        raise InvitedOften(name)
    await invitations.invite(
        cursor,
        project_id=project.id,
        user_id=user_id,
        role=order.role,
        invited_by=order.act.identity.user_id,
        now=order.act.now,
        expires=order.act.now + GOOD_FOR,
        is_transfer=order.is_transfer,
    )
    letter = letters.Invited(
        user="",
        path=INVITATIONS,
        project=project.name,
        by=order.act.identity.name,
        role=_offered(order),
    )
    await tell(cursor, [user_id], letter, now=order.act.now, lasts=GOOD_FOR)
    event = order.act.event(
        Kind.ROLE_INVITED, project.normalized, user_id=user_id, user=name, role=order.role.value
    )
    await audit.write(cursor, event, now=order.act.now)


def _offered(order: Order) -> str:
    """The role, in words."""
    assert order.role is not None
    if not order.is_transfer:
        return order.role.value
    who = "all who are" if order.act.identity.is_operator else order.act.identity.name
    return f"{order.role.value}, in place of {who}"


async def _withdraw(cursor: Cursor, order: Order) -> None:
    project = await hold(cursor, order.act.identity, order.project, Permission.OWN)
    user_id, name = await _user(cursor, order.user)
    await _end(cursor, order, project, user_id, name, "withdrawn")


async def _own(cursor: Cursor, order: Order) -> tuple[ProjectRow, int]:
    """The project, held by somebody who need not be anything to it yet, and the account."""
    project = await hold(cursor, order.act.identity, order.project, Permission.READ)
    if order.act.identity.user_id is None or order.act.identity.token_id is not None:
        raise MayNotManage(order.act.identity.name, project.name)
    return project, order.act.identity.user_id


async def _decline(cursor: Cursor, order: Order) -> None:
    project, user_id = await _own(cursor, order)
    await _end(cursor, order, project, user_id, order.user, "declined")


async def _end(
    cursor: Cursor, order: Order, project: ProjectRow, user_id: int, name: str, reason: str
) -> None:
    """Offer nothing any more."""
    role = await invitations.take_back(cursor, project_id=project.id, user_id=user_id)
    if role is None:
        raise NotInvited(name, project.name)
    event = order.act.event(
        Kind.ROLE_INVITATION_ENDED,
        project.normalized,
        user_id=user_id,
        user=name,
        role=role.value,
        reason=reason,
    )
    await audit.write(cursor, event, now=order.act.now)


async def _accept(cursor: Cursor, order: Order) -> Recorded:
    project, user_id = await _own(cursor, order)
    offer = await invitations.offered(cursor, project_id=project.id, user_id=user_id, now=order.act.now)
    if offer is None:
        raise NotInvited(order.user, project.name)
    await invitations.take_back(cursor, project_id=project.id, user_id=user_id)
    if offer.is_transfer:
        return await take_over(cursor, order.act, project, user_id=user_id, giver=offer.invited_by)
    role = Role(offer.role)
    await roles.add(cursor, project_id=project.id, user_id=user_id, role=role, now=order.act.now)
    event = order.act.event(
        Kind.ROLE_GIVEN, project.normalized, user_id=user_id, user=order.user, role=role.value
    )
    return await _say(cursor, RoleAdded, project, order, event)


async def _change(cursor: Cursor, order: Order) -> Recorded:
    project = await hold(cursor, order.act.identity, order.project, Permission.OWN)
    user_id, name = await _user(cursor, order.user)
    held = await _held(cursor, project, user_id, name)
    assert order.role is not None
    if held is order.role:
        raise HasRole(name, held.value)
    await roles.change(cursor, project_id=project.id, user_id=user_id, role=order.role)
    await _keep_an_owner(cursor, project)
    letter = letters.RoleChanged(
        user="", project=project.name, by=order.act.identity.name, role=order.role.value
    )
    await tell(cursor, [user_id], letter, now=order.act.now)
    event = order.act.event(
        Kind.ROLE_CHANGED,
        project.normalized,
        user_id=user_id,
        user=name,
        role=order.role.value,
        before=held.value,
    )
    return await _say(cursor, RoleChanged, project, order, event)


async def _remove(cursor: Cursor, order: Order) -> Recorded:
    user_id, name = await _user(cursor, order.user)
    # Whoever leaves asks nobody, but by a token nobody leaves.
    leaves = order.act.identity.user_id == user_id and order.act.identity.token_id is None
    needed = Permission.READ if leaves else Permission.OWN
    project = await hold(cursor, order.act.identity, order.project, needed)
    held = await _held(cursor, project, user_id, name)
    await roles.remove(cursor, project_id=project.id, user_id=user_id)
    await _keep_an_owner(cursor, project)
    letter = letters.RoleRemoved(user="", project=project.name, by=order.act.identity.name)
    await tell(cursor, [user_id], letter, now=order.act.now)
    event = order.act.event(Kind.ROLE_TAKEN, project.normalized, user_id=user_id, user=name, role=held.value)
    return await _say(cursor, RoleRemoved, project, order, event)


async def _held(cursor: Cursor, project: ProjectRow, user_id: int, name: str) -> Role:
    held = await roles.of_user(cursor, project_id=project.id, user_id=user_id)
    if held is None:
        raise NoRole(name, project.name)
    return held


async def _keep_an_owner(cursor: Cursor, project: ProjectRow) -> None:
    if not any(one.role == Role.OWNER.value for one in await roles.of_project(cursor, project.id)):
        raise LastOwner(project.name)


async def _say(
    cursor: Cursor,
    kind: type[RoleAdded] | type[RoleChanged] | type[RoleRemoved],
    project: ProjectRow,
    order: Order,
    event: Event,
) -> Recorded:
    change: Change = kind(
        project=project.normalized,
        name=project.name,
        actor=order.act.identity.name,
        role=str(event.about["role"]),
        user=str(event.about["user"]),
    )
    return await conclude(cursor, order.act, (change, event))
