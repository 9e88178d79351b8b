"""Classifiers, and how many projects have each of them."""

from __future__ import annotations

from pypi.db.connection import Cursor

# Of each project what its release has that readers mean, and all that stands above that, each once.
COUNTS = """
    WITH steps AS MATERIALIZED (
        SELECT c.id, array_to_string(parts[1:length], ' :: ') AS name
          FROM classifiers c, string_to_array(c.name, ' :: ') AS parts,
               generate_series(1, cardinality(parts)) AS length)
    SELECT name, count(*)
      FROM (SELECT DISTINCT s.project_id, steps.name
              FROM search s
              JOIN projects p ON p.id = s.project_id
              JOIN release_classifiers rc ON rc.release_id = s.release_id
              JOIN steps ON steps.id = rc.classifier_id
             WHERE p.status <> 'quarantined') AS each
     GROUP BY name"""


async def counts(cursor: Cursor) -> dict[str, int]:
    """Classifier, or what stands above some → projects that have it, or one below it."""
    return dict(await cursor.tuples(COUNTS))
