"""Sweeps away what crashes leave: temporary files, and stored files that nothing lists."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import ClassVar

from attrs import frozen
from twisted.logger import Logger

from pypi.db.database import Database
from pypi.db.queries import files as listed
from pypi.files import paths
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
        batch: dict[str, str] = {}
        async for stored in self.files.walk():
            found = paths.parse(stored.path)
            if found is None or stored.modified > before:
                continue
            batch.setdefault(found.blake2_256, stored.path)
            if len(batch) >= BATCH:
                removed += await self._remove_orphans(batch)
                batch = {}
        removed += await self._remove_orphans(batch)
        await self.files.tidy(before)
        if removed:
            log.info("Swept away {removed} stored files that nothing listed", removed=removed)

    async def _remove_orphans(self, batch: dict[str, str]) -> int:
        """Of these content digests, remove those no file has; each is looked at again under its lock."""
        if not batch:
            return 0
        kept = await self.database.read(listed.referenced, list(batch))
        removed = 0
        for blake2_256, path in batch.items():
            if blake2_256 not in kept:
                removed += await self.publisher.forget(blake2_256, path.removesuffix(".metadata"))
        return removed
