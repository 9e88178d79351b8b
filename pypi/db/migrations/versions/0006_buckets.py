"""A way into the catalogue by the buckets of the sitemap."""

from alembic import op

revision = "0006"
down_revision = "0005"

STEPS = """
CREATE INDEX projects_bucket ON projects (left(md5(normalized), 2));
"""


def upgrade() -> None:
    """Add the index."""
    op.execute(STEPS)
