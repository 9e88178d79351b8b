"""Roles: who is what to a project."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.permissions import Role

OF_USER = "SELECT role FROM roles WHERE project_id = %(project_id)s AND user_id = %(user_id)s"

ADD = """
    INSERT INTO roles (project_id, user_id, role, created)
    VALUES (%(project_id)s, %(user_id)s, %(role)s, %(now)s)"""

OF_PROJECT = """
    SELECT u.id, u.name, r.role FROM roles r JOIN users u ON u.id = r.user_id
     WHERE r.project_id = %(project_id)s ORDER BY lower(u.name)"""

CHANGE = "UPDATE roles SET role = %(role)s WHERE project_id = %(project_id)s AND user_id = %(user_id)s"

REMOVE = "DELETE FROM roles WHERE project_id = %(project_id)s AND user_id = %(user_id)s"


@frozen
class Holder:
    """An account that has a role; ``role`` is a value of ``Role``."""

    user_id: int
    name: str
    role: str


async def of_project(cursor: Cursor, project_id: int) -> list[Holder]:
    """Who has a role in a project, by name."""
    return await cursor.rows(Holder, OF_PROJECT, {"project_id": project_id})


async def change(cursor: Cursor, *, project_id: int, user_id: int, role: Role) -> None:
    """Give an account another role than it has."""
    await cursor.run(CHANGE, {"project_id": project_id, "user_id": user_id, "role": role.value})


async def remove(cursor: Cursor, *, project_id: int, user_id: int) -> None:
    """Take an account's role away."""
    await cursor.run(REMOVE, {"project_id": project_id, "user_id": user_id})


async def of_user(cursor: Cursor, *, project_id: int, user_id: int) -> Role | None:
    """What the account is to the project now, ``None`` for nothing."""
    role = await cursor.value(OF_USER, {"project_id": project_id, "user_id": user_id})
    return None if role is None else Role(role)


async def add(cursor: Cursor, *, project_id: int, user_id: int, role: Role, now: datetime) -> None:
    """Give an account a role it does not have yet."""
    await cursor.run(ADD, {"project_id": project_id, "user_id": user_id, "role": role.value, "now": now})
