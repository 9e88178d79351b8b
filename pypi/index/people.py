"""People, as everybody may know them: who they are, and what they publish."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.db.database import Database
from pypi.db.queries import people
from pypi.db.queries.people import MembershipRow
from pypi.domain.errors import NotFound
from pypi.domain.values import Status

LISTED = 100
"""Projects on a page."""


@frozen
class NoSuchUser(NotFound):
    """Nobody has an account of this name, or it is not in use any more."""

    name: str

    def __str__(self) -> str:
        return f"There is no user {self.name!r} on this index."


@frozen(kw_only=True)
class Membership:
    """A project somebody has a role in.

    Attributes:
        role: ``Owner`` or ``Maintainer``.
        name: as displayed.
        version: the one that readers mean who name none; ``None``: nothing was published yet.
        summary: of that version; may be empty.
        created: when it was published; aware, UTC.
    """

    role: str
    name: str
    status: Status
    version: str | None
    summary: str
    created: datetime | None


@frozen(kw_only=True)
class Person:
    """An account.

    Attributes:
        name: as displayed.
        display_name: what its owner wants to be called; may be empty.
        since: when it was made; aware, UTC.
        projects: of one page, that released last first.
        listed: how many there are on all pages.
        depends_on: normalized names of all projects that somebody who looks at a page of the list may learn
            about, by their being there or not; ``None`` where these are too many to name.
    """

    name: str
    display_name: str
    since: datetime
    projects: tuple[Membership, ...]
    listed: int
    depends_on: Sequence[str] | None = field(repr=False)

    @property
    def pages(self) -> int:
        """At least one."""
        return max(1, -(-self.listed // LISTED))


@frozen(eq=False)
class People:
    """Answers from the rows of this index."""

    database: Database

    async def person(self, name: str, *, page: int = 1) -> Person:
        """An account, and one page of its projects.

        Args:
            name: in any letter case.
            page: from 1.

        Raises:
            NoSuchUser: there is none of that name.
        """
        offset = (page - 1) * LISTED
        found = await self.database.ask(people.person, name, limit=LISTED, offset=offset, names=LISTED + 1)
        if found is None:
            raise NoSuchUser(name)
        row, memberships = found
        return Person(
            name=row.name,
            display_name=row.display_name,
            since=row.created,
            projects=tuple(map(_membership, memberships)),
            listed=row.listed,
            depends_on=sorted(row.names) if len(row.names) <= LISTED else None,
        )


def _membership(row: MembershipRow) -> Membership:
    return Membership(
        role=row.role,
        name=row.name,
        status=Status(row.status),
        version=row.version,
        summary=row.summary or "",
        created=row.created,
    )
