"""Bodies that are not held in memory, and how they get to the client."""

from __future__ import annotations

import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, suppress
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IPushProducer
from twisted.web.http import toChunk
from twisted.web.http_headers import Headers
from zope.interface import implementer

from caching.blocks import Whole
from caching.kept_files import untold
from caching.transport import bare

GONE_AFTER = 60_000
"""Milliseconds after which a client that acknowledges nothing of a body without an end has gone."""


@frozen(kw_only=True)
class FilePart:
    """A part of a file of this machine.

    Attributes:
        held: opens the file, once; the descriptor is good within the context.
        offset, count: bytes of it.
        at_hand: has the same file for whoever asks for all of it next, if that takes no waiting; without it,
            nobody else may be given the file unasked.
    """

    held: AbstractAsyncContextManager[int]
    offset: int
    count: int
    at_hand: Callable[[], AbstractContextManager[int] | None] | None = None


@frozen(kw_only=True)
class Stream:
    """A body that is not held in memory.

    Attributes:
        length: bytes it will have; ``None`` where nobody knows, as of what goes on for as long as both like.
        pieces: starts reading; the iterator's ``aclose`` lets go of what it holds.
        file: where the same bytes are, if the kernel can send them from there.
        etag: strong validator, quoted; ``None`` where it is the answer that has it.
        packed: the same body as gzip, under a validator of its own, where it is there in both forms.
        sent: is called when all of it was sent, now or when others are given the same file.
    """

    length: int | None
    pieces: Callable[[], AsyncIterator[bytes]]
    file: FilePart | None = None
    etag: str | None = None
    packed: Stream | None = None
    sent: Callable[[], object] = untold


def of_blocks(whole: Whole) -> Stream:
    """A body that is kept in blocks, plain and as gzip."""
    packed = Stream(length=whole.packed_length, pieces=lambda: _each(whole.packed()), etag=whole.packed_etag)
    return Stream(length=whole.length, pieces=lambda: _each(whole.plain()), etag=whole.etag, packed=packed)


async def _each(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def while_let(stream: Stream, goes_on: Callable[[], Awaitable[bool]]) -> Stream:
    """A stream that ends when its client may have no more of it: each piece is preceded by that question."""

    async def pieces() -> AsyncIterator[bytes]:
        given = stream.pieces()
        try:
            async for piece in given:
                if not await goes_on():
                    return
                yield piece
        finally:
            if isinstance(given, AsyncGenerator):
                await given.aclose()

    return evolve(stream, pieces=pieces)


async def send(request: Any, stream: Stream) -> None:
    """Write a body as fast as the client takes it: by the kernel, if file and connection allow it.

    Args:
        request: a ``pypi.http.request.Request``, its headers set but not written.
    """
    channel = request.channel  # which a request forgets when its client has gone
    if stream.file is not None and channel is not None and channel.sends_files:
        await _hand_over(request, channel, stream.file, stream.sent)
    else:
        if stream.length is None and channel is not None:
            _settle(request, channel)
        await _pump(request, stream)
        if not request.aborted:
            stream.sent()


async def _hand_over(request: Any, channel: Any, part: FilePart, sent: Callable[[], object]) -> None:
    async with part.held as file:
        request.write(b"")  # the head
        try:
            # Whoever has gone needs no answer; the request is told by its channel.
            with suppress(ConnectionClosed):
                await channel.send_file(file, part.offset, part.count)
                sent()
                if part.at_hand is not None:
                    request.site.keep_file(request, part.at_hand, sent)
        finally:
            request.sentLength += channel.sent_of_file


def _settle(request: Any, channel: Any) -> None:
    """Write the head of what goes on for hours; keep only what the log will say, and notice who has gone."""
    channel.endless = True
    request.write(b"")  # the head
    request.requestHeaders = _only(request.requestHeaders, b"User-Agent", b"Referer")
    request.responseHeaders = _only(request.responseHeaders, b"Cache-Status")
    transport = bare(channel.transport)
    if transport is not None and (option := getattr(socket, "TCP_USER_TIMEOUT", None)):
        # Otherwise a client that has lost its network would stay for a quarter of an hour.
        transport.socket.setsockopt(socket.IPPROTO_TCP, option, GONE_AFTER)


def _only(headers: Headers, *names: bytes) -> Headers:
    return Headers({name: values for name in names if (values := headers.getRawHeaders(name))})


async def _pump(request: Any, stream: Stream) -> None:
    """Write piece after piece."""
    pieces = stream.pieces()
    pace = _Pace()
    request.registerProducer(pace, True)
    write = request.write if stream.length is not None else _writing_now(request)
    try:
        async for piece in pieces:
            write(piece)
            await pace.open()
    finally:
        request.unregisterProducer()
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()


def _writing_now(request: Any) -> Callable[[bytes], None]:
    """Writes pieces that come one by one, now and then, to many at a time."""

    def write(piece: bytes) -> None:
        if request.chunked and not request.aborted:
            request.sentLength += len(piece)
            request.channel.write_now(*toChunk(piece))
        else:
            request.write(piece)

    return write


@implementer(IPushProducer)
class _Pace:
    """Knows whether the transport wants more."""

    def __init__(self) -> None:
        self._gate: Deferred[None] | None = None

    async def open(self) -> None:
        if self._gate is not None:
            await self._gate

    def pauseProducing(self) -> None:
        if self._gate is None:
            self._gate = Deferred()

    def resumeProducing(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None and not gate.called:
            gate.callback(None)

    def stopProducing(self) -> None:
        """The client has gone; the framework cancels whoever waits at the gate."""
