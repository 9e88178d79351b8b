"""A project that goes to another owner: one act, in which somebody begins and somebody steps back."""

from __future__ import annotations

from collections.abc import Sequence

from pypi.accounts.audit import Event, Kind
from pypi.db.connection import Cursor
from pypi.db.queries import roles
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.roles import Holder
from pypi.domain.changes import Change, RoleAdded, RoleChanged, RoleRemoved
from pypi.domain.permissions import Role
from pypi.mail import letters
from pypi.publishing.record import Recorded
from pypi.publishing.told import Act, conclude, tell


async def take_over(
    cursor: Cursor, act: Act, project: ProjectRow, *, user_id: int, giver: int | None
) -> Recorded:
    """Make whoever acts an owner of a project, in the place of who offered it.

    Args:
        project: held by this transaction.
        user_id: of whoever acts, who may be something else to the project so far.
        giver: the owner who offered it; ``None``: the operator did, for all owners.
    """
    people = await roles.of_project(cursor, project.id)
    givers = [
        one
        for one in people
        if one.role == Role.OWNER.value and one.user_id != user_id and giver in (None, one.user_id)
    ]
    for one in givers:
        await roles.remove(cursor, project_id=project.id, user_id=one.user_id)
    own = next((one for one in people if one.user_id == user_id), None)
    if own is None:
        await roles.add(cursor, project_id=project.id, user_id=user_id, role=Role.OWNER, now=act.now)
    else:
        await roles.change(cursor, project_id=project.id, user_id=user_id, role=Role.OWNER)
    await _tell(cursor, act, project, people, user_id, givers)
    gone = [_gone(act, project, one) for one in givers]
    return await conclude(cursor, act, *gone, _come(act, project, user_id, givers, is_new=own is None))


async def _tell(
    cursor: Cursor,
    act: Act,
    project: ProjectRow,
    people: Sequence[Holder],
    user_id: int,
    givers: Sequence[Holder],
) -> None:
    """Write to all who are, or were, its owners."""
    letter = letters.ProjectTransferred(
        user="",
        project=project.name,
        by=", ".join(one.name for one in givers) or act.identity.name,
        owner=act.identity.name,
    )
    owners = {one.user_id for one in people if one.role == Role.OWNER.value}
    await tell(cursor, owners | {user_id}, letter, now=act.now)


def _gone(act: Act, project: ProjectRow, giver: Holder) -> tuple[Change, Event]:
    change = RoleRemoved(
        project=project.normalized,
        name=project.name,
        actor=act.identity.name,
        role=Role.OWNER.value,
        user=giver.name,
    )
    event = act.event(
        Kind.ROLE_TAKEN,
        project.normalized,
        user_id=giver.user_id,
        user=giver.name,
        role=Role.OWNER.value,
    )
    return change, event


def _come(
    act: Act, project: ProjectRow, user_id: int, givers: Sequence[Holder], *, is_new: bool
) -> tuple[Change, Event]:
    kind = RoleAdded if is_new else RoleChanged
    change = kind(
        project=project.normalized,
        name=project.name,
        actor=act.identity.name,
        role=Role.OWNER.value,
        user=act.identity.name,
    )
    event = act.event(
        Kind.PROJECT_TRANSFERRED,
        project.normalized,
        user_id=user_id,
        user=act.identity.name,
        before=", ".join(one.name for one in givers),
    )
    return change, event
