"""One question over HTTP, one answer read to its end: what ``caching.client`` bounds and tells of."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, field
from treq.client import HTTPClient
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone
from twisted.web.http import PotentialDataLoss

from caching.client import LONGEST_BODY, NoReply, Reply


@define(eq=False)
class Exchange:
    """Asks over a connection of its own each time.

    Attributes:
        reactor: where connections are made.
        connect_timeout: seconds.
    """

    reactor: Any = field(repr=False)
    connect_timeout: float
    _http: Any = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        pool = HTTPConnectionPool(self.reactor, persistent=False)
        agent: Any = Agent(self.reactor, connectTimeout=self.connect_timeout, pool=pool)
        self._http = HTTPClient(agent)

    async def over(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> Reply:
        """Ask, and return the answer once it is over; whatever goes wrong is raised as it is."""
        response = await self._http.request(
            method,
            url,
            headers=dict(headers or {}),
            data=body,
            allow_redirects=False,
            unbuffered=True,
            reactor=self.reactor,
        )
        found = {
            name.decode("latin-1").lower(): values[-1].decode("latin-1")
            for name, values in response.headers.getAllRawHeaders()
        }
        return Reply(status=response.code, headers=found, body=await _body(response))


async def _body(response: Any) -> bytes:
    reading = _Reading()
    response.deliverBody(reading)
    return await reading.ended


class _Reading(Protocol):
    """Collects a body; whoever waits for it and gives up ends the connection."""

    def __init__(self) -> None:
        self.ended: Deferred[bytes] = Deferred(lambda _: self._end())
        self._received = bytearray()

    def dataReceived(self, data: bytes) -> None:
        self._received += data
        if len(self._received) > LONGEST_BODY and not self.ended.called:
            self.ended.errback(NoReply(f"an answer of more than {LONGEST_BODY} bytes"))
            self._end()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.ended.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.ended.callback(bytes(self._received))
        else:
            self.ended.errback(reason)

    def _end(self) -> None:
        # What was to be written has been, so nothing keeps the connection from closing.
        transport: Any = self.transport
        if transport is not None:
            transport.loseConnection()
