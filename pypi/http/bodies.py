"""The body of a request: a stream that is read only by the route that wants it."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen
from twisted.internet.defer import Deferred

from pypi.domain.errors import Invalid, TooLarge


@frozen
class BodyTooLarge(TooLarge):
    """The body is larger than its reader takes.

    Attributes:
        limit: bytes that would have been taken.
    """

    limit: int

    def __str__(self) -> str:
        return f"The body of this request may not be larger than {self.limit} bytes."


@frozen
class BodyIncomplete(Invalid):
    """The rest of the body will never arrive: the client went away, stalled, or broke the framing."""

    detail: str = "The request ended before its body was complete."

    def __str__(self) -> str:
        return self.detail


class Flow(Protocol):
    """What a body asks of the connection it arrives on."""

    def body_wanted(self) -> None:
        """The first read: now the client may be told to go on (``100 Continue``)."""

    def body_drained(self) -> None:
        """All that was kept has been taken: there is room again."""


class Body:
    """Bytes of one request in the order they were sent; read once, by one reader.

    At most about ``ahead`` bytes wait unread, then the connection stops reading from its client; before
    the first read it is a quarter of that, so that requests nobody wants to read cost little.

    Attributes:
        length: declared bytes; None when the client did not say (``Transfer-Encoding: chunked``).
        received: bytes that have arrived so far.
    """

    def __init__(self, length: int | None = 0, flow: Flow | None = None, *, ahead: int = 1 << 18) -> None:
        self.length = length
        self.received = 0
        self._flow = flow
        self._ahead = ahead
        self._kept: list[bytes] = []
        self._unread = 0
        self._asked = False
        self._ended = length == 0
        self._failure: Exception | None = None
        self._waiter: Deferred[None] | None = None

    def __repr__(self) -> str:
        state = "failed" if self._failure else "complete" if self._ended else "arriving"
        return f"<Body {state}, {self.received} of {self.length} bytes, {self._unread} unread>"

    def chunks(self) -> Body:
        """The body as an asynchronous iterator of non-empty ``bytes``.

        Raises (from the iteration):
            BodyIncomplete: the rest will not arrive.
        """
        return self

    def __aiter__(self) -> Body:
        return self

    async def __anext__(self) -> bytes:
        self._ask()
        while not self._kept:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                raise StopAsyncIteration
            await self._more()
        data = b"".join(self._kept)
        self._kept.clear()
        self._unread = 0
        if self._flow is not None and not self._ended:
            self._flow.body_drained()
        return data

    async def read(self, limit: int) -> bytes:
        """The whole body.

        Args:
            limit: most bytes to take; a larger declared length is refused before a byte is read.

        Raises:
            BodyTooLarge: it is larger than ``limit``.
            BodyIncomplete: the rest will not arrive.
        """
        self.check(limit)
        parts: list[bytes] = []
        total = 0
        async for data in self:
            total += len(data)
            if total > limit:
                raise BodyTooLarge(limit)
            parts.append(data)
        return b"".join(parts)

    def check(self, limit: int) -> None:
        """Refuse a body whose declared length exceeds ``limit`` bytes, before reading it.

        Raises:
            BodyTooLarge: it says it is larger than ``limit``.
        """
        if self.length is not None and self.length > limit:
            raise BodyTooLarge(limit)

    @property
    def full(self) -> bool:
        """Whether as much waits unread as may be kept."""
        return self._unread >= (self._ahead if self._asked else self._ahead // 4)

    def deliver(self, data: bytes, *, last: bool) -> None:
        """Take over what arrived (called by the connection); ``last`` when nothing follows."""
        self.received += len(data)
        self._ended = last
        if data and self._failure is None:
            self._kept.append(data)
            self._unread += len(data)
        self._wake()

    def fail(self, failure: Exception) -> None:
        """Nothing more will arrive: let every read, also one that waits, raise ``failure``."""
        if self._failure is None and not self._ended:
            self._failure = failure
            self._kept.clear()
            self._unread = 0
            self._wake()

    def _ask(self) -> None:
        if not self._asked:
            self._asked = True
            if self._flow is not None and not self._ended:
                self._flow.body_wanted()

    async def _more(self) -> None:
        if self._waiter is not None:
            raise RuntimeError("this body is already being read")
        self._waiter = Deferred()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.called:
            waiter.callback(None)
