"""An account that ends: what it has a role in, and the end of it."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class HeldRow:
    """A project an account has a role in.

    Attributes:
        role: a value of ``Role``.
        is_alone: whether nobody else owns it.
    """

    id: int
    normalized: NormalizedName
    name: str
    role: str
    is_alone: bool


# In the order in which projects are locked everywhere.
HELD = """
    SELECT p.id, p.normalized, p.name, r.role,
           r.role = 'Owner' AND NOT EXISTS (
               SELECT FROM roles o JOIN users u ON u.id = o.user_id
                WHERE o.project_id = p.id AND o.role = 'Owner' AND o.user_id <> r.user_id AND u.is_active)
      FROM roles r JOIN projects p ON p.id = r.project_id
     WHERE r.user_id = %(user_id)s ORDER BY p.normalized"""

# Nobody gives it anything until the transaction ends, and nothing after.
LOCK = "SELECT id FROM users WHERE id = %(user_id)s FOR UPDATE"

KEEP_NAME = """
    INSERT INTO former_users (name, deleted) SELECT lower(name), %(now)s FROM users WHERE id = %(user_id)s
    ON CONFLICT DO NOTHING"""

DELETE = "DELETE FROM users WHERE id = %(user_id)s"


async def held(cursor: Cursor, user_id: int) -> list[HeldRow]:
    """The projects an account has a role in, by name."""
    return await cursor.rows(HeldRow, HELD, {"user_id": user_id})


async def lock(cursor: Cursor, user_id: int) -> None:
    """Keep an account from being given anything until the transaction ends."""
    await cursor.run(LOCK, {"user_id": user_id})


async def delete(cursor: Cursor, user_id: int, *, now: datetime) -> None:
    """Remove an account with all that is its own, and keep its name from being given to others."""
    await cursor.run(KEEP_NAME, {"user_id": user_id, "now": now})
    await cursor.run(DELETE, {"user_id": user_id})
