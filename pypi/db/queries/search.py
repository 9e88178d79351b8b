"""What is found of each project, and finding it.

A search is put together from the pieces below, by what it asks; what is looked for goes in as parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from pypi.db.connection import Cursor

SUBSTRINGS = (
    *("name", "version", "summary", "keywords", "author", "author_email", "maintainer", "maintainer_email"),
    *("home_page", "download_url", "license", "platform"),
)
"""Fields that can be looked through for any run of characters."""


@frozen(kw_only=True)
class Sought:
    """What is looked for; patterns are those of LIKE.

    Attributes:
        patterns: field, one of ``SUBSTRINGS`` → patterns any of which has to fit.
        description: a text search query.
        every: whether all of these must be met, or any.
        grams: a text search query of runs of three characters, which everything that fits ``patterns`` fits;
            ``None``: there is none.
        exact: normalized names that come first.
        beginnings: patterns of normalized names that come next.
        anywhere: patterns of names and summaries, the more of which fit the better.
        versions: whether versions are looked for, and not projects.
        limit: rows at most.
    """

    patterns: Mapping[str, Sequence[str]]
    description: str | None = None
    every: bool = True
    grams: str | None = None
    exact: Sequence[str] = ()
    beginnings: Sequence[str] = ()
    anywhere: Sequence[str] = ()
    versions: bool = False
    limit: int


@frozen
class FoundRow:
    """A project, or a version of it."""

    name: str
    version: str
    summary: str


REFRESH = """
    DELETE FROM search WHERE project_id = %(project_id)s;
    INSERT INTO search SELECT * FROM search_documents WHERE project_id = %(project_id)s;
    INSERT INTO search_labels (name)
    SELECT one FROM labels_meant, unnest(names) AS one
     WHERE project_id = %(project_id)s AND NOT EXISTS (SELECT FROM search_labels WHERE name = one)
     ORDER BY 1 ON CONFLICT DO NOTHING;
    DELETE FROM findable WHERE project_id = %(project_id)s
       AND NOT EXISTS (SELECT FROM search WHERE project_id = %(project_id)s);
    INSERT INTO findable (project_id, release_id, name, normalized, squashed, created, labels, words)
    SELECT project_id, release_id, name, normalized, squashed, created, labels, words
      FROM findable_documents WHERE project_id = %(project_id)s
        ON CONFLICT (project_id) DO UPDATE
       SET release_id = excluded.release_id, name = excluded.name, normalized = excluded.normalized,
           squashed = excluded.squashed, created = excluded.created, labels = excluded.labels,
           words = excluded.words"""

WHEEL = """
    INSERT INTO search_labels (name)
    SELECT '@wheel' WHERE NOT EXISTS (SELECT FROM search_labels WHERE name = '@wheel') ON CONFLICT DO NOTHING;
    UPDATE findable SET labels = labels || id
      FROM search_labels WHERE search_labels.name = '@wheel' AND NOT labels @> ARRAY[id]
       AND project_id = %(project_id)s AND release_id = %(release_id)s"""

MARK_POPULAR = """
    WITH popular AS (
        SELECT project_id FROM findable WHERE downloads > 0 ORDER BY downloads DESC, created DESC LIMIT 3000)
    UPDATE findable SET is_popular = NOT is_popular
     WHERE NOT is_popular AND project_id IN (SELECT project_id FROM popular)
        OR is_popular AND project_id NOT IN (SELECT project_id FROM popular)"""

LIMITED = "SET LOCAL statement_timeout = '1s'; SET LOCAL work_mem = '32MB';"

BY_INDEX = " SET LOCAL enable_seqscan = off;"
"""However much it fits, the runs of characters of a text are never made to find out."""

# --- the pieces of a search: what stands in angle brackets is put in

FOUND = """
    WITH found AS MATERIALIZED (
        SELECT s.project_id, s.release_id, s.normalized, <score> AS score, coalesce(<anyway>, false) AS anyway
          FROM search s
         WHERE s.project_id NOT IN (SELECT id FROM projects WHERE status = 'quarantined')"""

# Names first: the very name, all words in it, one that begins so, one with any word; then summaries with all.
SCORE = """
               CASE WHEN s.normalized = ANY (%(exact)s) THEN 32 ELSE 0 END
               + CASE WHEN <any in name>
                      THEN 4 + CASE WHEN <all in name> THEN 16 ELSE 0 END
                             + CASE WHEN <any begins> THEN 8 ELSE 0 END
                      ELSE CASE WHEN <all in summary> THEN 2 ELSE 0 END END"""

BEST = """
         ORDER BY score DESC, length(s.normalized), s.normalized LIMIT %(limit)s)"""

PROJECTS = """
    SELECT p.name, r.version, r.summary
      FROM found f JOIN projects p ON p.id = f.project_id JOIN releases r ON r.id = f.release_id
     ORDER BY score DESC, length(f.normalized), f.normalized"""

VERSIONS = """
    SELECT p.name, r.version, r.summary
      FROM found f JOIN projects p ON p.id = f.project_id
      JOIN LATERAL (SELECT version, summary, place FROM releases
                     WHERE project_id = f.project_id AND yanked IS NULL AND quarantined IS NULL
                       AND (f.anyway OR lower(version) LIKE ANY (
                            ARRAY(SELECT lower(one) FROM unnest(%(version)s::text[]) AS one)))
                     ORDER BY place DESC LIMIT %(limit)s) AS r ON true
     ORDER BY score DESC, length(f.normalized), f.normalized, place DESC LIMIT %(limit)s"""

# Written as the index on it is.
GRAMS = """search_grams(
    name || E'\\n' || summary || E'\\n' || keywords || E'\\n' || author || E'\\n' || author_email || E'\\n'
    || maintainer || E'\\n' || maintainer_email || E'\\n' || home_page || E'\\n' || download_url || E'\\n'
    || license || E'\\n' || platform) @@ lower(%(grams)s)::tsquery"""

DESCRIBED = "s.prose @@ to_tsquery('english', %(description)s)"
EITHER = """s.project_id IN (SELECT project_id FROM search WHERE <grams>
                                    UNION ALL SELECT project_id FROM search s WHERE <described>)"""


async def refresh(cursor: Cursor, project_id: int) -> None:
    """Have a project found as it is now, or not at all if it has no release any more."""
    await cursor.run(REFRESH, {"project_id": project_id})


async def add_wheel(cursor: Cursor, project_id: int, release_id: int) -> None:
    """Have a project found among those with wheels, if this is the release it is found by."""
    await cursor.run(WHEEL, {"project_id": project_id, "release_id": release_id})


async def mark_popular(cursor: Cursor) -> None:
    """Know the projects that are downloaded most by a mark."""
    await cursor.run(MARK_POPULAR)


async def found(cursor: Cursor, sought: Sought) -> list[FoundRow]:
    """The best of what is found, the best first; one statement."""
    parameters: dict[str, Any] = {
        "exact": list(sought.exact),
        "grams": sought.grams,
        "description": sought.description,
        "version": list(sought.patterns.get("version", ())),
        "limit": sought.limit,
    }
    fitting = {field: _likes(field, patterns, parameters) for field, patterns in sought.patterns.items()}
    conditions = _of_fields(sought, fitting)
    text = LIMITED + (BY_INDEX if sought.grams is not None else "")
    text += FOUND.replace("<score>", _score(sought, parameters)).replace("<anyway>", _anyway(sought, fitting))
    text += "".join("\n           AND " + condition for condition in conditions) + BEST
    return await cursor.rows(FoundRow, text + (VERSIONS if sought.versions else PROJECTS), parameters)


def _likes(field: str, patterns: Sequence[str], parameters: dict[str, Any]) -> list[str]:
    """A condition for each pattern: constants, one by one, are compared in half the time of arrays."""
    assert field in SUBSTRINGS, "nothing but these names becomes part of a statement"
    column = "versions" if field == "version" else field
    parameters.update({field + "_" + str(number): one for number, one in enumerate(patterns)})
    return ["s." + column + " LIKE lower(%(" + field + "_" + str(n) + ")s)" for n in range(len(patterns))]


def _score(sought: Sought, parameters: dict[str, Any]) -> str:
    if not sought.anywhere:
        return "0"
    parameters.update({"begins_" + str(number): one for number, one in enumerate(sought.beginnings)})
    parameters.update({"anywhere_" + str(number): one for number, one in enumerate(sought.anywhere)})
    numbers = [str(number) for number in range(len(sought.anywhere))]
    in_name = ["s.name LIKE lower(%(anywhere_" + number + ")s)" for number in numbers]
    in_summary = ["s.summary LIKE lower(%(anywhere_" + number + ")s)" for number in numbers]
    begins = ["s.normalized LIKE %(begins_" + str(number) + ")s" for number in range(len(sought.beginnings))]
    score = SCORE.replace("<any in name>", _any(in_name)).replace("<any begins>", _any(begins))
    score = score.replace("<all in name>", " AND ".join(in_name) if len(in_name) > 1 else "true")
    return score.replace("<all in summary>", " AND ".join(in_summary))


def _any(conditions: Iterable[str]) -> str:
    return "(" + " OR ".join(conditions) + ")"


def _of_fields(sought: Sought, fitting: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Conditions on fields; in front of them one that an index answers, if there is one."""
    described = [DESCRIBED] if sought.description is not None else []
    if sought.grams is not None:
        either = EITHER.replace("<grams>", GRAMS).replace("<described>", DESCRIBED)
        yield either if described and not sought.every else GRAMS
    every = [*map(_any, fitting.values()), *described]
    if every:
        yield "(" + (" AND " if sought.every else " OR ").join(every) + ")"


def _anyway(sought: Sought, fitting: Mapping[str, Sequence[str]]) -> str:
    """Whether a project fits whatever its versions are called."""
    if sought.every or not sought.versions:
        return "false"
    others = [_any(conditions) for field, conditions in fitting.items() if field != "version"]
    return _any([*others, *([DESCRIBED] if sought.description is not None else [])] or ["false"])
