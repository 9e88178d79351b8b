"""Something of the database that is known in memory, and looked at again whenever it may have changed."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from pypi.db.database import Database

AGAIN = 0.5
"""Seconds until another look where the database did not answer."""


@define(eq=False, repr=False)
class Looking:
    """Looks when it is started, when it is told to, and once more after a look that failed.

    Attributes:
        reactor: ``IReactorTime``.
    """

    database: Database
    reactor: Any
    _again: Any = field(default=None, init=False)
    _stopped: bool = field(default=True, init=False)

    async def look(self) -> None:
        """Know what holds now, or at any rate go on asking; never fails."""
        raise NotImplementedError

    async def start(self) -> None:
        """Know it, if the database answers; otherwise go on asking."""
        self._stopped = False
        await self.look()

    async def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def hint(self) -> None:
        """Something may have changed."""
        if not self._stopped:
            Deferred.fromCoroutine(self.look())

    def _later(self) -> None:
        """Look once more in a moment: the database did not answer."""
        if not self._stopped and self._again is None:
            self._again = self.reactor.callLater(AGAIN, self._look_again)

    def _look_again(self) -> None:
        self._again = None
        self.hint()
