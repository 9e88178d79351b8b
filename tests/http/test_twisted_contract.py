"""What ``pypi.http`` leans on in Twisted beyond its documented interfaces.

Each test states one assumption, so that a new Twisted which breaks it says which, before a user does.
"""

from __future__ import annotations

import inspect

from twisted.internet import abstract, tcp
from twisted.internet.interfaces import IHalfCloseableDescriptor, IHalfCloseableProtocol
from twisted.web import http, server

from pypi.http.channel import StrictChannel, _unsent
from pypi.http.request import Request
from pypi.http.site import Site
from tests.http.memory import reply, serve
from tests.http.probes import NEXT


class Pull:
    """Nothing but a name for a producer."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


def test_unsent_bytes_of_a_transport() -> None:
    """A socket's transport keeps what is unsent in three attributes, summed by ``_unsent``."""
    descriptor = abstract.FileDescriptor(reactor=object())
    descriptor.connected = 1
    descriptor.startWriting = lambda: None
    assert _unsent(descriptor) == 0
    descriptor.write(b"hello")
    descriptor.writeSequence([b"a", b"b"])
    assert _unsent(descriptor) == 7
    descriptor.writeSomeData = lambda data: 3
    descriptor.doWrite()
    assert _unsent(descriptor) == 4
    assert issubclass(tcp.Connection, abstract.FileDescriptor)


def test_unsent_bytes_below_a_wrapper() -> None:
    """Under TLS the socket's transport is found by ``transport``; one that is unknown counts as drained."""

    class Wrapper:
        transport = abstract.FileDescriptor(reactor=object())

    class Unknown:
        transport = None

    Wrapper.transport._tempDataLen = 5
    assert _unsent(Wrapper()) == 5
    assert _unsent(Unknown()) == 0


def test_sockets_half_close() -> None:
    """A socket's transport closes its half, and an end of input on our side still means the end."""
    assert IHalfCloseableDescriptor.implementedBy(tcp.Server)
    assert not IHalfCloseableProtocol.implementedBy(StrictChannel)


def test_channel_keeps_the_producer_of_an_answer() -> None:
    """``HTTPChannel`` registers the producer of an answer as ``_requestProducer``, and forgets it."""
    wire = serve(_ignore).connect()
    producer = Pull()
    wire.channel.registerProducer(producer, True)
    assert wire.channel._requestProducer is producer
    wire.channel.pauseProducing()
    wire.channel.resumeProducing()
    wire.channel.stopProducing()
    assert producer.calls == ["pause", "resume", "stop"]
    wire.channel.unregisterProducer()
    assert wire.channel._requestProducer is None


def test_nothing_of_the_stock_reader_runs() -> None:
    """Every method by which ``HTTPChannel`` takes bytes, times out or closes is ours."""
    ours = vars(StrictChannel)
    assert {
        "connectionMade",
        "connectionLost",
        "dataReceived",
        "requestDone",
        "writeHeaders",
        "write",
        "writeSequence",
        "loseConnection",
        "pauseProducing",
        "resumeProducing",
    } <= set(ours)
    stock = {name for name, value in vars(http.HTTPChannel).items() if inspect.isfunction(value)}
    reading = {
        "_failChooseTransferDecoder",
        "_finishRequestBody",
        "_maybeChooseTransferDecoder",
        "_protocolUpgradeForWebsockets",
        "_respondToBadRequestAndDisconnect",
        "_send100Continue",
        "allContentReceived",
        "allHeadersReceived",
        "checkPersistence",
        "forceAbortClient",
        "headerReceived",
        "lineReceived",
        "rawDataReceived",
        "timeoutConnection",
    }
    kept = {
        "__init__",
        "getHost",
        "getPeer",
        "isSecure",
        "registerProducer",
        "stopProducing",
        "unregisterProducer",
    }
    assert stock - set(ours) == reading | kept


def test_request_tells_its_channel_and_its_log() -> None:
    """``Request.finish`` logs through ``channel.factory`` and calls ``requestDone`` once."""
    made = serve(_ignore)
    wire = made.connect()
    wire.send(NEXT)
    assert wire.channel._request is None
    assert len(made.logged) == 1
    assert wire.channel.factory is made.site
    assert wire.channel.site is made.site


def test_request_disconnects() -> None:
    """``http.Request`` keeps ``_disconnected``, and tells ``notifyFinish`` at once."""
    told: list[str] = []

    async def handler(request: Request) -> None:
        request.notifyFinish().addErrback(lambda _: told.append(f"disconnected {request._disconnected}"))

    wire = serve(handler).connect()
    wire.send(NEXT)
    wire.lose()
    assert told == ["disconnected True"]


def test_request_has_no_body_file() -> None:
    """``content`` may stay None: nothing of Twisted's own reads it for an ordinary resource."""
    assert http.Request.content is None
    assert issubclass(Request, server.Request)
    assert "requestReceived" not in vars(server.Request)


def test_site_hands_out_our_channel_and_request() -> None:
    """``Site.buildProtocol`` uses ``protocol`` and ``requestFactory``, and no HTTP/2 in front of them."""
    wire = serve(_ignore).connect()
    assert type(wire.channel) is StrictChannel
    assert wire.channel.requestFactory is Request
    assert Site.protocol is StrictChannel


async def _ignore(request: Request) -> None:
    reply(request)
