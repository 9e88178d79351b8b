"""Names projects had: what was changed of each last, and that searches find projects by them."""

from alembic import op

revision = "0019"
down_revision = "0018"

STEPS = """
-- Of the last change of what installers find under the name.
ALTER TABLE former_names ADD COLUMN last_serial bigint NOT NULL DEFAULT 0;

-- What ``search`` holds; to bring it up to date is to put into it what this says.
CREATE OR REPLACE VIEW search_documents AS
SELECT p.id AS project_id,
       r.id AS release_id,
       p.normalized,
       -- As it is shown and as it is normalized, unless these are the same; and as it was before.
       lower(p.name) || CASE WHEN lower(p.name) = p.normalized THEN '' ELSE E'\\n' || p.normalized END
         || coalesce((SELECT string_agg(E'\\n' || normalized, '' ORDER BY normalized) FROM former_names
                       WHERE former_names.project_id = p.id), '') AS name,
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

-- What ``findable`` holds: as before, and words of names the project had.
CREATE OR REPLACE VIEW findable_documents AS
SELECT s.project_id,
       s.release_id,
       p.name,
       s.normalized,
       replace(s.normalized, '-', '') AS squashed,
       r.created,
       ARRAY(SELECT id FROM search_labels WHERE name = ANY (l.names) ORDER BY id) AS labels,
       setweight(to_tsvector('simple', replace(s.normalized, '-', ' ')), 'A')
         || setweight(to_tsvector('english', replace(s.normalized, '-', ' ')), 'A')
         || array_to_tsvector(ARRAY(
                SELECT DISTINCT 'n:' || word FROM unnest(string_to_array(s.normalized, '-')) AS word
                 WHERE word <> ''))
         || setweight(to_tsvector('simple', coalesce(before.words, '')), 'B')
         || setweight(to_tsvector('english', coalesce(before.words, '')), 'B')
         || setweight(to_tsvector('english', search_plain(s.keywords)), 'B')
         || setweight(to_tsvector('english', search_plain(s.summary)), 'C')
         || setweight(to_tsvector('english', search_plain(
                concat_ws(' ', about.topics, s.author, s.maintainer))), 'D')
         AS words
  FROM search s
  JOIN projects p ON p.id = s.project_id
  JOIN releases r ON r.id = s.release_id
  JOIN labels_meant l ON l.project_id = s.project_id
 CROSS JOIN LATERAL (
        SELECT string_agg(replace(normalized, '-', ' '), ' ' ORDER BY normalized) AS words
          FROM former_names WHERE former_names.project_id = s.project_id) AS before
 CROSS JOIN LATERAL (
        -- Other classifiers, and what most projects have in common, tell nothing of what a project is about.
        SELECT left(string_agg(regexp_replace(name, '^[A-Z][a-z]+ :: '
                   '(Software Development( :: Libraries( :: Python Modules)?)?)?', ''), ' '), 1000) AS topics
          FROM unnest(l.names) AS name WHERE name ~ '^(Topic|Framework) :: ') AS about;
"""


def upgrade() -> None:
    """Have views know of names that projects had; so far none has any."""
    op.execute(STEPS)
