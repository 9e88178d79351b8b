"""Alembic, driven from code: no ini file, no environment script to keep in step."""

from __future__ import annotations

from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, pool, text

from pypi.db.migrations import VERSIONS, SchemaBehind

LOCK = 0x63686565  # "chee": any number nobody else locks
EXPECTED_WAIT = "120s"


def upgrade(dsn: str) -> tuple[str | None, str]:
    """See ``pypi.db.migrations.apply``."""
    script = _steps()
    url = dsn.replace("postgres://", "postgresql://", 1)
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg2://", 1), poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(text(f"SET lock_timeout = '{EXPECTED_WAIT}'"))
        connection.execute(text(f"SELECT pg_advisory_lock({LOCK})"))
        connection.commit()
        try:
            return _upgrade_locked(script, connection)
        finally:
            connection.rollback()
            connection.execute(text(f"SELECT pg_advisory_unlock({LOCK})"))
            connection.commit()


def _steps() -> ScriptDirectory:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    return ScriptDirectory.from_config(config)


def _upgrade_locked(script: ScriptDirectory, connection: Connection) -> tuple[str | None, str]:
    before: list[str] = []

    def plan(revision: Any, _context: Any) -> Any:
        before.extend(revision)
        unknown = [one for one in revision if one not in {step.revision for step in script.walk_revisions()}]
        if unknown:
            raise SchemaBehind(
                f"The database is at revision {unknown[0]}, which is newer than this Cheeseshop: upgrade it."
            )
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(Config(), script, fn=plan) as environment:
        environment.configure(connection=connection, transaction_per_migration=True)
        with environment.begin_transaction():
            environment.run_migrations()
    head = script.get_current_head()
    assert head is not None
    return (before[0] if before else None), head
