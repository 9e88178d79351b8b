"""Who reads each project; what is not for everybody is in no list, no search, and no line of the journal."""

from alembic import op

revision = "0018"
down_revision = "0017"

STEPS = """
-- Who reads it, beside what holds for the whole index; and whether lists have it.
ALTER TABLE projects ADD COLUMN reads text NOT NULL DEFAULT 'public'
    CHECK (reads IN ('public', 'accounts', 'roles'));
ALTER TABLE projects ADD COLUMN is_listed boolean NOT NULL
    GENERATED ALWAYS AS (status <> 'quarantined' AND reads = 'public') STORED;
CREATE INDEX projects_unlisted ON projects (id) WHERE NOT is_listed;
CREATE INDEX projects_private ON projects (id) WHERE reads <> 'public';

-- Lines of projects that were not for everybody when they were written.
ALTER TABLE journal ADD COLUMN is_private boolean NOT NULL DEFAULT false;

-- Whether whoever asks about one project gets an answer: only transactions for somebody who was found to be
-- one of its readers say that they may see what is private.
CREATE FUNCTION is_shown(reads text) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT reads = 'public' OR current_setting('cheeseshop.shows', true) = 'private'
$$;

-- What ``search`` holds; to bring it up to date is to put into it what this says.
CREATE OR REPLACE VIEW search_documents AS
SELECT p.id AS project_id,
       r.id AS release_id,
       p.normalized,
       -- As it is shown and as it is normalized, unless these are the same.
       lower(p.name) || CASE WHEN lower(p.name) = p.normalized THEN '' ELSE E'\\n' || p.normalized END
         AS name,
       search_text(r.summary, 2000) AS summary,
       search_text(lists.keywords, 2000) AS keywords,
       search_text(r.metadata ->> 'author', 500) AS author,
       search_text(r.metadata ->> 'author_email', 500) AS author_email,
       search_text(r.metadata ->> 'maintainer', 500) AS maintainer,
       search_text(r.metadata ->> 'maintainer_email', 500) AS maintainer_email,
       search_text(r.metadata ->> 'home_page', 500) AS home_page,
       search_text(r.metadata ->> 'download_url', 500) AS download_url,
       search_text(concat_ws(', ', r.metadata ->> 'license_expression', r.metadata ->> 'license'), 500)
         AS license,
       search_text(lists.platform, 500) AS platform,
       coalesce((SELECT string_agg(lower(version), E'\\n' ORDER BY place) FROM releases
                  WHERE project_id = p.id AND yanked IS NULL AND quarantined IS NULL), '') AS versions,
       strip(to_tsvector('english', left(coalesce(d.raw, ''), 50000))) AS prose
  FROM projects p
 CROSS JOIN LATERAL (
        -- As ``pypi.domain.versions.latest``.
        SELECT id, summary, metadata FROM releases WHERE project_id = p.id AND quarantined IS NULL
         ORDER BY yanked IS NULL DESC, is_prerelease, place DESC LIMIT 1) AS r
 CROSS JOIN LATERAL (
        SELECT (SELECT string_agg(value, ', ') FROM jsonb_array_elements_text(
                    jsonb_path_query_array(r.metadata, '$.keywords[*]'))) AS keywords,
               (SELECT string_agg(value, ', ') FROM jsonb_array_elements_text(
                    jsonb_path_query_array(r.metadata, '$.platform[*]'))) AS platform
        ) AS lists
  LEFT JOIN descriptions d ON d.release_id = r.id
 WHERE p.reads = 'public';
"""


def upgrade() -> None:
    """Add the columns; so far everything is for everybody who reads the index."""
    op.execute(STEPS)
