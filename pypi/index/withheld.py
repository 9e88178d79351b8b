"""Files that are not handed out, though they are there: those of projects in quarantine."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.logger import Logger

from pypi.db.database import Database
from pypi.db.queries import status

log = Logger()

AGAIN = 0.5
"""Seconds until another look where the database did not answer."""


@define(eq=False, repr=False)
class Withheld:
    """Knows their digests, so that a download needs no look into the database.

    Attributes:
        reactor: ``IReactorTime``.
        digests: BLAKE2b-256, hexadecimal.
    """

    database: Database
    reactor: Any
    digests: frozenset[str] = field(default=frozenset(), init=False)
    _looks: int = field(default=0, init=False)
    _again: Any = field(default=None, init=False)
    _stopped: bool = field(default=True, init=False)

    def __repr__(self) -> str:
        return f"<Withheld {len(self.digests)} files>"

    async def start(self) -> None:
        """Know them, if the database answers; otherwise go on asking."""
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

    async def look(self) -> None:
        """Know what is withheld now; never fails. Of several looks the one that began last counts."""
        self._looks += 1
        number = self._looks
        try:
            found = await self.database.scan(status.withheld)
        except Exception as error:
            log.warn("It is not known which files are withheld: {error}", error=repr(error))
            if not self._stopped and self._again is None:
                self._again = self.reactor.callLater(AGAIN, self._look_again)
            return
        if number == self._looks:
            self.digests = found

    def _look_again(self) -> None:
        self._again = None
        self.hint()
