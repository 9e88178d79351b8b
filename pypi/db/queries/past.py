"""What happened to a project: the lines of the journal and of the security log, as one list."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.domain.names import NormalizedName


@frozen
class PastRow:
    """Something that happened; from the journal, from the security log, or from both.

    Attributes:
        at: aware, UTC.
        is_logged: whether the journal has nothing of it.
        number: serial of the journal's line, else the id of the security log's.
        name: normalized name of the project at that time.
        actor: name of who did it; empty where that is not known.
        version: the version it is about, ``None`` for all.
        action: in the journal's words.
        event: what the security log calls it.
        about: what that has to say of it.
        address: where on the network it came from; empty after some time.
    """

    at: datetime
    is_logged: bool
    number: int
    name: str
    actor: str
    version: str | None
    action: str | None
    event: str | None
    about: dict[str, Any] | None
    address: str


# The name it has and those it had, each as long as it was the project's; for operators all that was ever done
# under the name. A former name's own lines are told again to mirrors when the project changes later.
OF_PROJECT = """
    WITH named AS MATERIALIZED (
        SELECT normalized, created AS since, 'infinity'::timestamptz AS until
          FROM projects WHERE normalized = %(normalized)s AND NOT %(whole)s
         UNION ALL
        SELECT f.normalized, p.created, f.since
          FROM projects p JOIN former_names f ON f.project_id = p.id WHERE p.normalized = %(normalized)s
         UNION ALL
        SELECT %(normalized)s, '-infinity', 'infinity' WHERE %(whole)s),
    happened AS (
        SELECT j.at, false AS is_logged, j.serial AS number, j.normalized AS name,
               coalesce(j.actor, '') AS actor, j.version, j.action, a.event, a.about,
               coalesce(a.address, '') AS address
          FROM named n JOIN journal j ON j.normalized = n.normalized AND j.at >= n.since AND j.at < n.until
          LEFT JOIN audit a ON a.serial = j.serial
         UNION ALL
        SELECT a.at, true, a.id, a.normalized, a.actor, a.about ->> 'version', NULL, a.event, a.about,
               a.address
          FROM named n JOIN audit a ON a.normalized = n.normalized AND a.at >= n.since AND a.at < n.until
         WHERE a.serial IS NULL)
    SELECT at, is_logged, number, name, actor, version, action, event, about, address
      FROM happened
     WHERE %(at)s::timestamptz IS NULL
        OR (at, is_logged, number) < (%(at)s, %(is_logged)s, %(number)s)
     ORDER BY at DESC, is_logged DESC, number DESC LIMIT %(limit)s"""


async def of_project(
    cursor: Cursor,
    name: NormalizedName,
    *,
    whole: bool,
    before: tuple[datetime, bool, int] | None,
    limit: int,
) -> list[PastRow]:
    """What happened to a project, last first.

    Args:
        whole: whether also what happened to others that had the name before.
        before: time, ``is_logged`` and number of the last row of the page before.
    """
    at, is_logged, number = before or (None, False, 0)
    given = {"normalized": name, "whole": whole, "limit": limit}
    parameters = {**given, "at": at, "is_logged": is_logged, "number": number}
    return await cursor.rows(PastRow, OF_PROJECT, parameters)
