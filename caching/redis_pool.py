"""Connections to Redis that are made again for as long as they are wanted.

txredisapi gives up for good when a connection breaks before it was of use (a server that goes away between
accepting and answering, a password that is not yet set), and reports that as an error to somebody who waits
for the first connection. Nobody does here: an index answers without Redis, and would like to have it back.

Importing this imports the reactor, as txredisapi does.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger
from txredisapi import RedisFactory, RedisProtocol

log = Logger()


class Protocol(RedisProtocol):  # type: ignore[misc]
    """A connection that puts a command together in one go: piece by piece takes a twentieth of a page."""

    def _build_command(self, *words: Any, **_: Any) -> bytes:
        encoded = [word if type(word) is bytes else self._encode_value(word) for word in words]
        return b"".join(
            (b"*%d\r\n" % len(words), *(b"$%d\r\n%b\r\n" % (len(word), word) for word in encoded))
        )


class RedisPool(RedisFactory):  # type: ignore[misc]
    """A pool that nothing but ``disconnect`` ends."""

    protocol = Protocol
    _refused = False

    def stopTrying(self) -> Deferred[Any]:
        """What a connection asks for that broke before it was of use: no."""
        return succeed(None)

    def connectionError(self, why: str) -> None:
        """Log the first of the connections in a row that broke before they were of use."""
        if not self._refused and not self.disconnectCalled:
            self._refused = True
            log.warn("Redis lets nobody in, and will be tried again: {why}", why=why)

    def addConnection(self, conn: Any) -> None:
        """Take in a connection that is of use."""
        super().addConnection(conn)
        if self._refused:
            self._refused = False
            log.info("Redis lets us in again")
