"""Names of projects: those somebody may be typing, and those close to what was typed."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.db.queries.search_pages import PLANNED, beyond

MOST_NEAR = 300
"""Names that have a piece in common which are compared."""


@frozen
class SuggestedRow:
    """A project whose name may be meant."""

    name: str
    normalized: str
    summary: str


@frozen
class NearRow:
    """A project whose name has a piece in common; ``squashed`` is the name without separators."""

    project_id: int
    name: str
    normalized: str
    squashed: str
    downloads: int


# The very name, and then what begins so: some by the alphabet, and where these are not all, the popular among
# the most popular. Names with a word that begins so where these are few.
SUGGESTED = """
    WITH spelled AS MATERIALIZED (
        SELECT project_id, downloads, normalized FROM findable
         WHERE normalized >= %(begins)s AND normalized < %(beyond)s ORDER BY normalized LIMIT 300),
    begun AS MATERIALIZED (
        SELECT * FROM spelled
         UNION
        SELECT project_id, downloads, normalized
          FROM (SELECT project_id, downloads, normalized FROM findable
                 WHERE (SELECT count(*) FROM spelled) = 300
                 ORDER BY downloads DESC, created DESC LIMIT 1500) AS popular
         WHERE starts_with(normalized, %(begins)s)
         UNION
        (SELECT project_id, downloads, normalized FROM findable
          WHERE (SELECT count(*) FROM spelled) < 300
            AND squashed >= %(squashed)s AND squashed < %(beyond_squashed)s ORDER BY squashed LIMIT 300)),
    first AS MATERIALIZED (
        SELECT project_id, 1 AS step,
               row_number() OVER (ORDER BY normalized = %(begins)s DESC, downloads DESC, length(normalized),
                                           normalized) AS place
          FROM begun WHERE project_id NOT IN (SELECT id FROM projects WHERE status = 'quarantined')
         ORDER BY place LIMIT %(limit)s),
    worded AS MATERIALIZED (
        SELECT project_id, 2 AS step,
               row_number() OVER (ORDER BY downloads DESC, length(normalized), normalized) AS place
          FROM (SELECT project_id, downloads, normalized FROM findable
                 WHERE %(named)s <> '' AND (SELECT count(*) FROM first) < %(limit)s
                   AND words @@ %(named)s::tsquery LIMIT 600) AS part
         WHERE project_id NOT IN (SELECT id FROM projects WHERE status = 'quarantined')
           AND project_id NOT IN (SELECT project_id FROM begun)
         ORDER BY place LIMIT %(limit)s)
    SELECT f.name, f.normalized, r.summary
      FROM (SELECT * FROM first UNION ALL SELECT * FROM worded) AS found
      JOIN findable f ON f.project_id = found.project_id JOIN releases r ON r.id = f.release_id
     ORDER BY found.step, found.place LIMIT %(limit)s"""

NEAR = """
    SELECT project_id, name, normalized, squashed, downloads
      FROM findable
     WHERE name_pieces(squashed) && %(pieces)s::text[]
       AND length(squashed) BETWEEN %(shortest)s AND %(longest)s
       AND project_id NOT IN (SELECT id FROM projects WHERE status = 'quarantined')
     LIMIT %(most)s"""

SUMMARIES = """
    SELECT f.name, f.normalized, r.summary
      FROM unnest(%(project_ids)s::bigint[]) WITH ORDINALITY AS asked (project_id, place)
      JOIN findable f ON f.project_id = asked.project_id JOIN releases r ON r.id = f.release_id
     ORDER BY asked.place"""


async def suggested(
    cursor: Cursor, begins: str, squashed: str, named: str, *, limit: int
) -> list[SuggestedRow]:
    """Projects whose name begins so, and then those with words in it that begin so.

    Args:
        begins: in the form of normalized names.
        squashed: the same without separators; not empty.
        named: as in ``pypi.search.terms.Terms``.
    """
    parameters = {
        "begins": begins,
        "beyond": beyond(begins),
        "squashed": squashed,
        "beyond_squashed": beyond(squashed),
        "named": named,
        "limit": limit,
    }
    return await cursor.rows(SuggestedRow, PLANNED + SUGGESTED, parameters)


async def near(cursor: Cursor, pieces: Sequence[str], *, size: int, slips: int) -> list[NearRow]:
    """Projects whose name has one of these pieces, and about so many letters.

    Args:
        pieces: as in ``pypi.search.nearness``.
    """
    parameters = {
        "pieces": list(pieces),
        "shortest": size - slips,
        "longest": size + slips,
        "most": MOST_NEAR,
    }
    return await cursor.rows(NearRow, PLANNED + NEAR, parameters)


async def summaries(cursor: Cursor, project_ids: Sequence[int]) -> list[SuggestedRow]:
    """These projects, in this order; without those that are gone."""
    return await cursor.rows(SuggestedRow, PLANNED + SUMMARIES, {"project_ids": list(project_ids)})
