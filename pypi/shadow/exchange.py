"""Connections that ask: one request at a time, kept alive, made again when they have ended.

Agent and treq take half a millisecond for a request; here the reactor's own work is the larger part. On plain
TCP a request goes out in the same turn, by the socket itself: nothing ever waits to be sent before it.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen
from twisted.internet.abstract import isIPAddress
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, TCP4ClientEndpoint, wrapClientTLS
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import optionsForClientTLS
from twisted.python.failure import Failure

from pypi.shadow.replies import BEGINS, CHUNKED, LONGEST_HEAD, Chunks, Malformed, Reply, read_head

CONNECT_TIMEOUT = 5
"""Seconds."""

Done = Callable[[Reply], object]


@frozen(eq=False)
class Server:
    """Who is asked.

    Attributes:
        url: without path.
        host: value of ``Host``.
        aliases: further URLs under which it knows itself.
        hashing: whether bodies are compared.
    """

    url: str
    host: str
    endpoint: Any = field(repr=False)
    aliases: tuple[str, ...] = ()
    hashing: bool = False

    @classmethod
    def at(
        cls, url: str, reactor: Any, *, host: str = "", aliases: tuple[str, ...] = (), hashing: bool = False
    ) -> Server:
        """The server of a URL, ``http://…`` or ``https://…``; what it says of itself by TLS is verified."""
        parts = urlsplit(url)
        name, secure = parts.hostname or "", parts.scheme == "https"
        port = parts.port or (443 if secure else 80)
        endpoint: Any
        if isIPAddress(name):  # needs no look-up, and fails at once
            endpoint = TCP4ClientEndpoint(reactor, name, port, timeout=CONNECT_TIMEOUT)
        else:
            endpoint = HostnameEndpoint(reactor, name, port, timeout=CONNECT_TIMEOUT)
        if secure:
            endpoint = wrapClientTLS(optionsForClientTLS(name), endpoint)
        bare = f"{parts.scheme}://{parts.netloc}"
        return cls(bare, host or parts.netloc, endpoint, tuple(one.rstrip("/") for one in aliases), hashing)

    def path_of(self, location: str) -> str | None:
        """The target a Location means on this server; ``None`` for one that leads elsewhere."""
        for origin in (self.url, *self.aliases, f"//{self.host}"):
            rest = location.removeprefix(origin)
            if rest != location and (not rest or rest[0] in "/?#"):
                location = rest if rest.startswith("/") else f"/{rest}"
                break
        if not location.startswith("/") or location.startswith("//"):
            return None
        return location.partition("#")[0]


@define(eq=False)
class Caller:
    """Asks one server, one request after the other.

    Attributes:
        clock: seconds.
        most: bytes of a body that are read; the rest of a longer one is given up. ``None``: all.
        is_free: whether it may be asked.
        began: when the request that is under way was sent.
    """

    server: Server
    clock: Callable[[], float] = field(repr=False)
    most: int | None = None
    is_free: bool = field(default=True, init=False)
    began: float = field(default=0.0, init=False)
    _connection: Connection | None = field(default=None, init=False)
    _connecting: Any = field(default=None, init=False)
    _request: bytes = field(default=b"", init=False, repr=False)
    _is_head: bool = field(default=False, init=False)
    _done: Done | None = field(default=None, init=False)

    def ask(self, request: bytes, done: Done) -> None:
        """Ask; only when it is free.

        Args:
            request: all bytes of it.
            done: called with the answer, or with one that says why there is none.
        """
        self.is_free = False
        self.began = self.clock()
        self._request, self._is_head, self._done = request, request.startswith(b"HEAD "), done
        if self._connection is None:
            self._connect()
        else:
            self._connection.send(request, self._is_head)

    def give_up(self, why: str) -> None:
        """Wait no longer for the answer that is under way, if there is one."""
        if not self.is_free:
            self.drop()
            self.answered(Reply(error=why))

    def drop(self, *, gently: bool = False) -> None:
        """Hold no connection."""
        connection, self._connection = self._connection, None
        connecting, self._connecting = self._connecting, None
        if connection is not None:
            connection.caller = None
            transport: Any = connection.transport
            transport.loseConnection() if gently else transport.abortConnection()
        if connecting is not None:
            connecting.cancel()

    def answered(self, reply: Reply) -> None:
        """What the connection has to say."""
        reply.seconds = self.clock() - self.began
        done, self._done, self.is_free = self._done, None, True
        if done is not None:
            done(reply)

    def ended(self, connection: Connection, why: str) -> None:
        """The connection is there no more; a request that it may have ended before is asked once more."""
        if connection is not self._connection:
            return
        self._connection = None
        if self.is_free:
            return
        if connection.answers and not connection.has_begun:
            self._connect()
        else:
            self.answered(Reply(error=why))

    def _connect(self) -> None:
        factory = Factory.forProtocol(Connection)
        connecting: Deferred[Connection] = self.server.endpoint.connect(factory)
        self._connecting = connecting
        connecting.addCallbacks(
            self._connected, self._failed, callbackArgs=(connecting,), errbackArgs=(connecting,)
        )

    def _connected(self, connection: Connection, attempt: object) -> None:
        if attempt is not self._connecting or self.is_free:
            connection.transport.abortConnection()  # type: ignore[union-attr]
            return
        self._connecting = None
        self._connection = connection
        connection.take(self, plain=self.server.url.startswith("http:"), hashing=self.server.hashing)
        connection.send(self._request, self._is_head)

    def _failed(self, failure: Failure, attempt: object) -> None:
        if attempt is self._connecting:
            self._connecting = None
            self.answered(Reply(error=f"no connection: {type(failure.value).__name__}"))


