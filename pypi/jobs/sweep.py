"""Sweeps away what crashes leave: temporary files, and stored files that nothing lists."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import ClassVar

from attrs import evolve, frozen
from twisted.logger import Logger

from pypi.db.database import Database
from pypi.db.queries import files as listed
from pypi.files import paths
from pypi.files.paths import StorePath
from pypi.files.spool import Spool
from pypi.files.store import FileStore
from pypi.publishing.publish import Publisher

log = Logger()

BATCH = 500


@frozen(kw_only=True, eq=False)
class Sweep:
    """Removes orphans that are old enough to belong to no upload under way.

    Attributes:
        age: how long an upload may take between storing a file and listing it.
    """

    every: ClassVar[float] = 3600.0
    database: Database
    files: FileStore
    spool: Spool
    publisher: Publisher
    now: Callable[[], datetime]
    age: timedelta = timedelta(hours=24)

    async def run(self) -> None:
        """One sweep through the spool and the whole store."""
        before = (self.now() - self.age).timestamp()
        await self.spool.sweep(before)
        removed = 0
        batch: set[StorePath] = set()
        async for stored in self.files.walk():
            place = paths.parse(stored.path)
            if place is None or stored.modified > before:
                continue
            batch.add(evolve(place, is_metadata=False))
            if len(batch) >= BATCH:
                removed += await self._remove_orphans(batch)
                batch = set()
        removed += await self._remove_orphans(batch)
        await self.files.tidy(before)
        if removed:
            log.info("Swept away {removed} stored files that nothing listed", removed=removed)

    async def _remove_orphans(self, batch: Collection[StorePath]) -> int:
        """Of these, remove those that are not listed; each is looked at again under its lock."""
        digests = [place.blake2_256 for place in batch]
        kept = await self.database.read(listed.referenced, digests) if digests else set()
        removed = 0
        for place in batch:
            if (place.blake2_256, place.filename) not in kept:
                removed += await self.publisher.forget(str(place))
        return removed
