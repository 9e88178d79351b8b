"""Managing projects: names they had, invitations, and what is said of their status."""

from alembic import op

revision = "0014"
down_revision = "0013"

STEPS = """
ALTER TABLE roles DROP CONSTRAINT roles_role_check;
ALTER TABLE roles ADD CONSTRAINT roles_role_check CHECK (role IN ('Owner', 'Maintainer', 'Reader'));

-- The normalized name of what is to be used instead; and status, reason and successor before a quarantine.
ALTER TABLE projects ADD COLUMN successor text NOT NULL DEFAULT '';
ALTER TABLE projects ADD COLUMN before_quarantine jsonb;

-- Names that are not free: of a project that is called otherwise now, or, without one, of one that is gone.
CREATE TABLE former_names (
    normalized text PRIMARY KEY,
    name       text NOT NULL,
    look_alike text NOT NULL,
    project_id bigint REFERENCES projects ON DELETE SET NULL,
    since      timestamptz NOT NULL
);
CREATE INDEX former_names_look_alike ON former_names (look_alike);
CREATE INDEX former_names_project ON former_names (project_id);

-- Who may take the name of a project that is gone again: its owners at that moment.
CREATE TABLE former_owners (
    normalized text NOT NULL REFERENCES former_names ON DELETE CASCADE,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (normalized, user_id)
);
CREATE INDEX former_owners_user ON former_owners (user_id);

CREATE TABLE invitations (
    project_id bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role       text NOT NULL CHECK (role IN ('Owner', 'Maintainer', 'Reader')),
    invited_by bigint REFERENCES users ON DELETE CASCADE,
    created    timestamptz NOT NULL,
    expires    timestamptz NOT NULL,
    PRIMARY KEY (project_id, user_id)
);
CREATE INDEX invitations_user ON invitations (user_id);
"""


def upgrade() -> None:
    """Make the tables; nothing that is there changes."""
    op.execute(STEPS)
