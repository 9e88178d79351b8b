"""The names projects had, wherever they lead; and projects that are offered to somebody else."""

from alembic import op

revision = "0017"
down_revision = "0016"

STEPS = """
-- The normalized name a file was published under, where its project is called otherwise now: filenames and
-- metadata are what installers compare with the name they look for, and nothing changes those.
ALTER TABLE files ADD COLUMN former_name text;

-- All names that lead to a project: the one it has, and those it had.
CREATE VIEW project_names AS
SELECT normalized, id AS project_id FROM projects
 UNION ALL
SELECT normalized, project_id FROM former_names WHERE project_id IS NOT NULL;

-- Whether whoever invites is no owner any more once this is accepted.
ALTER TABLE invitations ADD COLUMN is_transfer boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    """Make room; nothing that is there changes."""
    op.execute(STEPS)
