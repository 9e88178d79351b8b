"""All classifiers as a tree, each with how many projects have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, field

from pypi.db.database import Database
from pypi.db.queries import classifiers
from pypi.domain.classifiers import Node, tree

MANY = 500_000
"""Classifiers of all projects together, from which counting them takes long enough to do it seldom."""

SELDOM = 60.0
"""Seconds such a count is good for."""


@define(eq=False)
class ClassifierTree:
    """Answers from the rows of this index.

    Attributes:
        known: all that may be used, in their order.
        deprecated: those that may be used no longer → what to use instead, if there is something.
    """

    database: Database
    known: Sequence[str] = field(repr=False)
    deprecated: Mapping[str, Sequence[str]] = field(repr=False)
    _counts: Mapping[str, int] = field(factory=dict, init=False, repr=False)
    _ends: float = field(default=0.0, init=False, repr=False)

    async def roots(self) -> list[Node]:
        """The roots of the tree: what is known, what is deprecated, and what else projects have here.

        Counts are of now, except that much is counted seldom. Answers belong to the tag ``search``.

        Raises:
            DatabaseDown: it does not answer.
        """
        counts = await self._counted()
        others = [name for name in sorted(self.deprecated) if name not in self.known]
        own = sorted(counts.keys() - set(self.known) - set(others))
        return tree([*self.known, *others, *own], counts)

    async def _counted(self) -> Mapping[str, int]:
        seconds = self.database.reactor.seconds
        if seconds() >= self._ends:
            self._counts = await self.database.scan(classifiers.counts)
            many = sum(self._counts.values()) >= MANY
            self._ends = seconds() + SELDOM if many else 0.0
        return self._counts
