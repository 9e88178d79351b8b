"""Bodies that are not held in memory, and how they get to the client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer


@frozen(kw_only=True)
class Stream:
    """A body that is not held in memory.

    Attributes:
        length: bytes it will have.
        pieces: starts reading; the iterator's ``aclose`` lets go of what it holds.
    """

    length: int
    pieces: Callable[[], AsyncIterator[bytes]]


async def send(request: Any, stream: Stream) -> None:
    """Write piece after piece, as fast as the client takes them."""
    pieces = stream.pieces()
    pace = _Pace()
    request.registerProducer(pace, True)
    try:
        async for piece in pieces:
            request.write(piece)
            await pace.open()
    finally:
        request.unregisterProducer()
        close = getattr(pieces, "aclose", None)
        if close is not None:
            await close()


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
