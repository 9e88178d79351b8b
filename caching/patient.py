"""An endpoint that goes on trying, and says once that it has to, and once that it got through."""

from __future__ import annotations

from typing import Any

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IStreamClientEndpoint
from twisted.internet.task import deferLater
from twisted.logger import Logger
from zope.interface import implementer

log = Logger()

GROWTH = 2.0


@implementer(IStreamClientEndpoint)
@define(eq=False, repr=False)
class Patient:
    """Connects as soon as it can; a connection that fails is no failure.

    Whoever keeps connections by an endpoint logs each attempt that fails: a server that is away for an hour
    fills the log of every process that would like to have it.

    Attributes:
        name: what is connected to, for the log.
        endpoint: of the server; its attempts are bounded in time.
        reactor: ``IReactorTime``.
        first, longest: seconds between two attempts, at first and at most.
    """

    name: str
    endpoint: Any
    reactor: Any
    first: float
    longest: float
    _away: bool = field(default=False, init=False)

    def __repr__(self) -> str:
        return f"<{self.name}>"

    def connect(self, factory: Any) -> Deferred[Any]:
        """The connection, whenever it comes; cancel it to give up."""
        return Deferred.fromCoroutine(self._connect(factory))

    async def _connect(self, factory: Any) -> Any:
        pause = self.first
        while True:
            try:
                connection = await self.endpoint.connect(factory)
            except CancelledError:
                raise
            except Exception as error:
                self._failed(error)
            else:
                self._worked()
                return connection
            await deferLater(self.reactor, pause)
            pause = min(GROWTH * pause, self.longest)

    def _failed(self, error: Exception) -> None:
        if not self._away:
            self._away = True
            log.warn("{name} is away, and will be tried again: {error}", name=self.name, error=str(error))

    def _worked(self) -> None:
        if self._away:
            self._away = False
            log.info("{name} is back", name=self.name)
