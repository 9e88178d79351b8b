"""Words on both sides of a slash are words, as those between tags are; and ``search`` leaves words to others.

PostgreSQL takes ``client/server`` for the name of a file, ``<soft>`` for a tag and ``ruamel.yaml`` for the
name of a host, none of which is found by what it is made of.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

WORDS = """
-- A text of the same length without what makes one word of several.
CREATE FUNCTION search_plain(given text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(given, '/<>_.:@&=+~\\', '            ')
$$;

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
        -- Other classifiers, and what most projects have in common, tell nothing of what a project is about.
        SELECT left(string_agg(regexp_replace(name, '^[A-Z][a-z]+ :: '
                   '(Software Development( :: Libraries( :: Python Modules)?)?)?', ''), ' '), 1000) AS topics
          FROM unnest(l.names) AS name WHERE name ~ '^(Topic|Framework) :: ') AS about;

UPDATE findable f SET words = d.words
  FROM findable_documents d WHERE d.project_id = f.project_id AND d.words <> f.words;
"""

DOCUMENTS = """
DROP VIEW search_documents;
ALTER TABLE search DROP COLUMN words;

-- What ``search`` holds; to bring it up to date is to put into it what this says.
CREATE VIEW search_documents AS
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
                  WHERE project_id = p.id AND yanked IS NULL), '') AS versions,
       strip(to_tsvector('english', left(coalesce(d.raw, ''), 50000))) AS prose
  FROM projects p
 CROSS JOIN LATERAL (
        -- As ``pypi.domain.versions.latest``.
        SELECT id, summary, metadata FROM releases WHERE project_id = p.id
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
    """Read words anew where 0008 read them another way; take away what nobody looks into."""
    if op.get_bind().exec_driver_sql("SELECT to_regproc('search_plain')").scalar() is None:
        op.execute(WORDS)
        op.execute("ANALYZE findable")
    op.execute(DOCUMENTS)
