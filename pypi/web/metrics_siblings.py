"""Asks the other workers for their figures, each on its private socket."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgentEndpointFactory
from zope.interface import implementer

if TYPE_CHECKING:
    from twisted.web.client import Agent

log = Logger()

PATIENCE = 1.0
"""Seconds all siblings together have to answer."""

LARGEST = 8 << 20
"""Bytes of one answer."""

MOST = 256
"""Siblings that are asked."""

ADDRESS = b"http://localhost/metrics?worker=self"


@frozen(eq=False)
class Siblings:
    """The other workers.

    Attributes:
        sockets: the paths at which they may be found now; a path where nobody listens is one absent.
        reactor: ``IReactorUNIX`` and ``IReactorTime``.
    """

    sockets: Callable[[], Iterable[Path]]
    reactor: Any

    async def metrics(self, accept: str | None) -> tuple[list[bytes], int]:
        """Their texts, in the format that ``accept`` means, and how many did not answer in time."""
        paths = sorted(self.sockets())[:MOST]
        asking = [Deferred.fromCoroutine(self._ask(path, accept)) for path in paths]
        answers = await gatherResults(asking)
        texts = [answer for answer in answers if answer is not None]
        return texts, len(paths) - len(texts)

    async def _ask(self, path: Path, accept: str | None) -> bytes | None:
        # Imported here: Twisted's client is only for who looks at figures. It takes 5 ms.
        from twisted.web.client import Agent

        headers = Headers({b"Accept": [accept.encode("latin-1", "replace")]} if accept else None)
        agent = Agent.usingEndpointFactory(self.reactor, _At(path, self.reactor))
        asked = Deferred.fromCoroutine(_fetch(agent, headers))
        asked.addTimeout(PATIENCE, self.reactor)
        try:
            return await asked
        except Exception as error:
            log.info("The worker at {path} does not tell its figures: {error}", path=path, error=repr(error))
            return None


def beside(own: Path) -> Callable[[], Iterable[Path]]:
    """The sockets of the other workers: those in the same folder with names like ``worker-3.sock``.

    Args:
        own: the socket of the worker that asks; nobody asks itself over its own socket.
    """
    return lambda: (path for path in own.parent.glob("worker-*.sock") if path.name != own.name)


async def _fetch(agent: Agent, headers: Headers) -> bytes:
    response: Any = await agent.request(b"GET", ADDRESS, headers)
    body = _Bounded()
    response.deliverBody(body)
    told = await body.done
    if response.code != 200:
        raise ValueError(f"it answers {response.code}")
    return told


@implementer(IAgentEndpointFactory)
@frozen(eq=False)
class _At:
    path: Path
    reactor: Any

    def endpointForURI(self, uri: Any) -> UNIXClientEndpoint:
        return UNIXClientEndpoint(self.reactor, str(self.path), timeout=PATIENCE)


class _Bounded(Protocol):
    """Collects a body that is not too large."""

    transport: Any

    def __init__(self) -> None:
        self.done: Deferred[bytes] = Deferred(lambda _: self.transport.loseConnection())
        self._pieces: list[bytes] = []
        self._left = LARGEST

    def dataReceived(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self.transport.loseConnection()
        else:
            self._pieces.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.done.called:
            return
        from twisted.web.client import ResponseDone  # which has been imported to ask

        if self._left >= 0 and reason.check(ResponseDone):
            self.done.callback(b"".join(self._pieces))
        else:
            self.done.errback(reason)
