"""A project in the hands of somebody who may change it, until the transaction ends."""

from __future__ import annotations

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.db.queries import projects, roles
from pypi.db.queries.projects import ProjectRow
from pypi.domain.errors import Forbidden, NoSuchProject
from pypi.domain.names import normalize
from pypi.domain.permissions import Identity, Permission, may


@frozen
class MayNotManage(Forbidden):
    """The account has no role, or shows a token, that comes with this."""

    user: str
    project: str

    def __str__(self) -> str:
        return f"The user {self.user!r} isn't allowed to do this to project {self.project!r}."


async def hold(cursor: Cursor, identity: Identity, name: str, permission: Permission) -> ProjectRow:
    """The project, which nobody else changes until this transaction ends; its roles are those of now.

    Raises:
        NoSuchProject: there is none of that name.
        MayNotManage: it is not for this identity to do.
    """
    project = await projects.locked(cursor, normalize(name))
    if project is None:
        raise NoSuchProject(name)
    role = None
    if identity.user_id is not None:
        role = await roles.of_user(cursor, project_id=project.id, user_id=identity.user_id)
    if not may(identity, permission, project_id=project.id, role=role):
        raise MayNotManage(identity.name, project.name)
    return project
