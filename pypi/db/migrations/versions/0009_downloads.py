"""Downloads: of each project by day, of each file, of everything by day; and how popular projects are."""

from alembic import op

revision = "0009"
down_revision = "0008"

STEPS = """
-- Counts change every minute, so pages keep room for the next version of a row. Days are written in their own
-- order, so that a few bytes for each megabyte find the old ones.
CREATE TABLE downloads (
    project_id bigint NOT NULL,
    day        date NOT NULL,
    count      bigint NOT NULL,
    PRIMARY KEY (project_id, day)
) WITH (fillfactor = 80);
CREATE INDEX downloads_day ON downloads USING brin (day) WITH (autosummarize = on);

CREATE TABLE file_downloads (
    file_id bigint PRIMARY KEY,
    count   bigint NOT NULL
) WITH (fillfactor = 80);

CREATE TABLE download_days (
    day   date PRIMARY KEY,
    count bigint NOT NULL
);

-- ``recent`` is of the thirty days up to ``day``, and of what came after. It stands beside ``search``,
-- and not in it: each new version of a row there goes into all of its indexes.
CREATE TABLE popularity (
    project_id bigint PRIMARY KEY,
    recent     bigint NOT NULL,
    day        date NOT NULL
) WITH (fillfactor = 80);
"""


def upgrade() -> None:
    """Add the tables; nothing was counted before."""
    op.execute(STEPS)
