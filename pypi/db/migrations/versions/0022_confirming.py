"""Sign-ins that wait until mail has confirmed them."""

from alembic import op

revision = "0022"
down_revision = "0021"

STEPS = """
-- Whether a session has shown all there is to show, and waits for its owner to say by mail that it is theirs;
-- such a session is partial as well.
ALTER TABLE sessions ADD COLUMN is_waiting boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT sessions_waiting CHECK (is_partial OR NOT is_waiting);

ALTER TABLE proofs DROP CONSTRAINT proofs_purpose_check;
ALTER TABLE proofs ADD CONSTRAINT proofs_purpose_check
    CHECK (purpose IN ('register', 'verify', 'reset', 'sign-in'));
"""


def upgrade() -> None:
    """Make room; nobody waits yet."""
    op.execute(STEPS)
