"""Releases in quarantine, who prohibited names, and which lines of the security log the journal has, too."""

from alembic import op

revision = "0016"
down_revision = "0015"

STEPS = """
-- Since when nothing of a release is offered, and why: the operator's word, where a yank is its owners'.
ALTER TABLE releases ADD COLUMN quarantined timestamptz;
ALTER TABLE releases ADD COLUMN quarantine_reason text NOT NULL DEFAULT '';
CREATE INDEX releases_quarantined ON releases (id) WHERE quarantined IS NOT NULL;

ALTER TABLE prohibited_names ADD COLUMN actor text NOT NULL DEFAULT '';

-- The line of the journal that tells of the same, where there is one.
ALTER TABLE audit ADD COLUMN serial bigint;
CREATE INDEX audit_serial ON audit (serial) WHERE serial IS NOT NULL;

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
  LEFT JOIN descriptions d ON d.release_id = r.id;
"""


def upgrade() -> None:
    """Add the columns, and show only releases that are offered in what is searched."""
    op.execute(STEPS)
