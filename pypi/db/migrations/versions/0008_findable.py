"""Finding projects as people do: words by weight, labels to narrow by, and names close to what was typed.

``findable`` has a short row for each row of ``search``, so that many are looked through in little time:
``search`` answers clients that look into single fields. Nothing here needs an extension.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

FUNCTIONS = """
-- The minor versions of Python that a specifier (PEP 440) admits, of 2.6 to 3.20; NULL where it states none.
-- Of a minor version it is enough that some release of it is admitted.
CREATE FUNCTION admitted_pythons(specifier text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    part text[];
    major integer;
    minor integer;
    x integer;
    y integer;
    fits boolean;
    admitted integer[];
    rest integer[];
BEGIN
    FOR part IN SELECT regexp_matches(left(specifier, 200),
        '(===?|~=|!=|<=?|>=?)\\s*v?([0-9]{1,4})(?:[.]([0-9]{1,4}|[*]))?(?:[.]([0-9]{1,4}|[*]))?', 'g')
    LOOP
        major := part[2];
        minor := coalesce(nullif(part[3], '*'), '0');
        admitted := coalesce(admitted, ARRAY[206, 207] || ARRAY(SELECT generate_series(300, 320)));
        rest := '{}';
        FOR at IN 1..cardinality(admitted) LOOP
            x := admitted[at] / 100;
            y := admitted[at] % 100;
            fits := CASE part[1]
                WHEN '>=' THEN (x, y) >= (major, minor)
                WHEN '>' THEN (x, y) >= (major, minor)
                WHEN '<=' THEN (x, y) <= (major, minor)
                WHEN '<' THEN (x, y) < (major, minor) OR (x, y) = (major, minor) AND part[4] ~ '[1-9]'
                WHEN '!=' THEN part[3] = '*' AND x <> major
                               OR part[4] = '*' AND (x, y) <> (major, minor)
                               OR part[3] IS DISTINCT FROM '*' AND part[4] IS DISTINCT FROM '*'
                WHEN '~=' THEN CASE WHEN part[3] IS NULL THEN x >= major
                                    WHEN part[4] IS NULL THEN x = major AND y >= minor
                                    ELSE (x, y) = (major, minor) END
                ELSE x = major AND (part[3] = '*' OR y = minor) END;
            IF fits THEN
                rest := rest || admitted[at];
            END IF;
        END LOOP;
        admitted := rest;
    END LOOP;
    RETURN CASE WHEN admitted IS NOT NULL
                THEN ARRAY(SELECT one / 100 || '.' || one % 100 FROM unnest(admitted) AS one) END;
END $$;

-- What projects can be narrowed by: classifiers and what stands above them, versions of Python, wheels.
-- Pythons are those that installers admit; where a project does not say, those it has a classifier for.
CREATE FUNCTION label_names(classifiers text[], requires_python text, has_wheel boolean) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    pythons text[] := admitted_pythons(requires_python);
    names text[] := CASE WHEN has_wheel THEN ARRAY['@wheel'] ELSE '{}' END;
    one text;
    part text;
    name text;
BEGIN
    FOREACH one IN ARRAY classifiers LOOP
        name := NULL;
        FOREACH part IN ARRAY string_to_array(left(one, 200), ' :: ') LOOP
            name := concat_ws(' :: ', name, part);
            IF name <> ALL (names) THEN
                names := names || name;
            END IF;
        END LOOP;
        IF pythons IS NULL AND one ~ '^Programming Language :: Python :: [23][.][0-9]+$' THEN
            names := names || ('@python ' || part);
        END IF;
    END LOOP;
    FOREACH one IN ARRAY coalesce(pythons, '{}') LOOP
        names := names || ('@python ' || one);
    END LOOP;
    RETURN names;
END $$;

-- A text of the same length without what makes one word of several: PostgreSQL takes ``client/server`` for
-- the name of a file, ``<soft>`` for a tag and ``ruamel.yaml`` for the name of a host.
CREATE FUNCTION search_plain(given text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT translate(given, '/<>_.:@&=+~\\', '            ')
$$;

-- Parts of a name (without its separators) by which names that differ by a slip or two have one in common:
-- short ones with up to two letters left out, of longer ones each half with one left out.
CREATE FUNCTION name_pieces(squashed text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    size integer := length(squashed);
    half text;
    one text;
    pieces text[] := '{}';
BEGIN
    IF size BETWEEN 3 AND 8 THEN
        pieces := ARRAY['=' || squashed];
        FOR i IN 1..size LOOP
            one := '=' || left(squashed, i - 1) || substr(squashed, i + 1);
            pieces := pieces || one;
            FOR j IN i + 1..CASE WHEN size > 5 THEN size ELSE 0 END LOOP
                pieces := pieces || (left(one, j - 1) || substr(one, j + 1));
            END LOOP;
        END LOOP;
    ELSIF size BETWEEN 9 AND 60 THEN
        FOREACH half IN ARRAY ARRAY['<' || left(squashed, size / 2), '>' || substr(squashed, size / 2 + 1)]
        LOOP
            pieces := pieces || half;
            FOR i IN 2..length(half) LOOP
                pieces := pieces || (left(half, i - 1) || substr(half, i + 1));
            END LOOP;
        END LOOP;
    END IF;
    RETURN pieces;
END $$;
"""

TABLES = """
CREATE TABLE search_labels (
    id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);

CREATE TABLE findable (
    project_id bigint PRIMARY KEY REFERENCES projects ON DELETE CASCADE,
    release_id bigint NOT NULL REFERENCES releases ON DELETE CASCADE,
    name       text NOT NULL,
    normalized text COLLATE "C" NOT NULL,
    squashed   text COLLATE "C" NOT NULL,
    created    timestamptz NOT NULL,
    labels     integer[] NOT NULL,
    words      tsvector NOT NULL,
    -- Of the last 30 days; a job brings it up to date.
    downloads  bigint NOT NULL DEFAULT 0
);

-- The labels of each project, by name.
CREATE VIEW labels_meant AS
SELECT s.project_id, labels.names
  FROM search s JOIN releases r ON r.id = s.release_id
 CROSS JOIN LATERAL (
        SELECT label_names(
                   ARRAY(SELECT c.name FROM release_classifiers rc
                           JOIN classifiers c ON c.id = rc.classifier_id WHERE rc.release_id = s.release_id),
                   r.metadata ->> 'requires_python',
                   EXISTS (SELECT FROM files WHERE release_id = s.release_id AND filetype = 'bdist_wheel'))
                 AS names
        -- Made once for each project, and not for each label that may be among them.
        OFFSET 0) AS labels;

-- What ``findable`` holds, beside downloads, once all labels of the project have numbers. Weights: A the
-- name, with each word of it once more as ``n:word``; B keywords; C the summary; D topics and authors.
CREATE VIEW findable_documents AS
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
"""

FILL = """
INSERT INTO search_labels (name) SELECT DISTINCT unnest(names) FROM labels_meant ORDER BY 1;
INSERT INTO findable SELECT * FROM findable_documents;
"""

INDEXES = """
CREATE INDEX findable_release ON findable (release_id);
CREATE INDEX findable_normalized ON findable (normalized);
CREATE INDEX findable_squashed ON findable (squashed);
CREATE INDEX findable_created ON findable (created DESC);
CREATE INDEX findable_downloads ON findable (downloads DESC, created DESC) INCLUDE (normalized, project_id);
CREATE INDEX findable_words ON findable USING gin (words, labels) WITH (gin_pending_list_limit = 256);
CREATE INDEX findable_pieces ON findable USING gin (name_pieces(squashed))
    WITH (gin_pending_list_limit = 256);
-- What is in them tells planners nothing, and is work to make.
ALTER INDEX findable_pieces ALTER COLUMN 1 SET STATISTICS 0;
ALTER INDEX search_anywhere ALTER COLUMN 1 SET STATISTICS 0;
DROP INDEX search_words;
DROP INDEX search_normalized;
"""


def upgrade() -> None:
    """Make the table, and fill it from what is there."""
    op.execute(FUNCTIONS)
    op.execute(TABLES)
    op.execute("SET LOCAL maintenance_work_mem = '256MB'")
    op.execute(FILL)
    op.execute(INDEXES)
    op.execute("ANALYZE search_labels, findable")
