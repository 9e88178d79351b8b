"""Names of private projects that are gone: nobody learns from a refusal that there was such a project."""

from alembic import op

revision = "0021"
down_revision = "0020"

STEPS = """
-- Whether the project that had the name was not for everybody when it was deleted.
ALTER TABLE former_names ADD COLUMN is_private boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    """Add the column; so far no private project is gone."""
    op.execute(STEPS)
