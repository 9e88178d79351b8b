"""Empties the outbox: what committed changes still have to cause outside the database."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import ClassVar

from attrs import field, frozen
from twisted.logger import Logger

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import outbox
from pypi.db.queries.outbox import Errand
from pypi.failpoints import failpoint

log = Logger()

Handler = Callable[[Errand], Awaitable[None]]

LONGEST_PAUSE = timedelta(minutes=10)


@frozen(kw_only=True, eq=False)
class Outbox:
    """Does every errand at least once, and drops none.

    Attributes:
        handlers: kind of errand → what does it. A kind nobody handles has nobody to be done for, such as
            a purge where no cache stands in front: it is done.
    """

    every: ClassVar[float] = 1.0
    database: Database
    now: Callable[[], datetime]
    handlers: Mapping[str, Handler] = field(factory=dict)

    async def run(self) -> None:
        """Do what is due; come back at once while there is more."""
        while await self.database.transact(self._batch):
            pass

    async def _batch(self, cursor: Cursor) -> bool:
        now = self.now()
        errands = await outbox.due(cursor, now=now)
        if not errands:
            return False
        failpoint("outbox.before-drain")
        done = [errand.id for errand in errands if errand.kind not in self.handlers]
        for errand in errands:
            if errand.kind in self.handlers:
                if await self._attempt(errand):
                    done.append(errand.id)
                else:
                    await outbox.later(cursor, errand.id, due=now + _pause(errand.attempts))
        await outbox.done(cursor, done)
        return True

    async def _attempt(self, errand: Errand) -> bool:
        try:
            await self.handlers[errand.kind](errand)
        except Exception as error:
            log.warn(
                "Errand {id} ({kind}) failed {attempts} times: {error}",
                id=errand.id,
                kind=errand.kind,
                attempts=errand.attempts + 1,
                error=str(error),
            )
            return False
        return True


def _pause(attempts: int) -> timedelta:
    return min(LONGEST_PAUSE, timedelta(seconds=2 ** min(attempts, 20)))
