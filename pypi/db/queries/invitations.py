"""Invitations: roles that are offered, until they are accepted, declined, withdrawn, or too old."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.permissions import Role


@frozen
class OfferedRow:
    """What is offered to an account.

    Attributes:
        role: a value of ``Role``.
        invited_by: the account that does; ``None`` for the operator.
        is_transfer: whether who offers it is no owner any more once it is accepted.
    """

    role: str
    invited_by: int | None
    is_transfer: bool


INVITE = """
    INSERT INTO invitations (project_id, user_id, role, invited_by, created, expires, is_transfer)
    VALUES (%(project_id)s, %(user_id)s, %(role)s, %(invited_by)s, %(now)s, %(expires)s, %(is_transfer)s)
    ON CONFLICT (project_id, user_id) DO UPDATE
       SET role = excluded.role, invited_by = excluded.invited_by, created = excluded.created,
           expires = excluded.expires, is_transfer = excluded.is_transfer"""

# An invitation is good only while whoever sent it may still send it.
OFFERED = """
    SELECT i.role, i.invited_by, i.is_transfer FROM invitations i
     WHERE i.project_id = %(project_id)s AND i.user_id = %(user_id)s AND i.expires > %(now)s
       AND (i.invited_by IS NULL OR EXISTS (
            SELECT FROM roles r JOIN users o ON o.id = r.user_id
             WHERE r.project_id = i.project_id AND r.user_id = i.invited_by
               AND r.role = 'Owner' AND o.is_active))"""

IS_INVITED = """
    SELECT EXISTS (SELECT FROM invitations WHERE project_id = %(project_id)s AND user_id = %(user_id)s)"""

TAKE_BACK = """
    DELETE FROM invitations WHERE project_id = %(project_id)s AND user_id = %(user_id)s RETURNING role"""


async def invite(
    cursor: Cursor,
    *,
    project_id: int,
    user_id: int,
    role: Role,
    invited_by: int | None,
    now: datetime,
    expires: datetime,
    is_transfer: bool = False,
) -> None:
    """Offer a role, in place of one that was offered before.

    Args:
        invited_by: the account that does; ``None`` for the operator.
        is_transfer: whether it is an owner's own role that is offered.
    """
    given = {"project_id": project_id, "user_id": user_id, "role": role.value, "invited_by": invited_by}
    await cursor.run(INVITE, {**given, "now": now, "expires": expires, "is_transfer": is_transfer})


async def offered(cursor: Cursor, *, project_id: int, user_id: int, now: datetime) -> OfferedRow | None:
    """What is offered to an account, ``None`` for nothing, or nothing any more."""
    given = {"project_id": project_id, "user_id": user_id, "now": now}
    return await cursor.row(OfferedRow, OFFERED, given)


async def is_invited(cursor: Cursor, *, project_id: int, user_id: int | None) -> bool:
    """Whether an account was told of a project, whether or not it may still accept what was offered."""
    return bool(await cursor.value(IS_INVITED, {"project_id": project_id, "user_id": user_id}))


async def take_back(cursor: Cursor, *, project_id: int, user_id: int) -> Role | None:
    """Offer nothing any more; the role that was offered, ``None`` if none was."""
    role = await cursor.value(TAKE_BACK, {"project_id": project_id, "user_id": user_id})
    return None if role is None else Role(role)
