"""Turns: which jobs of the whole cluster were begun last, and when."""

from alembic import op

revision = "0002"
down_revision = "0001"

STEPS = """
-- A job that one worker does for all takes its turn here: whoever moves the time ahead has it.
CREATE TABLE turns (
    job   text PRIMARY KEY,
    taken timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(STEPS)
