"""The schema, one numbered step after the other, applied by Alembic under an advisory lock.

A step is a file ``versions/NNNN_what.py`` of plain SQL; its revision is its number. Steps only go forward.
"""

from __future__ import annotations

from pathlib import Path

from pypi.db.connection import Cursor

VERSIONS = Path(__file__).parent / "versions"

EXISTS = "SELECT to_regclass('alembic_version') IS NOT NULL"
CURRENT = "SELECT version_num FROM alembic_version"


class SchemaBehind(Exception):
    """The database's schema is not the one this code was written for; ``str()`` says what to do."""


def head() -> str:
    """The newest revision this code knows, such as ``"0001"``; read from file names alone."""
    return max(path.name[:4] for path in VERSIONS.glob("[0-9]*_*.py"))


async def current(cursor: Cursor) -> str | None:
    """The revision the database is at; ``None`` for an empty one."""
    exists = await cursor.value(EXISTS)
    revision: str | None = await cursor.value(CURRENT) if exists else None
    return revision


def apply(dsn: str) -> tuple[str | None, str]:
    """Bring the database to ``head()``. Blocks: run it in a process or thread of its own.

    Whoever comes second waits for the first on an advisory lock, and then finds nothing to do. Each step is
    one transaction: a step that fails leaves the schema as it was before it.

    Args:
        dsn: ``postgresql://…``.

    Returns:
        the revisions before and after.

    Raises:
        SchemaBehind: the database is newer than this code.
    """
    # Imported here: Alembic brings SQLAlchemy, which no running worker needs in its memory.
    from pypi.db.migrations.runner import upgrade

    return upgrade(dsn)
