"""Roles: who is what to a project."""

from __future__ import annotations

from datetime import datetime

from pypi.db.connection import Cursor
from pypi.domain.permissions import Role

OF_USER = "SELECT role FROM roles WHERE project_id = %(project_id)s AND user_id = %(user_id)s"

ADD = """
    INSERT INTO roles (project_id, user_id, role, created)
    VALUES (%(project_id)s, %(user_id)s, %(role)s, %(now)s)"""


async def of_user(cursor: Cursor, *, project_id: int, user_id: int) -> Role | None:
    """What the account is to the project now, ``None`` for nothing."""
    role = await cursor.value(OF_USER, {"project_id": project_id, "user_id": user_id})
    return None if role is None else Role(role)


async def add(cursor: Cursor, *, project_id: int, user_id: int, role: Role, now: datetime) -> None:
    """Give an account a role it does not have yet."""
    await cursor.run(ADD, {"project_id": project_id, "user_id": user_id, "role": role.value, "now": now})
