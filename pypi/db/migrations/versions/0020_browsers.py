"""Browsers in which somebody has signed in, and the names of accounts that are no more."""

from alembic import op

revision = "0020"
down_revision = "0019"

STEPS = """
-- A browser keeps a secret of its own. What is kept of it is made of that secret and the account, so that
-- nobody reads here who shares a browser with whom.
CREATE TABLE browsers (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    digest  bytea NOT NULL CHECK (length(digest) = 32),
    seen    timestamptz NOT NULL,
    PRIMARY KEY (user_id, digest)
);
CREATE INDEX browsers_seen ON browsers (seen);

-- In lower case. Whoever got such a name would be taken for who had it.
CREATE TABLE former_users (
    name    text PRIMARY KEY CHECK (name = lower(name)),
    deleted timestamptz NOT NULL
);
"""


def upgrade() -> None:
    """Make room; nothing that is there changes."""
    op.execute(STEPS)
