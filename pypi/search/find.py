"""Finding what is looked for, the best first."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from pypi.db.database import Database
from pypi.search.query import Query


@frozen
class Hit:
    """A project that was found, or a version of it.

    Attributes:
        name: as displayed.
        version: the latest stable one, else the latest; where versions were looked for, this one.
        summary: of that version; may be empty.
        ordering: the higher, the better: sorted by it, descending, hits are in the order they came in.
    """

    name: str
    version: str
    summary: str
    ordering: int


@frozen(kw_only=True, eq=False)
class Search:
    """Answers questions; XML-RPC, pages and JSON all ask here."""

    database: Database

    async def find(self, query: Query) -> Sequence[Hit]:
        """At most ``query.limit`` hits, the best first; what was committed before the call is found.

        Answers made of them belong to the tag ``search``.

        Raises:
            DatabaseDown: it does not answer, or not within the time a search may take.
        """
        raise NotImplementedError
