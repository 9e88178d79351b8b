"""Sees to it that searches know the most popular projects, which they look at first where very many fit."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from pypi.db.database import Database
from pypi.db.queries import search


@frozen(eq=False)
class MarkPopular:
    """Tells searches which projects are downloaded most, by the sums they were told."""

    every: ClassVar[float] = 900.0
    database: Database

    async def run(self) -> None:
        """Mark those that have become popular, and no longer those that have ceased to be."""
        await self.database.transact(search.mark_popular)