class Connection(Protocol):
    """One connection: bytes of answers in, ``Reply`` out.

    Attributes:
        caller: who asks over it.
        answers: that it has brought so far.
        has_begun: whether something of the next one is here.
    """

    caller: Caller | None = None
    answers = 0
    has_begun = False
    _socket: Any = None
    _hashing = False
    _most: int | None = None
    _is_head = False
    _buffer = b""
    _reply: Reply | None = None
    _left = 0
    _closes = False
    _chunks: Chunks | None = None
    _hash: Any = None

    def take(self, caller: Caller, *, plain: bool, hashing: bool) -> None:
        """Work for ``caller`` from now on."""
        self.caller, self._hashing, self._most = caller, hashing, caller.most
        transport: Any = self.transport
        if plain:
            self._socket = transport.socket
            transport.setTcpNoDelay(True)

    def send(self, request: bytes, is_head: bool) -> None:
        """Send a request; the one before has been answered."""
        self._is_head, self.has_begun = is_head, False
        if self._socket is not None:
            with suppress(OSError):  # the transport finds out by itself what that means
                request = request[self._socket.send(request) :]
        if request:
            transport: Any = self.transport
            transport.write(request)

    def dataReceived(self, data: bytes) -> None:
        """Some bytes of an answer."""
        if self.caller is None:
            return
        self.has_begun = True
        try:
            if self.caller.is_free:
                raise Malformed("bytes nobody asked for")
            self._read(data)
        except Malformed as why:
            self._break(str(why))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """The end; of an answer, too, if it may end so."""
        if self.caller is None:
            return
        reply = self._reply
        if reply is not None and self._left < 0 and self._chunks is None and reason.check(ConnectionDone):
            self._closes = True
            self._finish(reply)
        else:
            self.caller.ended(self, "the connection ended before the answer")

    def _read(self, data: bytes) -> None:
        while self._reply is None:
            if not data:
                return
            data = self._read_head(self._buffer + data if self._buffer else data)
        self._read_body(self._reply, data)

    def _read_head(self, data: bytes) -> bytes:
        """Read a head if it is all there; what came behind it."""
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > LONGEST_HEAD:
            if len(data) > LONGEST_HEAD:
                raise Malformed("a head without an end")
            self._buffer = data
            return b""
        self._buffer = b""
        head = data[: end + 2]
        status, length, closes = read_head(head, bodiless=self._is_head)
        rest = data[end + 4 :]
        if status < 200:
            if status == 101:
                raise Malformed("another protocol")
            return rest
        self._reply = Reply(status, head)
        self._left, self._closes = length, closes
        self._chunks = Chunks() if length == CHUNKED else None
        self._hash = blake2b(digest_size=16) if self._hashing else None
        return rest

    def _read_body(self, reply: Reply, data: bytes) -> None:
        over, rest = False, b""
        if self._chunks is not None:
            data = self._chunks.feed(data)
            over, rest = self._chunks.is_over, self._chunks.rest
        elif self._left >= 0:
            if len(data) > self._left:
                data, rest = data[: self._left], data[self._left :]
            self._left -= len(data)
            over = not self._left
        if not reply.begins:
            reply.begins = data[:BEGINS]
        reply.size += len(data)
        if self._hash is not None:
            self._hash.update(data)
        if rest:
            raise Malformed("bytes behind an answer")
        if not over and self._most is not None and reply.size > self._most:
            over = self._closes = True
        if over:
            self._finish(reply)

    def _finish(self, reply: Reply) -> None:
        caller, self._reply = self.caller, None
        assert caller is not None
        self.answers += 1
        if self._hash is not None:
            reply.digest = self._hash.digest()
        if self._closes:
            caller.drop(gently=True)
        caller.answered(reply)

    def _break(self, why: str) -> None:
        caller = self.caller
        assert caller is not None
        caller.drop()
        if not caller.is_free:
            caller.answered(Reply(error=f"no HTTP: {why}"))
