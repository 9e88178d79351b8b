"""Finding projects: where each version stands among the others, and what is to be found of each project.

Every project with a release has one row in ``search``, made of the release a reader means who names none. Its
texts are in lower case, as ``lower`` makes it, and short; only what full text search needs is kept of the
description. Nothing here needs an extension: ``search_grams`` makes all runs of three characters of a text,
whose index finds what holds a word somewhere.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

PLACES = """
-- Digits as text that sorts as the number does, without leading zeros.
CREATE FUNCTION version_number(digits text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN length(digits) < 10 THEN length(digits)::text
                ELSE 'x' || lpad(length(digits)::text, 3, '0') END || digits
$$;

-- A canonical version (``pypi.domain.versions.canonical``) as text that sorts, byte by byte, as versions do
-- (``sort_key``): PEP 440's order, after all text that is no version.
CREATE FUNCTION version_place(canonical text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    part text[] := regexp_match(canonical,
        '^(?:([0-9]+)!)?([0-9]+(?:[.][0-9]+)*)(?:(a|b|rc)([0-9]+))?(?:[.]post([0-9]+))?(?:[.]dev([0-9]+))?'
        '(?:[+]([a-z0-9]+(?:[.][a-z0-9]+)*))?$');
    place text;
    piece text;
BEGIN
    IF part IS NULL OR length(canonical) > 200 THEN
        RETURN '0' || canonical;
    END IF;
    place := '1' || version_number(coalesce(part[1], '0'));
    FOREACH piece IN ARRAY string_to_array(part[2], '.') LOOP
        place := place || '.' || version_number(piece);
    END LOOP;
    place := place || '!' || CASE
        WHEN part[3] IS NOT NULL THEN '1' || part[3] || version_number(part[4])
        WHEN part[5] IS NULL AND part[6] IS NOT NULL THEN '0'
        ELSE '2' END;
    place := place || coalesce('1' || version_number(part[5]), '0');
    place := place || coalesce('0' || version_number(part[6]), '1');
    IF part[7] IS NOT NULL THEN
        FOREACH piece IN ARRAY string_to_array(part[7], '.') LOOP
            place := place || '+'
                || CASE WHEN piece ~ '[a-z]' THEN '0' || piece ELSE '1' || version_number(piece) END;
        END LOOP;
    END IF;
    RETURN place;
END $$;

ALTER TABLE releases
    ADD COLUMN place text COLLATE "C" GENERATED ALWAYS AS (version_place(canonical)) STORED;
"""

DOCUMENTS = """
-- A text as it is compared: on one line, in lower case, of so many characters at most.
CREATE FUNCTION search_text(given text, most integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT lower(left(btrim(regexp_replace(coalesce(given, ''), '\\s+', ' ', 'g')), most))
$$;

-- Every run of three characters: work that is done for an index, and for nothing else.
CREATE FUNCTION search_grams(given text) RETURNS tsvector
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10000 AS $$
    SELECT array_to_tsvector(ARRAY(
        SELECT gram FROM (
            SELECT letter || lead(letter) OVER (ORDER BY at) || lead(letter, 2) OVER (ORDER BY at) AS gram
              FROM unnest(string_to_array(given, NULL)) WITH ORDINALITY AS letters (letter, at)) AS grams
         WHERE gram IS NOT NULL))
$$;

CREATE TABLE search (
    project_id       bigint PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    release_id       bigint NOT NULL REFERENCES releases ON DELETE CASCADE,
    normalized       text COLLATE "C" NOT NULL,
    name             text NOT NULL,
    summary          text NOT NULL,
    keywords         text NOT NULL,
    author           text NOT NULL,
    author_email     text NOT NULL,
    maintainer       text NOT NULL,
    maintainer_email text NOT NULL,
    home_page        text NOT NULL,
    download_url     text NOT NULL,
    license          text NOT NULL,
    platform         text NOT NULL,
    versions         text NOT NULL,
    words            tsvector NOT NULL,
    prose            tsvector NOT NULL
);

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
       setweight(to_tsvector('simple', p.normalized) || to_tsvector('english', p.normalized), 'A')
         || setweight(to_tsvector('english', left(concat_ws(' ', r.summary, lists.keywords), 4000)), 'B')
         || setweight(to_tsvector('english', left(concat_ws(' ', lists.classifiers, r.metadata ->> 'author',
                                                            r.metadata ->> 'maintainer'), 4000)), 'C')
         AS words,
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
                    jsonb_path_query_array(r.metadata, '$.platform[*]'))) AS platform,
               (SELECT string_agg(c.name, ' ' ORDER BY c.name) FROM release_classifiers rc
                  JOIN classifiers c ON c.id = rc.classifier_id WHERE rc.release_id = r.id) AS classifiers
        ) AS lists
  LEFT JOIN descriptions d ON d.release_id = r.id;

INSERT INTO search SELECT * FROM search_documents;
"""

INDEXES = """
CREATE INDEX search_release ON search (release_id);
CREATE INDEX search_normalized ON search (normalized);
-- What is new waits in a list of bounded length, which every search looks through.
CREATE INDEX search_anywhere ON search USING gin (search_grams(
    name || E'\\n' || summary || E'\\n' || keywords || E'\\n' || author || E'\\n' || author_email || E'\\n'
    || maintainer || E'\\n' || maintainer_email || E'\\n' || home_page || E'\\n' || download_url || E'\\n'
    || license || E'\\n' || platform)) WITH (gin_pending_list_limit = 256);
CREATE INDEX search_words ON search USING gin (words) WITH (gin_pending_list_limit = 256);
CREATE INDEX search_prose ON search USING gin (prose) WITH (gin_pending_list_limit = 256);
CREATE INDEX projects_quarantined ON projects (id) WHERE status = 'quarantined';
"""


def upgrade() -> None:
    """Tell versions their places, and fill the table from what is there."""
    op.execute(PLACES)
    op.execute(DOCUMENTS)
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    op.execute(INDEXES)
    op.execute("ANALYZE search")
