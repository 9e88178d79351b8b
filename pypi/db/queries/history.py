"""The journal as changelogs tell it, and what came to the index since a moment.

Lists are read as one text of JSON, with commas between the items: reading thousands of rows would keep the
reactor busy, and a text can be taken apart elsewhere.
"""

from __future__ import annotations

from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor


@frozen
class Listed:
    """A list.

    Attributes:
        count: of its items.
        items: as JSON, with commas between them.
    """

    count: int
    items: str = field(repr=False)


SINCE_SERIAL = """
    SELECT count(*), coalesce(string_agg(item, ',' ORDER BY serial), '')
      FROM (SELECT serial,
                   json_build_array(coalesce(name, normalized), version,
                                    floor(extract(epoch FROM at))::bigint, action, serial)::text AS item
              FROM journal WHERE serial > %(serial)s AND normalized IS NOT NULL AND NOT is_private
             ORDER BY serial LIMIT %(limit)s) AS lines"""

SINCE_MOMENT = """
    SELECT count(*), coalesce(string_agg(item, ',' ORDER BY serial), '')
      FROM (SELECT serial,
                   json_build_array(coalesce(name, normalized), version,
                                    floor(extract(epoch FROM at))::bigint, action, serial)::text AS item
              FROM journal WHERE at > %(since)s AND normalized IS NOT NULL AND NOT is_private
             ORDER BY serial LIMIT %(limit)s) AS lines"""

RELEASES_SINCE = """
    SELECT count(*), coalesce(string_agg(item, ',' ORDER BY created, id), '')
      FROM (SELECT r.created, r.id, json_build_array(p.name, r.version)::text AS item
              FROM releases r JOIN projects p ON p.id = r.project_id
             WHERE r.created > %(since)s AND p.is_listed AND r.quarantined IS NULL
             ORDER BY r.created, r.id LIMIT %(limit)s) AS lines"""

PROJECTS_SINCE = """
    SELECT count(*), coalesce(string_agg(to_json(name)::text, ',' ORDER BY name COLLATE "C"), '')
      FROM (SELECT DISTINCT coalesce(p.name, j.name, j.normalized) AS name
              FROM journal j LEFT JOIN projects p ON p.normalized = j.normalized AND p.reads = 'public'
             WHERE j.at > %(since)s AND j.normalized IS NOT NULL AND NOT j.is_private
             LIMIT %(limit)s) AS names"""


async def since_serial(cursor: Cursor, serial: int, *, limit: int) -> Listed:
    """Lines of the journal after a serial, in order: name, version, POSIX seconds, action, serial."""
    return await _listed(cursor, SINCE_SERIAL, serial=serial, limit=limit)


async def since_moment(cursor: Cursor, since: datetime, *, limit: int) -> Listed:
    """Lines of the journal after a moment, in order, as ``since_serial``."""
    return await _listed(cursor, SINCE_MOMENT, since=since, limit=limit)


async def releases_since(cursor: Cursor, since: datetime, *, limit: int) -> Listed:
    """What was released after a moment, oldest first: name, version."""
    return await _listed(cursor, RELEASES_SINCE, since=since, limit=limit)


async def projects_since(cursor: Cursor, since: datetime, *, limit: int) -> Listed:
    """Names of projects of which anything changed after a moment, sorted."""
    return await _listed(cursor, PROJECTS_SINCE, since=since, limit=limit)


async def _listed(cursor: Cursor, query: str, **parameters: object) -> Listed:
    found = await cursor.row(Listed, query, parameters)
    assert found is not None
    return found
