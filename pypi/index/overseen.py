"""Projects as those who run the index see them."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from pypi.db.database import Database
from pypi.db.queries import overseen
from pypi.db.queries.overseen import OverseenRow, ReleaseLine, RoleLine
from pypi.domain.errors import NoSuchProject
from pypi.domain.names import is_valid, normalize

PAGE = 50
"""Projects on a page."""

RELEASES = 100
"""Releases on a page."""

PEOPLE = 200
"""People of a project at most."""


@frozen(kw_only=True)
class Project:
    """One project.

    Attributes:
        releases: of one page; one more than ``RELEASES`` where there are more.
        people: owners first.
    """

    line: OverseenRow
    releases: Sequence[ReleaseLine]
    people: Sequence[RoleLine]


@frozen(eq=False)
class Overseen:
    """Looks at any project, in quarantine or not."""

    database: Database

    async def look_for(
        self, words: str = "", *, page: int = 1, only_withheld: bool = False
    ) -> Sequence[OverseenRow]:
        """Projects by name, one more than ``PAGE`` where there are more.

        Args:
            words: what their name contains, in any spelling.
            only_withheld: those in quarantine, or with a release that is.
        """
        return await self.database.ask(
            overseen.found,
            words=normalize(words.strip()) if words.strip() else "",
            only_withheld=only_withheld,
            offset=(page - 1) * PAGE,
            limit=PAGE + 1,
        )

    async def look_at(self, name: str, *, page: int = 1) -> Project:
        """One project.

        Raises:
            NoSuchProject: there is none.
        """
        normalized = normalize(name)
        line = await self.database.ask(overseen.named, normalized) if is_valid(name) else None
        if line is None:
            raise NoSuchProject(name)
        offset = (page - 1) * RELEASES
        return Project(
            line=line,
            releases=await self.database.ask(
                overseen.releases, normalized, offset=offset, limit=RELEASES + 1
            ),
            people=await self.database.ask(overseen.roles, normalized, limit=PEOPLE),
        )
