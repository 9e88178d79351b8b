"""What everybody may know of an account: who it is, and what it publishes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.db.connection import Cursor


@frozen
class PersonRow:
    """An account that is in use.

    Attributes:
        created: aware, UTC.
        listed: projects it looks after, as far as they are shown to everybody.
        names: normalized, of those and of all others it has a role in; not all where there are very many.
    """

    name: str
    display_name: str
    created: datetime
    listed: int
    names: Sequence[str] = field(repr=False)


@frozen
class MembershipRow:
    """A project somebody has a role in, as its release that readers mean; ``None``: it has no release yet."""

    role: str
    name: str
    status: str
    version: str | None
    summary: str | None
    created: datetime | None


PERSON = """
    WITH person AS MATERIALIZED (
        SELECT u.id, u.name, u.display_name, u.created,
               (SELECT count(*) FROM roles r JOIN projects p ON p.id = r.project_id
                 WHERE r.user_id = u.id AND r.role <> 'Reader' AND p.is_listed) AS listed,
               ARRAY(SELECT p.normalized FROM roles r JOIN projects p ON p.id = r.project_id
                      WHERE r.user_id = u.id AND p.reads = 'public' LIMIT %(names)s) AS names
          FROM users u WHERE lower(u.name) = lower(%(name)s) AND u.is_active)
    SELECT person.name, person.display_name, person.created, person.listed, person.names,
           m.role, m.name, m.status, last.version, last.summary, m.created
      FROM person LEFT JOIN LATERAL (
           SELECT r.role, p.name, p.normalized, p.status, f.release_id, f.created
             FROM roles r JOIN projects p ON p.id = r.project_id LEFT JOIN findable f ON f.project_id = p.id
            WHERE r.user_id = person.id AND r.role <> 'Reader' AND p.is_listed
            ORDER BY f.created DESC NULLS LAST, p.normalized
            LIMIT %(limit)s OFFSET %(offset)s) AS m ON true
      LEFT JOIN releases last ON last.id = m.release_id
     ORDER BY m.created DESC NULLS LAST, m.normalized"""

OF_PERSON = 5
"""Columns of ``PERSON`` that are the same in each of its rows."""


async def person(
    cursor: Cursor, name: str, *, limit: int, offset: int, names: int
) -> tuple[PersonRow, list[MembershipRow]] | None:
    """An account by its name in any letter case, and some of its projects, that released last first.

    Args:
        limit, offset: which of its projects.
        names: of how many projects the names are wanted at most.
    """
    parameters = {"name": name, "limit": limit, "offset": offset, "names": names}
    rows = await cursor.tuples(PERSON, parameters)
    if not rows:
        return None
    memberships = [MembershipRow(*row[OF_PERSON:]) for row in rows if row[OF_PERSON] is not None]
    return PersonRow(*rows[0][:OF_PERSON]), memberships
