"""Our web site as Twisted's factory: makes strict channels and gives them what they share."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

from twisted.web import server
from twisted.web.resource import IResource

from caching.kept_files import AtHand, Sent, kept_file
from pypi.http.caller import Callers, Networks, address_of
from pypi.http.channel import StrictChannel
from pypi.http.crowd import Crowd
from pypi.http.hosts import Hosts
from pypi.http.keeping import LONGEST_PATH, UNRESERVED
from pypi.http.limits import Limits
from pypi.http.rejected import Rejected
from pypi.http.request import Request

AccessLog = Callable[[Request], object]
Refusals = Callable[[str, int, int], object]


class Lane(Protocol):
    """Answers some requests before their channel sees them."""

    def before(self, channel: Any) -> Any:
        """The protocol to put between a channel and its transport."""

    @property
    def kept_files(self) -> Any:
        """The files it may hand out (``caching.kept_files.KeptFiles``)."""

    def close(self) -> None:
        """Answer nothing more."""


_SOON = 0.05


class Site(server.Site):
    """Serves one resource over HTTP/1.1, strictly.

    Args:
        resource: the root; usually a leaf such as Klein's.
        reactor: clock of every deadline (``IReactorTime``).
        hosts: the names that are ours; others get 421.
        callers: whose word is taken for where a request comes from.
        limits: bounds of every connection.
        uncounted: networks without a bound on connections per address (loopback, proxies).
        access_log: called once with every request, when its answer is complete or its connection lost.
        refusals: called with address, status and bytes of the body for every answer to what was no request.
        lane: stands before every channel (``caching.lane.FastLane``).

    Attributes:
        crowd: the open connections, counted.
        channels: the open connections.
        draining: whether every answer that is begun now is the last on its connection.
        idle_seconds: between an answer and the next request.
    """

    protocol = StrictChannel  # type: ignore[assignment]
    reactor: Any

    def __init__(
        self,
        resource: IResource,
        *,
        reactor: Any,
        hosts: Hosts,
        callers: Callers = Callers(),
        limits: Limits = Limits(),
        uncounted: Networks = Networks(),
        access_log: AccessLog | None = None,
        refusals: Refusals | None = None,
        lane: Lane | None = None,
    ) -> None:
        super().__init__(resource, requestFactory=Request, parsePOSTFormSubmission=False, reactor=reactor)
        self.hosts = hosts
        self.callers = callers
        self.limits = limits
        self.crowd = Crowd(limits, uncounted)
        self.channels: set[StrictChannel] = set()
        self.draining = False
        self.idle_seconds = limits.idle_seconds
        self._access_log = access_log
        self._refusals = refusals
        self._lane = lane

    def __repr__(self) -> str:
        return f"<Site {self.crowd.open} connections>"

    def buildProtocol(self, address: Any) -> Any:
        """A connection: its channel, behind the lane if there is one."""
        channel = super().buildProtocol(address)
        # Who a trusted proxy asks for differs from request to request, and only the channel reads that.
        if self._lane is None or address_of(address) in self.callers.trusted:
            return channel
        return self._lane.before(channel)

    def keep_file(self, request: Request, at_hand: AtHand, sent: Sent) -> None:
        """Let the lane hand out a file that has just been sent whole, for ``request``.

        Args:
            sent: is called whenever that was done.
        """
        path = quote(request.text_path, safe=UNRESERVED).encode("ascii")
        plain = request.method == b"GET" and request.clientproto == b"HTTP/1.1" and request.uri == path
        stats = getattr(request, "route", None)
        plain = plain and stats is not None and request.code == 200 and len(path) <= LONGEST_PATH
        if self._lane is None or not plain:
            return
        headers = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in request.responseHeaders.getAllRawHeaders()
            for value in values
        )
        file = kept_file(headers, stats, at_hand, sent)
        if file is not None:
            self._lane.kept_files.put(path, file)

    def log(self, request: Request) -> None:  # type: ignore[override]
        """Hand a request that is over to the access log."""
        if self._access_log is not None:
            self._access_log(request)

    def log_refusal(self, address: str, rejected: Rejected) -> None:
        """Hand an answer to what was no request to the access log."""
        if self._refusals is not None:
            self._refusals(address, rejected.status, len(rejected.body))

    def drain(self, idle_seconds: float = 0.0) -> None:
        """Take leave of all clients: answer what is under way, and say with it that the connection closes.

        Args:
            idle_seconds: how long a connection without a request may still bring one. With 0, idle
                connections close at once; a client that was just about to use one sees that. Where others
                take its next connection, a few seconds let every such request be answered.
        """
        self.draining = True
        if self._lane is not None:
            self._lane.close()  # its answers do not say that they are the last
        self.idle_seconds = min(self.idle_seconds, max(idle_seconds, _SOON))
        for channel in tuple(self.channels):
            channel.drain()

    def cut(self) -> None:
        """Answer every upload that is still arriving with 503: there is no time left for it."""
        for channel in tuple(self.channels):
            channel.cut()

    def startFactory(self) -> None:
        """Nothing to open: the access log is the caller's."""

    def stopFactory(self) -> None:
        """Nothing to close."""

    def acceptableProtocols(self) -> list[bytes]:
        """What may be agreed on in a TLS handshake: HTTP/1.1 alone; HTTP/2 ends at the proxy."""
        return [b"http/1.1"]
