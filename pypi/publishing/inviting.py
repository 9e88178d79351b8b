"""Roles that are offered: by mail, for a week, to be accepted, declined or withdrawn."""

from __future__ import annotations

from datetime import timedelta

from attrs import frozen

from pypi.accounts import audit
from pypi.accounts.audit import Event, Kind
from pypi.db.connection import Cursor
from pypi.db.queries import invitations, roles, users
from pypi.db.queries.projects import ProjectRow
from pypi.domain.changes import Change, RoleAdded, RoleChanged, RoleRemoved
from pypi.domain.permissions import Permission, Role
from pypi.mail import letters
from pypi.publishing.holding import MayNotManage, hold
from pypi.publishing.record import Recorded
from pypi.publishing.role_errors import HasRole, InvitedOften, NoSuchUser, NotInvited
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
class Order:
    """What shall be so; ``role`` is ``None`` for none, and ``is_transfer`` whether it is one's own."""

    act: Act
    project: str
    user: str
    role: Role | None = None
    is_transfer: bool = False


async def account(cursor: Cursor, name: str) -> tuple[int, str]:
    """(id, name as it is spelled) of an account; raises ``NoSuchUser``."""
    found = await users.by_name(cursor, name)
    if found is None:
        raise NoSuchUser(name)
    return found.id, found.name


async def invite(cursor: Cursor, order: Order) -> None:
    """Offer a role, and tell whom it is offered to."""
    project = await hold(cursor, order.act.identity, order.project, Permission.OWN)
    user_id, name = await account(cursor, order.user)
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
        by=order.act.name,
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
    who = "all who are" if order.act.identity.is_operator else order.act.name
    return f"{order.role.value}, in place of {who}"


async def withdraw(cursor: Cursor, order: Order) -> None:
    """Offer it no more."""
    project = await hold(cursor, order.act.identity, order.project, Permission.OWN)
    user_id, name = await account(cursor, order.user)
    await _end(cursor, order, project, user_id, name, "withdrawn")


async def _own(cursor: Cursor, order: Order) -> tuple[ProjectRow, int]:
    """The project, held by somebody who need not be anything to it yet, and the account."""
    project = await hold(cursor, order.act.identity, order.project, Permission.READ)
    if order.act.identity.user_id is None or order.act.identity.token_id is not None:
        raise MayNotManage(order.act.name, project.name)
    return project, order.act.identity.user_id


async def decline(cursor: Cursor, order: Order) -> None:
    """Do not want what was offered to oneself."""
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


async def accept(cursor: Cursor, order: Order) -> Recorded:
    """Take what was offered to oneself."""
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
    return await say(cursor, RoleAdded, project, order, event)


async def say(
    cursor: Cursor,
    kind: type[RoleAdded] | type[RoleChanged] | type[RoleRemoved],
    project: ProjectRow,
    order: Order,
    event: Event,
) -> Recorded:
    """Write down what became of somebody's role, of which ``event`` tells."""
    change: Change = kind(
        project=project.normalized,
        name=project.name,
        actor=order.act.name,
        role=str(event.about["role"]),
        user=str(event.about["user"]),
    )
    return await conclude(cursor, order.act, (change, event))
