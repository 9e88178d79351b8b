"""All classifiers as a tree, each with how many projects have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from pypi.db.database import Database
from pypi.db.queries import classifiers
from pypi.domain.classifiers import Node, tree


@frozen(eq=False)
class ClassifierTree:
    """Answers from the rows of this index.

    Attributes:
        known: all that may be used, in their order.
        deprecated: those that may be used no longer → what to use instead, if there is something.
    """

    database: Database
    known: Sequence[str] = field(repr=False)
    deprecated: Mapping[str, Sequence[str]] = field(repr=False)

    async def roots(self) -> list[Node]:
        """The roots of the tree: what is known, what is deprecated, and what else projects have here.

        Answers made of it belong to the tag ``search``.

        Raises:
            DatabaseDown: it does not answer.
        """
        counts = await self.database.scan(classifiers.counts)
        others = [name for name in sorted(self.deprecated) if name not in self.known]
        own = sorted(counts.keys() - set(self.known) - set(others))
        return tree([*self.known, *others, *own], counts)
