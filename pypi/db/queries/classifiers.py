"""Classifiers, and how many projects have each of them."""

from __future__ import annotations

from pypi.db.connection import Cursor

# Labels are of the release that readers mean; beside classifiers there are some that begin with an @.
COUNTS = """
    SELECT l.name, each.projects
      FROM (SELECT label, count(*) AS projects
              FROM findable f, unnest(f.labels) AS label
             WHERE f.project_id NOT IN (SELECT id FROM projects WHERE status = 'quarantined')
             GROUP BY label) AS each
      JOIN search_labels l ON l.id = each.label
     WHERE l.name NOT LIKE '@%%'"""


async def counts(cursor: Cursor) -> dict[str, int]:
    """Classifier, or what stands above some → projects that have it, or one below it."""
    return dict(await cursor.tuples(COUNTS, {}))
