"""A short way to the most popular of very many projects that have a word or a label in common."""

from alembic import op

revision = "0011"
down_revision = "0010"

STEPS = """
-- Whether it is among the few thousand that are downloaded most; a job brings it up to date.
ALTER TABLE findable ADD COLUMN is_popular boolean NOT NULL DEFAULT false;
UPDATE findable SET is_popular = true
 WHERE project_id IN (SELECT project_id FROM findable WHERE downloads > 0
                       ORDER BY downloads DESC, created DESC LIMIT 3000);
CREATE INDEX findable_popular ON findable USING gin (words, labels)
    WITH (gin_pending_list_limit = 256) WHERE is_popular;
"""


def upgrade() -> None:
    """Add the column and its index."""
    op.execute(STEPS)
