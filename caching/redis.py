"""Redis, as something that may be away: every command is bounded in time, and failing is ordinary.

What txredisapi 1.6 does on today's Twisted, and what is done about it here:

- while disconnected a command waits for ever: here it is refused at once;
- its reply time-out tears the connection down and does not cover waiting for one: here each command has a
  deadline of its own, and the reply time-out only clears away connections that hang;
- by default it turns ``'007'`` into 7 and bytes into text: here bytes go in and bytes come out;
- it waits up to ten seconds before it reconnects: here at most one;
- it gives up when a connection breaks before it was of use: here it goes on, see ``caching.redis_pool``;
- it imports the reactor when it is imported: so it is imported when a connection is made.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import random
from typing import Any
from urllib.parse import unquote, urlsplit

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectionClosed
from twisted.internet.ssl import optionsForClientTLS
from twisted.logger import Logger

from caching.breaker import Breaker
from caching.figures import Figure, gauge
from caching.patient import Patient

log = Logger()

TIMEOUT = 0.05
"""Seconds a command may take: a cache that is slower than that is not worth asking."""

A_TURN = 0.005
"""Seconds more, in which at least one turn of the reactor passes."""

HANGING = 2.0
"""Seconds without a reply after which a connection is closed and made anew."""

RECONNECT_AFTER = 0.1
RECONNECT_WITHIN = 1.0


class RedisDown(Exception):
    """Redis did not do what it was asked, or not in time; whoever asked goes on without it."""


@define(eq=False, repr=False)
class Redis:
    """A pool of connections that mends itself.

    Attributes:
        url: ``redis://user:password@host:6379/0``, ``rediss://…`` for TLS, or ``unix:///path/of/socket``.
        reactor: the running one; txredisapi knows no other.
        connections: kept open; commands are pipelined over them.
        timeout: seconds for each command.
    """

    url: str
    reactor: Any
    connections: int = 2
    timeout: float = TIMEOUT
    jitter: Callable[[], float] = random
    _factory: Any = field(default=None, init=False)
    _breaker: Breaker = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._breaker = Breaker(self.reactor.seconds, self.jitter)

    def __repr__(self) -> str:
        live = self._factory.size if self._factory else 0
        state = ", resting" if self._breaker.is_open else ""
        return f"<Redis {live} of {self.connections} connections{state}>"

    def figures(self) -> Iterator[Figure]:
        """Its connections, and whether it is left alone."""
        live = self._factory.size if self._factory else 0
        yield gauge("redis_connections", "Open connections to Redis.", live)
        about = "1 while Redis keeps failing and is asked only now and then."
        yield gauge("redis_breaker_open", about, self._breaker.is_open)

    async def start(self) -> None:
        """Begin to connect. Nobody waits for it: an index answers without Redis, too."""
        from caching.redis_pool import RedisPool

        parts = urlsplit(self.url)
        database = int(parts.path.strip("/") or 0) if parts.scheme != "unix" else 0
        self._factory = RedisPool(
            None,
            database,
            self.connections,
            charset=None,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            replyTimeout=HANGING,
            convertNumbers=False,
        )
        self._factory.initialDelay, self._factory.maxDelay = RECONNECT_AFTER, RECONNECT_WITHIN
        # It is the endpoint that tries again: the factory would log each attempt.
        endpoint = Patient("Redis", self._endpoint(), self.reactor, RECONNECT_AFTER, RECONNECT_WITHIN)
        self._factory.startConnecting(endpoint)

    async def stop(self) -> None:
        """Close all connections, and make no more."""
        if self._factory is not None:
            factory, self._factory = self._factory, None
            closing = factory.disconnect()
            closing.addTimeout(HANGING, self.reactor, lambda *_: None)
            await closing

    async def command(self, method: str, *args: Any, **options: Any) -> Any:
        """What a txredisapi method such as ``get`` answers: bytes, numbers, ``None`` or lists of them.

        Raises:
            RedisDown: not connected, too slow, or failing so often that it is left alone for a moment.
        """
        if self._factory is None or not self._factory.size or not self._breaker.admits():
            raise RedisDown("not connected")
        answer: Deferred[Any] = Deferred()
        running = getattr(self._factory.handler, method)(*args, **options)
        running.addBoth(_unless_late, answer)
        deadline = self.reactor.callLater(self.timeout, self._expire, answer)
        try:
            found = await answer
        except Exception as error:
            if _tells_of_the_server(error):
                self._breaker.failed()
            raise RedisDown(str(error) or type(error).__name__) from None
        finally:
            if deadline.active():
                deadline.cancel()
        self._breaker.worked()
        return found

    def _expire(self, answer: Deferred[Any]) -> None:
        # A process that is busy has not read yet what has arrived, and may not even have asked.
        self.reactor.callLater(A_TURN, self._give_up, answer)

    def _give_up(self, answer: Deferred[Any]) -> None:
        if not answer.called:
            answer.errback(RedisDown(f"no reply within {self.timeout:g} s"))

    async def ping(self) -> None:
        """Find out whether Redis answers.

        Raises:
            RedisDown: it does not.
        """
        await self.command("ping")

    def _endpoint(self) -> Any:
        parts = urlsplit(self.url)
        if parts.scheme == "unix":
            return UNIXClientEndpoint(self.reactor, unquote(parts.path), timeout=HANGING)
        host = parts.hostname or "localhost"
        endpoint: Any = HostnameEndpoint(self.reactor, host, parts.port or 6379, timeout=HANGING)
        if parts.scheme == "rediss":
            endpoint = wrapClientTLS(optionsForClientTLS(host), endpoint)
        return endpoint


def _unless_late(result: Any, answer: Deferred[Any]) -> None:
    """Hand over a reply somebody still waits for; one that comes too late is dropped, and is no error."""
    if not answer.called:
        answer.callback(result)


def _tells_of_the_server(error: Exception) -> bool:
    from txredisapi import ConnectionError as ConnectionFailed

    return isinstance(error, RedisDown | ConnectionFailed | ConnectionClosed)
