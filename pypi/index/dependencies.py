"""What a release needs, group by group, and who needs a project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

from pypi.db.database import Database
from pypi.db.queries import dependencies, renaming
from pypi.db.queries.dependencies import DependentRow
from pypi.domain.marker_words import Needed, taken_apart
from pypi.domain.metadata import Metadata
from pypi.domain.names import NormalizedName, normalize

LISTED = 100
"""Dependents on a page."""

MOST_TAKEN_APART = 500
"""Lines of one release that are taken apart: some microseconds each."""

MOST_EXTRAS = 100
"""That are announced, or that one line is for."""

MOST_LISTED = 1000
"""Lines in all groups together, in which one may stand many times."""


_NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)", re.ASCII)
_EXTRA = re.compile(r"\bextra\b")


@frozen
class Group:
    """What is needed for one end.

    Attributes:
        extra: which brings it; empty for what is needed anyhow.
        needed: in the order in which it was written.
    """

    extra: str
    needed: tuple[Needed, ...]


@frozen
class Needs:
    """What a release needs.

    Attributes:
        groups: what is needed anyhow first, if anything is; then extras, also those that need nothing.
        left_out: lines that were too many to be taken apart.
        outside: what is needed and comes from no index, as written (``Requires-External``).
    """

    groups: tuple[Group, ...]
    left_out: int = 0
    outside: tuple[str, ...] = ()

    @property
    def names(self) -> Sequence[NormalizedName]:
        """The projects that are needed, each once."""
        found = (one.normalized for group in self.groups for one in group.needed if one.name)
        return list(dict.fromkeys(found))


@frozen
class Dependents:
    """A page of those who need a project.

    Attributes:
        total: how many there are on all pages.
        page: which this is, from 1.
        last: of the pages; 1 where there are none.
    """

    total: int
    page: int
    last: int
    rows: Sequence[DependentRow]


@frozen(eq=False)
class Dependencies:
    """Answers about what stands on what. All raise ``DatabaseDown``."""

    database: Database

    async def here(self, names: Sequence[NormalizedName]) -> Mapping[str, str]:
        """Those of these projects that this index shows: normalized name → name as displayed."""
        return await self.database.ask(dependencies.here, names) if names else {}

    async def dependents(self, name: NormalizedName, page: int = 1) -> Dependents:
        """The projects whose latest releases need one, by name; of pages there are not, the last.

        Whoever needs it by a name it had before is among them. Answers made of them belong to the tag
        ``search``.
        """
        before = await self.database.ask(renaming.former_names, name)
        names = [name, *before]
        if before:
            total = await self.database.ask(dependencies.count_any, names)
        else:
            total = await self.database.ask(dependencies.count, name)
        last = max(1, -(-total // LISTED))
        page = min(page, last)
        offset = (page - 1) * LISTED
        if before:
            rows = await self.database.ask(dependencies.dependents_any, names, limit=LISTED, offset=offset)
        else:
            rows = await self.database.ask(dependencies.dependents, name, limit=LISTED, offset=offset)
        return Dependents(total, page, last, rows)


def needed_always(lines: Iterable[str]) -> int:
    """How many projects are needed without any extra, by no more than a look at each line."""
    found = (_NAME.match(line) for line in lines if not _EXTRA.search(line.partition(";")[2]))
    return len({normalize(one[1]) for one in found if one is not None})


def needs(said: Metadata) -> Needs:
    """Take apart what a release says it needs; pure, and of bounded length."""
    groups: dict[str, list[Needed]] = {"": []}
    groups |= {normalize(extra): [] for extra in said.provides_extra[:MOST_EXTRAS]}
    listed = 0
    for line in said.requires_dist[:MOST_TAKEN_APART]:
        one = taken_apart(line)
        for extra in (one.for_extras or ("",))[:MOST_EXTRAS]:
            groups.setdefault(extra, []).append(one)
        listed += 1
        if sum(map(len, groups.values())) >= MOST_LISTED:
            break
    if not groups[""]:
        del groups[""]
    return Needs(
        tuple(Group(extra, tuple(found)) for extra, found in groups.items()),
        len(said.requires_dist) - listed,
        said.requires_external[:MOST_EXTRAS],
    )
