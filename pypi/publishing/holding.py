"""A project in the hands of somebody who may change it, until the transaction ends."""

from __future__ import annotations

from attrs import frozen

from pypi.accounts.errors import WrongCredentials
from pypi.db.connection import Cursor
from pypi.db.queries import invitations, projects, renaming, roles, tokens
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.releases import ReleaseRow
from pypi.domain.errors import Conflict, Forbidden, NoSuchProject, ProjectMoved
from pypi.domain.names import normalize
from pypi.domain.permissions import Access, Identity, Permission, may
from pypi.domain.values import Status


@frozen
class MayNotManage(Forbidden):
    """The account has no role, or shows a token, that comes with this."""

    user: str
    project: str

    def __str__(self) -> str:
        return f"The user {self.user!r} isn't allowed to do this to project {self.project!r}."


@frozen
class InQuarantine(Conflict):
    """Only the operator changes what is in quarantine."""

    project: str

    def __str__(self) -> str:
        return f"The project {self.project!r} is in quarantine; only the operator can change that."


@frozen
class ReleaseInQuarantine(Conflict):
    """The same of a release; the project's others are as they were."""

    project: str
    version: str

    def __str__(self) -> str:
        return (
            f"Version {self.version!r} of project {self.project!r} is in quarantine; "
            "only the operator can change that."
        )


async def check_good(cursor: Cursor, identity: Identity) -> None:
    """Make sure that what somebody showed is good yet: its body may have come an hour later, on purpose.

    Raises:
        WrongCredentials: the token was revoked, or the account disabled, in the meantime.
    """
    if identity.user_id is None:
        return
    if not await tokens.is_good(cursor, identity.token_id, user_id=identity.user_id):
        raise WrongCredentials()


async def hold(cursor: Cursor, identity: Identity, name: str, permission: Permission) -> ProjectRow:
    """The project, which nobody else changes until this transaction ends; its roles are those of now.

    Raises:
        NoSuchProject: there is none of that name, or none that this identity may know of.
        ProjectMoved: the project that had the name is called otherwise now.
        MayNotManage: it is not for this identity to do.
        WrongCredentials: as ``check_good``.
    """
    await check_good(cursor, identity)
    project = await projects.locked(cursor, normalize(name))
    if project is None:
        now = await renaming.present_name(cursor, normalize(name))
        raise NoSuchProject(name) if now is None else ProjectMoved(name, now)
    role = None
    if identity.user_id is not None:
        role = await roles.of_user(cursor, project_id=project.id, user_id=identity.user_id)
    access = Access(project.reads)
    sees = may(identity, Permission.READ, project_id=project.id, role=role, access=access)
    if not sees and not await invitations.is_invited(cursor, project_id=project.id, user_id=identity.user_id):
        raise NoSuchProject(name)
    if not may(identity, permission, project_id=project.id, role=role):
        raise MayNotManage(identity.name, project.name)
    return project


def leave_to_operator(identity: Identity, project: ProjectRow, *touched: ReleaseRow) -> None:
    """Make sure that nobody but the operator changes or destroys what is looked into.

    Args:
        touched: releases of the project that would be changed.

    Raises:
        InQuarantine, ReleaseInQuarantine: somebody else would.
    """
    if identity.is_operator:
        return
    if project.status == Status.QUARANTINED.value:
        raise InQuarantine(project.name)
    for release in touched:
        if release.is_quarantined:
            raise ReleaseInQuarantine(project.name, release.version)
