"""One HTTP exchange with an edge, bounded in every way: connecting, the whole of it, and what comes back."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen
from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import Agent, HTTPConnectionPool, ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss

CONNECT_TIMEOUT = 2.0
TIMEOUT = 10.0
"""Seconds for a connection, and for all from its beginning to the last byte of the answer."""

LONGEST_BODY = 256 * 1024
"""Bytes of an answer that are read; one that is longer is a failure."""


class NoReply(Exception):
    """There was no complete answer, or not in time; ``str()`` says why."""


@frozen(kw_only=True)
class Reply:
    """An answer.

    Attributes:
        headers: by their names in lower case; of several lines the last.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@define(eq=False)
class Client:
    """Asks, each time over a connection of its own; follows no redirects, and has no second try.

    Attributes:
        reactor: where connections are made and time passes.
        connect_timeout: seconds.
        timeout: seconds for the whole exchange.
    """

    reactor: Any = field(repr=False)
    connect_timeout: float = CONNECT_TIMEOUT
    timeout: float = TIMEOUT
    _http: Any = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        pool = HTTPConnectionPool(self.reactor, persistent=False)
        agent: Any = Agent(self.reactor, connectTimeout=self.connect_timeout, pool=pool)
        self._http = HTTPClient(agent)

    async def ask(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Reply:
        """Ask once.

        Raises:
            NoReply: nobody answered, or not all of it, or not in time, or too much.
        """
        ends = self.reactor.seconds() + self.timeout
        exchange = Deferred.fromCoroutine(self._exchange(method, url, headers, body))
        exchange.addTimeout(self.timeout, self.reactor)
        try:
            return await exchange
        except CancelledError:
            raise
        except Exception as error:
            # What was broken off at that moment fails in many ways.
            late = self.reactor.seconds() >= ends
            told = f"no answer within {self.timeout:g} s" if late else _told(error)
            raise NoReply(f"{_host(url)}: {told}") from None

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> Reply:
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


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _told(error: BaseException) -> str:
    if isinstance(error, ResponseFailed) and error.reasons:
        error = error.reasons[0].value
    return str(error) or type(error).__name__
