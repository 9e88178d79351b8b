"""Listening: one connection more, on which PostgreSQL says what was changed in the moment it is committed.

What is sent while the connection is down is lost, and nobody is told that it was. So whoever hears by this
has to look as well: now and then, and each time the connection is made anew.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random
from typing import Any, TypeVar

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from pypi.db.connection import Connection, resolved
from pypi.db.queries import journal

T = TypeVar("T")

log = Logger()

PROBE_EVERY = 10.0
"""Seconds after which a connection that says nothing is asked whether it is still there."""

DEADLINE = 5.0
"""Seconds it may take to connect, and to answer."""

AT_ONCE = 100
"""Messages that are passed on in one go; more are left to whoever looks, who takes his time."""

AGAIN_AFTER = 0.1
AGAIN_WITHIN = 5.0

Hear = Callable[[int, int, Sequence[str]], object]


class _Line(Connection):
    """A connection that hands on what it is told, and is waited for until it ends."""

    def __init__(self, reactor: Any, told: Callable[[Sequence[str]], None]) -> None:
        super().__init__(reactor=reactor)
        self._told = told
        self._silence: Deferred[None] | None = None

    async def silence(self, seconds: float) -> None:
        """Wait; not longer than the connection lasts."""
        self._silence = deferLater(self.reactor, seconds)
        with suppress(CancelledError):
            await self._silence
        self._silence = None

    def checkForNotifies(self) -> None:
        # txpostgres would hand them to a cooperator of the global reactor, one by one.
        told = [one.payload for one in self._connection.notifies]
        self._connection.notifies.clear()
        if told:
            self._told(told)

    def connectionLost(self, reason: Any) -> None:
        super().connectionLost(reason)
        if self._silence is not None and not self.is_open:
            self._silence.cancel()


@define(eq=False, repr=False)
class Notifications:
    """Listens for as long as it runs, over as many connections, one after the other, as it takes.

    It needs a session of its own: behind a pooler that lends sessions by transaction nothing is ever heard.

    Attributes:
        dsn: of the database.
        reactor: where the connection is polled.
        hear: told of (first serial, last serial, tags) of each transaction.
        hint: told that something may have been missed.
        connected: how often a connection was made.
        heard: messages that were understood.
    """

    dsn: str = field(repr=False)
    reactor: Any
    hear: Hear
    hint: Callable[[], object]
    random: Random = field(factory=Random)
    connected: int = field(default=0, init=False)
    heard: int = field(default=0, init=False)
    _line: _Line | None = field(default=None, init=False)
    _pausing: Deferred[None] | None = field(default=None, init=False)
    _loop: Deferred[None] | None = field(default=None, init=False)
    _stopped: bool = field(default=True, init=False)

    def __repr__(self) -> str:
        state = "listening" if self.is_listening else "not connected"
        return f"<Notifications {state}, {self.connected} connections, {self.heard} heard>"

    @property
    def is_listening(self) -> bool:
        """Whether what is sent now would be heard, as far as is known."""
        return self._line is not None and self._line.is_open

    async def start(self) -> None:
        """Begin to listen; nobody waits for it, as everything works without, only later."""
        self._stopped = False
        self._loop = Deferred.fromCoroutine(self._repeat())

    async def stop(self) -> None:
        """Listen no more."""
        self._stopped = True
        if self._pausing is not None:
            self._pausing.cancel()
        if self._line is not None:
            self._line.discard()
        if self._loop is not None:
            loop, self._loop = self._loop, None
            await loop

    async def _repeat(self) -> None:
        failures = 0
        while not self._stopped:
            before = self.connected
            try:
                await self._listen()
            except Exception as error:
                if not failures and not self._stopped:
                    log.warn("Changes are not told at the moment: {error}", error=str(error).strip())
            failures = failures + 1 if self.connected == before else 0
            if not self._stopped:
                await self._pause(min(AGAIN_WITHIN, AGAIN_AFTER * 2 ** min(failures, 10)))

    async def _listen(self) -> None:
        """One connection, from its beginning to its end."""
        line = self._line = _Line(self.reactor, self._told)
        try:
            parts = await resolved(self.dsn, self.reactor)
            if self._stopped:
                return
            await self._in_time(line.connect(**{"application_name": "cheeseshop listener", **parts}))
            await self._in_time(line.cursor().run(journal.LISTEN))
            self.connected += 1
            self.hint()  # whatever was said before
            while line.is_open:
                await line.silence(PROBE_EVERY)
                if line.is_open:
                    await self._in_time(line.cursor().run(journal.ALIVE))
        finally:
            self._line = None
            line.discard()

    async def _in_time(self, answer: Awaitable[T]) -> T:
        line = self._line
        assert line is not None
        # Not a cancellation, which would block: see ``pypi.db.connection``.
        deadline = self.reactor.callLater(DEADLINE, line.discard)
        try:
            return await answer
        finally:
            if deadline.active():
                deadline.cancel()

    async def _pause(self, seconds: float) -> None:
        self._pausing = deferLater(self.reactor, seconds * self.random.uniform(0.5, 1.0))
        with suppress(CancelledError):
            await self._pausing
        self._pausing = None

    def _told(self, payloads: Sequence[str]) -> None:
        if len(payloads) > AT_ONCE:
            self.hint()
            return
        for payload in payloads:
            try:
                self.hear(*_read(payload))
                self.heard += 1
            except ValueError:
                self.hint()
            except Exception:
                log.failure("What was changed could not be passed on")
                self.hint()


def _read(payload: str) -> tuple[int, int, list[str]]:
    """(first serial, last serial, tags) as ``journal.write`` says it.

    Raises:
        ValueError: it says something else, or no tags, as there are too many.
    """
    try:
        first, last, tags = json.loads(payload)
    except (TypeError, RecursionError):
        raise ValueError from None
    is_plain = type(first) is int and type(last) is int and isinstance(tags, list)
    if not is_plain or not tags or not all(isinstance(tag, str) for tag in tags):
        raise ValueError
    return first, last, tags
