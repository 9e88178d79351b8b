"""A stand-in for the index behind a real edge: says what edges are told, and can be made to fail."""

from __future__ import annotations

from typing import Any

from attrs import define, field, frozen
from twisted.internet import reactor as _reactor
from twisted.web.http import CACHED
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Site

from caching.policy import VARNISH, Policy

reactor: Any = _reactor

PAGE = Policy(edge=3600, stale_while_revalidate=300, stale_if_error=86400)


@frozen
class Asked:
    """A request as it arrived."""

    method: str
    url: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@define(eq=False)
class Origin:
    """What it says, and what it was asked.

    Attributes:
        serial: of every page; part of its body and its ETag.
        policy: of every page, as edges are told it.
        more: further headers, which may replace those of the policy.
        status: of every answer; 0 for none ever.
        asked: requests, in order.
    """

    serial: int = 1
    policy: Policy = PAGE
    more: dict[str, str] = field(factory=dict)
    status: int = 200
    asked: list[Asked] = field(factory=list)
    hanging: list[Any] = field(factory=list)
    listening: Any = field(default=None, init=False)
    port: int = field(default=0, init=False)

    def start(self) -> None:
        """Listen, on the same port every time."""
        site = _Counted(_Page(self))
        self.listening = reactor.listenTCP(self.port, site, interface="127.0.0.1")
        self.port = self.listening.getHost().port

    async def stop(self) -> None:
        """Refuse connections, and break off those that are open."""
        self.hanging.clear()
        if self.listening is not None:
            listening, self.listening = self.listening, None
            listening.factory.end()
            await listening.stopListening()

    def reset(self) -> None:
        """Be well, and have been asked nothing."""
        if self.hanging and self.listening is not None:
            self.listening.factory.end()
        self.serial, self.policy, self.status = 1, PAGE, 200
        self.more.clear()
        self.asked.clear()
        self.hanging.clear()

    def page(self, path: str) -> bytes:
        """What a page says now."""
        return f"{path} at {self.serial}".encode()

    def times(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(one.url.partition("?")[0] == path for one in self.asked)


class _Counted(Site):
    """A site that knows its connections, to break them off."""

    def __init__(self, page: Resource) -> None:
        super().__init__(page)
        self.channels: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        channel: Any = super().buildProtocol(addr)
        self.channels.append(channel)
        return channel

    def end(self) -> None:
        """Break off every connection."""
        for channel in self.channels:
            if channel._channel.transport is not None:
                channel._channel.transport.abortConnection()
        self.channels.clear()


class _Page(Resource):
    isLeaf = True

    def __init__(self, origin: Origin) -> None:
        super().__init__()
        self.origin = origin

    def render(self, request: Any) -> Any:
        origin = self.origin
        headers = {
            name.decode().lower(): b", ".join(values).decode()
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        uri = request.uri.decode()
        origin.asked.append(Asked(request.method.decode(), uri, headers, request.content.read()))
        if origin.status == 0:
            origin.hanging.append(request)
            return NOT_DONE_YET
        path = request.path.decode()
        name = path.split("/")[2] if path.startswith("/simple/") else "other"
        told = {
            "Cache-Control": "max-age=0, public, must-revalidate",
            "Content-Type": "text/plain",
            "Vary": "Accept",
            "X-PyPI-Last-Serial": str(origin.serial),
            **dict(VARNISH.headers(origin.policy, [f"project/{name}", "all"])),
            **origin.more,
        }
        if origin.status != 200:
            told = {"Cache-Control": "private, no-store", "Content-Type": "text/plain"}
        request.setResponseCode(origin.status)
        for header, value in told.items():
            request.setHeader(header, value)
        if origin.status == 200 and request.setETag(f'"{origin.serial}"'.encode()) is CACHED:
            return b""
        return origin.page(path) if origin.status == 200 else b"no"
