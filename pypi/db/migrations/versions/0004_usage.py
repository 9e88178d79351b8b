"""Usage: how often each feature was used, on which day, by which family of clients."""

from alembic import op

revision = "0004"
down_revision = "0003"

STEPS = """
-- Every worker adds its counts once a minute; a day has some hundreds of rows at most.
CREATE TABLE usage (
    day       date NOT NULL,
    feature   text NOT NULL,
    family    text NOT NULL,
    count     bigint NOT NULL CHECK (count > 0),
    last_seen timestamptz NOT NULL,
    PRIMARY KEY (day, feature, family)
);
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(STEPS)
