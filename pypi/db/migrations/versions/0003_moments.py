"""Ways into the catalogue by time and by MD5, for changelogs, feeds and what still asks by digest."""

from alembic import op

revision = "0003"
down_revision = "0002"

STEPS = """
CREATE INDEX journal_at ON journal (at, serial);
CREATE INDEX releases_created ON releases (created DESC, id DESC);
CREATE INDEX projects_created ON projects (created DESC, id DESC);
CREATE INDEX files_md5 ON files (md5);
"""


def upgrade() -> None:
    """Add the indexes."""
    op.execute(STEPS)
