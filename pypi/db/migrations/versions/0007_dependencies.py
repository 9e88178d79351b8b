"""What projects need: one row for each project and each other project that its shown release requires.

It is the release that ``search`` has of the project. Names are read as the standard has them (PEP 508), and
lines are kept as they were written, for whoever shows them to take apart.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

NAMES = """
-- The normalized name that a requirement begins with; NULL for text that begins with none.
CREATE FUNCTION requirement_name(requirement text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT lower(regexp_replace(
        substring(left(requirement, 300) from '^\\s*([A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*)'),
        '[-_.]+', '-', 'g'))
$$;
"""

TABLE = """
CREATE TABLE dependencies (
    project_id   bigint NOT NULL REFERENCES projects ON DELETE CASCADE,
    dependent    text COLLATE "C" NOT NULL,
    normalized   text COLLATE "C" NOT NULL,
    requirements text NOT NULL,
    is_optional  boolean NOT NULL,
    PRIMARY KEY (project_id, normalized)
);

-- What ``dependencies`` holds; to bring it up to date is to put into it what this says. ``requirements`` are
-- lines, the first of them if there are very many; those of an optional one all speak of an extra.
CREATE VIEW dependencies_meant AS
SELECT s.project_id, s.normalized AS dependent, needed.normalized, needed.requirements, needed.is_optional
  FROM search s
  JOIN releases r ON r.id = s.release_id
 CROSS JOIN LATERAL (
        SELECT requirement_name(line) AS normalized,
               left(string_agg(btrim(regexp_replace(line, '\\s+', ' ', 'g')), E'\\n' ORDER BY number), 2000)
                 AS requirements,
               bool_and(line ~ ';.*\\mextra\\M') AS is_optional
          FROM jsonb_array_elements_text(jsonb_path_query_array(r.metadata, '$.requires_dist[*]'))
               WITH ORDINALITY AS lines (line, number)
         GROUP BY 1) AS needed
 WHERE needed.normalized <> s.normalized;

INSERT INTO dependencies SELECT * FROM dependencies_meant;
"""

INDEXES = """
CREATE INDEX dependencies_dependents ON dependencies (normalized, dependent);
"""


def upgrade() -> None:
    """Make the table, and fill it from what is there."""
    op.execute(NAMES)
    op.execute(TABLE)
    op.execute(INDEXES)
    op.execute("ANALYZE dependencies")
