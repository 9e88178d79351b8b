"""Projects as people find them: by words and labels, with what there is to narrow them to.

One statement. It looks where there is most to be expected, and further only where that was little: at names,
at all words, at longer words, at descriptions, at some of the words. What is found is bounded at each step;
the best are scored, and everything else is counted among these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attrs import frozen

from pypi.db.connection import Cursor

MOST = 1000
"""Projects of which pages are made."""


@frozen(kw_only=True)
class PageSought:
    """What is looked for; queries are those of full text search, empty where there is nothing to ask.

    Attributes:
        whole, inner, every, beginning, looser, any, named: as in ``pypi.search.terms.Terms``.
        labels: names of all labels a project must have.
        wordless: whether nothing was typed, so that all fit that have the labels.
        order: ``relevance``, ``date`` or ``downloads``.
        offset: hits in front of those that are wanted.
        limit: hits wanted at most.
    """

    whole: str
    inner: Sequence[str]
    every: str
    beginning: str
    looser: tuple[str, str]
    any: str
    named: str
    labels: Sequence[str]
    wordless: bool
    order: str
    offset: int
    limit: int


@frozen
class FoundPage:
    """A page of what was found.

    Attributes:
        total: projects found.
        strict: of those, projects that have all the words.
        more: whether there are more that were not looked at.
        counted: projects of which labels are counted.
        hits: as arrays: name, normalized, version, summary, seconds of the epoch, downloads, what matched,
            and the summary, letter by letter as long, with marks.
        labels: name → projects.
    """

    total: int
    strict: int
    more: bool
    counted: int
    hits: Sequence[Sequence[Any]]
    labels: dict[str, int]


# Plans depend on what is looked for, and what is to be found is not known before: tables are never read as a
# whole, and no time is spent on compiling.
PLANNED = """SET LOCAL statement_timeout = '2s'; SET LOCAL work_mem = '32MB'; SET LOCAL jit = off;
    SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off;
    SET LOCAL max_parallel_workers_per_gather = 0; """

FITS = "(%(unlabelled)s OR labels @> (SELECT ids FROM wanted))"
"""Whether a project has all labels that are asked for."""

# Where more fit than are looked at, those that belong in front are looked for by themselves.
FRONTS = {
    "popular": "findable WHERE is_popular",
    "newest": "(SELECT * FROM findable ORDER BY created DESC LIMIT 4000) AS newest WHERE true",
}

SOUGHT = """
    WITH wanted AS MATERIALIZED (
        SELECT array_agg(coalesce(l.id, 0)) AS ids
          FROM unnest(%(labels)s::text[]) AS asked LEFT JOIN search_labels l ON l.name = asked),
    begun AS MATERIALIZED (
        SELECT project_id, downloads, created, squashed FROM findable
         WHERE %(whole)s <> '' AND squashed >= %(whole)s AND squashed < %(beyond)s AND <fits>
         ORDER BY squashed LIMIT 500),
    named AS MATERIALIZED (
        SELECT project_id, downloads, created, squashed FROM findable
         WHERE %(named)s <> '' AND words @@ %(named)s::tsquery AND <fits> LIMIT 600),
    names AS MATERIALIZED (
        (SELECT project_id FROM begun ORDER BY squashed = %(whole)s DESC, <first>, length(squashed) LIMIT 200)
         UNION ALL
        SELECT project_id FROM findable WHERE squashed = ANY (%(inner)s) AND <fits>
         UNION ALL
        (SELECT project_id
           FROM (SELECT * FROM named
                  UNION
                 SELECT project_id, downloads, created, squashed FROM <front>
                    AND %(named)s <> '' AND (SELECT count(*) FROM named) = 600
                    AND words @@ %(named)s::tsquery AND <fits>) AS part
          ORDER BY <first>, length(squashed) LIMIT 300)),
    looked AS MATERIALIZED (
        SELECT project_id, downloads, created FROM findable
         WHERE NOT %(anything)s
           AND (%(wordless)s OR %(every)s <> '' AND words @@ to_tsquery('english', %(every)s)) AND <fits>
         LIMIT 2000),
    every AS MATERIALIZED (
        SELECT project_id
          FROM (SELECT * FROM looked
                 UNION
                SELECT project_id, downloads, created FROM <front>
                   AND (SELECT count(*) FROM looked) = 2000
                   AND (%(wordless)s OR %(every)s <> '' AND words @@ to_tsquery('english', %(every)s))
                   AND <fits>
                 UNION
                (SELECT project_id, downloads, created FROM findable
                  WHERE %(anything)s ORDER BY <first> LIMIT 1001)) AS part
         ORDER BY <first> LIMIT 1001),
    longer AS MATERIALIZED (
        SELECT project_id FROM findable
         WHERE %(beginning)s <> '' AND (SELECT count(*) FROM every) < 20
           AND words @@ to_tsquery('english', %(beginning)s) AND <fits> LIMIT 1001),
    prose AS MATERIALIZED (
        SELECT project_id FROM search
         WHERE %(every)s <> '' AND (SELECT count(*) FROM every) < 200
           AND prose @@ to_tsquery('english', %(every)s) LIMIT 300),
    described AS MATERIALIZED (
        SELECT f.project_id FROM prose JOIN findable f ON f.project_id = prose.project_id WHERE <fits>),
    most AS MATERIALIZED (
        SELECT project_id FROM findable
         WHERE %(most_words)s <> '' AND NOT EXISTS (SELECT FROM begun WHERE squashed = %(whole)s)
           AND (SELECT count(*) FROM every) + (SELECT count(*) FROM longer) < 20
           AND words @@ to_tsquery('english', %(most_words)s) AND <fits> LIMIT 500),
    half AS MATERIALIZED (
        SELECT project_id FROM findable
         WHERE %(half_words)s <> '' AND NOT EXISTS (SELECT FROM begun WHERE squashed = %(whole)s)
           AND (SELECT count(*) FROM every) + (SELECT count(*) FROM longer) + (SELECT count(*) FROM most) < 20
           AND words @@ to_tsquery('english', %(half_words)s) AND <fits> LIMIT 500),
    found AS MATERIALIZED (
        SELECT project_id, max(bonus) AS bonus
          FROM (SELECT project_id, 6 AS bonus FROM names UNION ALL SELECT project_id, 5 FROM every
                 UNION ALL SELECT project_id, 4 FROM longer UNION ALL SELECT project_id, 3 FROM described
                 UNION ALL SELECT project_id, 2 FROM most UNION ALL SELECT project_id, 1 FROM half) AS steps
         WHERE project_id NOT IN (SELECT id FROM projects WHERE status = 'quarantined')
         GROUP BY project_id),
    scored AS MATERIALIZED (
        SELECT f.project_id, f.downloads, f.created, f.normalized, found.bonus >= 3 AS is_strict,
               <score> AS score
          FROM found JOIN findable f ON f.project_id = found.project_id),
    kept AS MATERIALIZED (
        SELECT * FROM scored WHERE is_strict
         UNION ALL
        (SELECT * FROM scored WHERE NOT is_strict ORDER BY score DESC LIMIT 40)),
    best AS MATERIALIZED (
        SELECT project_id, row_number() OVER (ORDER BY <best>, length(normalized), normalized) AS place
          FROM kept ORDER BY place LIMIT 1000),"""

# The very name; a name that begins so; a name among the words; words by where they stand.
SCORE = """
               CASE WHEN %(wordless)s THEN 0 ELSE
                 CASE WHEN f.squashed = %(whole)s THEN 40
                      WHEN starts_with(f.squashed, %(whole)s)
                      THEN 4 + 8.0 * length(%(whole)s) / length(f.squashed)
                      WHEN f.squashed = ANY (%(inner)s) THEN 6 ELSE 0 END
                 + CASE WHEN %(named)s <> '' AND f.words @@ %(named)s::tsquery THEN 6 ELSE 0 END
                 + 10 * ts_rank('{0.1, 0.4, 0.6, 1.0}', f.words, to_tsquery('english', %(any)s), 1)
                 + bonus END + 0.4 * ln(1 + f.downloads)"""

SHOWN = """
    counts AS (
        SELECT id, count(*) AS count
          FROM best JOIN findable f ON f.project_id = best.project_id, unnest(f.labels) AS id
         WHERE place <= 200 GROUP BY id),
    shown AS (
        SELECT json_agg(json_build_array(
                   f.name, f.normalized, r.version, r.summary, extract(epoch FROM f.created), f.downloads,
                   <matched>, <marked>) ORDER BY best.place) AS hits
          FROM (SELECT * FROM best ORDER BY place OFFSET %(offset)s LIMIT %(limit)s) AS best
          JOIN findable f ON f.project_id = best.project_id
          JOIN search s ON s.project_id = best.project_id
          JOIN releases r ON r.id = f.release_id)
    SELECT (SELECT count(*) FROM kept),
           (SELECT count(*) FROM kept WHERE is_strict),
           (SELECT count(*) FROM looked) = 2000 OR (SELECT count(*) FROM prose) = 300
               OR (SELECT count(*) FROM longer) = 1001,
           (SELECT count(*) FROM best WHERE place <= 200),
           (SELECT coalesce(hits, '[]') FROM shown),
           (SELECT coalesce(json_object_agg(l.name, count), '{}')
              FROM counts JOIN search_labels l ON l.id = counts.id)"""

MATCHED = """
                   CASE WHEN %(any)s = '' THEN '[]' ELSE json_build_array(
                       ts_filter(f.words, '{a}') @@ to_tsquery('english', %(any)s),
                       ts_filter(f.words, '{b}') @@ to_tsquery('english', %(any)s),
                       ts_filter(f.words, '{c}') @@ to_tsquery('english', %(any)s),
                       ts_filter(f.words, '{d}') @@ to_tsquery('english', %(any)s)
                           AND to_tsvector('english', (
                               SELECT search_plain(string_agg(name, ' ')) FROM search_labels
                                WHERE id = ANY (f.labels) AND name ~ '^(Topic|Framework) :: '))
                           @@ to_tsquery('english', %(any)s),
                       to_tsvector('english', search_plain(concat_ws(' ', s.author, s.maintainer)))
                           @@ to_tsquery('english', %(any)s),
                       s.prose @@ to_tsquery('english', %(any)s)) END"""

MARKED = """
                   CASE WHEN %(any)s = '' THEN r.summary ELSE ts_headline(
                       'english', search_plain(translate(r.summary, E'\\x02\\x03', '??')),
                       to_tsquery('english', %(any)s),
                       E'HighlightAll=true, StartSel=\\x02, StopSel=\\x03') END"""

POPULAR = "downloads DESC, created DESC"
ORDERS = {
    "relevance": ("popular", POPULAR, "score DESC, downloads DESC, created DESC"),
    "date": ("newest", "created DESC", "created DESC"),
    "downloads": ("popular", POPULAR, "downloads DESC, score DESC, created DESC"),
}
"""Order → (where to look first, what comes first of very many, what comes first of the best)."""


def _statement(front: str, first: str, best: str) -> str:
    text = SOUGHT.replace("<front>", FRONTS[front]).replace("<fits>", FITS).replace("<score>", SCORE)
    text = PLANNED + text.replace("<first>", first).replace("<best>", best)
    return text + SHOWN.replace("<matched>", MATCHED).replace("<marked>", MARKED)


PAGES = {order: _statement(*pieces) for order, pieces in ORDERS.items()}


async def page(cursor: Cursor, sought: PageSought) -> FoundPage:
    """A page of what is found; one statement."""
    parameters: dict[str, Any] = {
        "whole": sought.whole,
        "beyond": beyond(sought.whole),
        "inner": list(sought.inner),
        "every": sought.every,
        "beginning": sought.beginning,
        "most_words": sought.looser[0],
        "half_words": sought.looser[1],
        "any": sought.any,
        "named": sought.named,
        "labels": list(sought.labels),
        "unlabelled": not sought.labels,
        "wordless": sought.wordless,
        "anything": sought.wordless and not sought.labels,
        "offset": sought.offset,
        "limit": sought.limit,
    }
    found = await cursor.row(FoundPage, PAGES[sought.order], parameters)
    assert found is not None, "it has one row, whatever is found"
    return found


def beyond(text: str) -> str:
    """The first text, byte by byte, that does not begin with this one."""
    return text + "\U0010ffff"
