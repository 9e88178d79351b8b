"""How much room the database takes."""

from __future__ import annotations

from pypi.db.connection import Cursor

SIZE = "SELECT pg_database_size(current_database())"


async def size(cursor: Cursor) -> int:
    """Bytes of the whole database."""
    return int(await cursor.value(SIZE, {}))
