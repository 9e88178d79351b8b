"""A way into the descriptions by who has rendered them."""

from alembic import op

revision = "0010"
down_revision = "0009"

STEPS = """
CREATE INDEX descriptions_renderer ON descriptions (renderer, release_id);
"""


def upgrade() -> None:
    """Add the index."""
    op.execute(STEPS)
