"""Descriptions of releases: which of them were rendered by whom, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class Written:
    """A description as its author has written it."""

    content_type: str
    raw: str = field(repr=False)


@frozen
class Anew:
    """A description that was rendered anew.

    Attributes:
        before: who had rendered it when it was looked up; if that is another one now, it is left alone.
        html: for the page; ``None`` where the text itself has to be shown.
        renderer: who says so.
    """

    release_id: int
    before: str
    html: str | None = field(repr=False)
    renderer: str


# There are few names and many descriptions: each step goes to the next name by the index.
OTHER_RENDERERS = """
    WITH RECURSIVE names AS (
        (SELECT renderer FROM descriptions ORDER BY renderer LIMIT 1)
         UNION ALL
        SELECT (SELECT d.renderer FROM descriptions d WHERE d.renderer > names.renderer
                 ORDER BY d.renderer LIMIT 1)
          FROM names WHERE names.renderer IS NOT NULL)
    SELECT renderer FROM names WHERE renderer <> %(renderer)s ORDER BY renderer DESC"""

COUNT = """
    SELECT count(*) FROM (
        SELECT FROM descriptions WHERE renderer = ANY(%(renderers)s) LIMIT %(most)s) AS found"""

RENDERED_BY = """
    SELECT release_id FROM descriptions
     WHERE renderer = %(renderer)s AND release_id < %(before)s
     ORDER BY release_id DESC LIMIT %(limit)s"""

WRITTEN = "SELECT content_type, raw FROM descriptions WHERE release_id = %(release_id)s"

# Rows are locked in one order. Where the HTML stays what it was, no page has to be made anew.
REPLACE = """
    WITH given AS (
        SELECT * FROM ROWS FROM (unnest(%(ids)s::bigint[]), unnest(%(befores)s::text[]),
                                 unnest(%(htmls)s::text[]), unnest(%(renderers)s::text[]))
               AS one (release_id, before, html, renderer)
    ), found AS (
        SELECT d.release_id, given.html, given.renderer, d.html IS DISTINCT FROM given.html AS differs
          FROM descriptions d JOIN given ON given.release_id = d.release_id AND given.before = d.renderer
         ORDER BY d.release_id FOR UPDATE OF d
    ), replaced AS (
        UPDATE descriptions d SET html = found.html, renderer = found.renderer
          FROM found WHERE d.release_id = found.release_id
    )
    SELECT DISTINCT p.normalized
      FROM found JOIN releases r ON r.id = found.release_id JOIN projects p ON p.id = r.project_id
     WHERE found.differs ORDER BY 1"""

NEWEST = 1 << 62
"""More than the id of any release."""


async def other_renderers(cursor: Cursor, renderer: str) -> list[str]:
    """The names of all others who have rendered something; ``""`` is last: there nobody has."""
    return [row[0] for row in await cursor.tuples(OTHER_RENDERERS, {"renderer": renderer})]


async def count(cursor: Cursor, renderers: Sequence[str], *, most: int) -> int:
    """How many descriptions these have rendered; counted up to ``most``."""
    return int(await cursor.value(COUNT, {"renderers": list(renderers), "most": most}))


async def rendered_by(cursor: Cursor, renderer: str, *, before: int = NEWEST, limit: int) -> list[int]:
    """Releases whose descriptions this one has rendered, the newest first, with ids below ``before``."""
    given = {"renderer": renderer, "before": before, "limit": limit}
    return [row[0] for row in await cursor.tuples(RENDERED_BY, given)]


async def written(cursor: Cursor, release_id: int) -> Written | None:
    """The text of a description, ``None`` if it is gone."""
    return await cursor.row(Written, WRITTEN, {"release_id": release_id})


async def replace(cursor: Cursor, anew: Sequence[Anew]) -> list[NormalizedName]:
    """Keep what was rendered anew, except where somebody else did so meanwhile.

    Returns:
        the projects of which a description looks different now.
    """
    given = {
        "ids": [one.release_id for one in anew],
        "befores": [one.before for one in anew],
        "htmls": [one.html for one in anew],
        "renderers": [one.renderer for one in anew],
    }
    return [NormalizedName(row[0]) for row in await cursor.tuples(REPLACE, given)]
