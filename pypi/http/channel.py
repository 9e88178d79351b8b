"""One connection: reads requests strictly, hands them on at their headers, writes answers, ends well.

The outgoing half is Twisted's ``HTTPChannel``; the incoming half is ours from the first byte. Everything here
that leans on Twisted's private parts is listed in ``tests/http/test_twisted_contract.py``.

Source: RFC 9112, in particular sections 9.3 (persistence), 9.6 (tear-down) and 10.1.1 of RFC 9110 (Expect).
"""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableDescriptor, ISSLTransport, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.http_headers import Headers

from caching.transport import EagerServer, bare
from pypi.http.bodies import Body
from pypi.http.caller import address_of
from pypi.http.crowd import Admission
from pypi.http.deadline import Deadline
from pypi.http.framing import Chunked, Fixed
from pypi.http.head import Head, HeadReader
from pypi.http.hosts import MISDIRECTED
from pypi.http.limits import Limits
from pypi.http.rejected import Rejected

if TYPE_CHECKING:
    from pypi.http.request import Request
    from pypi.http.site import Site

log = Logger()

# Seconds a new connection may take for its first request while the service is drained: it is on its way.
_NEWCOMER = 1.0
_CONTROLS = bytes(range(0x20)) + b"\x7f"
_PRINTABLE = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
_TOO_MANY = Rejected(503, "Too many connections are open. Try again in a moment.", ((b"Retry-After", b"5"),))
_LATE_HEAD = Rejected(408, "The headers of the request took too long.")
_LATE_BODY = Rejected(408, "The body of the request came too slowly.")
_STOPPING = Rejected(503, "The service is being restarted. Try again in a moment.", ((b"Retry-After", b"5"),))


class StrictChannel(HTTPChannel):
    """The server's end of one HTTP/1.1 connection.

    It is, one after another: reading a head (``_request`` and ``_decoder`` are None), serving a request
    (whose body, if any, still arrives while ``_decoder`` is set), reading away the short rest of a body that
    nobody wanted (only ``_decoder`` is set), and perhaps *lingering*: the last answer is written, our half of
    the connection is closed, and what the client still sends is thrown away, so that it can come to read
    that answer.

    Attributes:
        site: what all connections share.
        address: of the other end, canonical (``pypi.http.caller.address_of``).
        ahead: set by a fast lane that has answered a request before it came here.
        endless: whether the answer being written goes on until somebody ends it.
    """

    site: Site
    address: str
    transport: Any
    requestFactory: Any

    def connectionMade(self) -> None:
        """Count the connection, and wait for its first request."""
        self._limits = self.site.limits
        self._reader = HeadReader(self._limits)
        self._request: Request | None = None
        self._decoder: Fixed | Chunked | None = None
        self._body = Body()
        self._pending = b""
        self._at = 0
        self._pumping = self._paused = self._blocked = self._released = False
        self._lingering = self._closing = self._closed = self._handing = False
        self._linger_left = 0
        self._first = self._persistent = True
        self.ahead = self.endless = False
        self._awaits_continue = False
        self._body_due = 0.0
        self._written = self._mark = 0
        self._taken: int | None = None
        self._reading = Deadline(self.site.reactor, self._read_expired)
        self._writing = Deadline(self.site.reactor, self._write_expired)
        if ITCPTransport.providedBy(self.transport):
            self.transport.setTcpNoDelay(True)
        self.transport.registerProducer(self, True)
        self.address = address_of(self.transport.getPeer())
        self.site.channels.add(self)
        match self.site.crowd.enter(self.address):
            case Admission.WELCOME:
                self._reading.set(self._limits.header_seconds)
            case Admission.TOO_MANY:
                self._refuse(_TOO_MANY)
            case Admission.TURNED_AWAY:
                self.abort()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Tell the request that is being served, and let go of everything."""
        self._closed = True
        self._reading.close()
        self._writing.close()
        self.site.crowd.leave(self.address)
        self.site.channels.discard(self)
        self._pending = b""
        self._decoder = None
        request, self._request = self._request, None
        if request is not None:
            request.connectionLost(reason)

    # A fast lane in front.

    @property
    def quiet(self) -> bool:
        """Whether nothing of any request is here, and the next byte may begin one."""
        return not (
            self._request is not None
            or self._decoder is not None
            or self._pending
            or self._reader.begun
            or self._handing
            or self._lingering
            or self._closed
            or self._blocked
            or self._paused
            or not self._persistent
        )

    def owes(self, length: int) -> None:
        """The lane has written an answer of ``length`` bytes that the client has not taken yet."""
        if _unsent(self.transport) <= length:  # what was written before it has been taken
            self._mark, self._taken = self._written, None
            self._writing.set(self._limits.write_stall)
        self._written += length

    def hands(self, length: int) -> None:
        """The lane is sending an answer of ``length`` bytes: requests wait until it ``handed``."""
        self._handing = True
        self._reading.lift()
        self.owes(length)

    def handed(self) -> None:
        """The lane has sent it, or the connection is lost."""
        self._handing = False
        if not self._closed:
            if not self._lingering:
                self._await_request()
            if not self._pumping:
                self._pump()

    # Incoming bytes.

    def dataReceived(self, data: bytes) -> None:
        """Take bytes from wherever they come: the transport, or whoever read it first."""
        if not self._closed:  # a transport may still hand over what it had read before it closed
            self._pending = self._pending + data if self._pending else data
            if not self._pumping:
                self._pump()

    def _pump(self) -> None:
        """Work through what has arrived, as far as it goes; requests answered at once do not recurse."""
        self._pumping = True
        try:
            while self._at < len(self._pending) and self._advance():
                pass
        finally:
            self._pumping = False
            self._pending = self._pending[self._at :]
            self._at = 0
        self._regulate()

    def _advance(self) -> bool:
        """One step on; False when what is left must wait."""
        if self._closed or self._lingering:
            self._throw_away()
        elif self._decoder is not None:
            self._read_body(self._decoder)
        elif self._request is not None or self._handing or self._blocked:
            return False
        else:
            self._read_head()
        return True

    def _read_head(self) -> None:
        fresh = not self._reader.begun
        try:
            self._at = self._reader.feed(self._pending, self._at)
            if self._reader.head is not None:
                self._begin(self._reader.head)
            elif fresh and not (self._first and not self.ahead):
                self._reading.set(self._limits.header_seconds)
        except Rejected as rejected:
            self._refuse(rejected)

    def _begin(self, head: Head) -> None:
        if head.authority is not None and not self.site.hosts.admits(head.authority):
            absolute = head.target.authority is not None
            if absolute or not self.site.hosts.led_on or head.method not in (b"GET", b"HEAD"):
                raise Rejected(400 if absolute else 421, MISDIRECTED)
        self._reader = HeadReader(self._limits)
        self._first = False
        self._persistent = head.persistent
        self._decoder = _decoder(head, self._limits)
        self._body = Body(head.length, self, ahead=self._limits.ahead)
        self._awaits_continue = head.expects_continue
        if self._decoder is None or self._awaits_continue:
            self._reading.lift()
        else:
            self._start_body_clock()
        self._request = request = self.requestFactory(self)
        request.begin(head, self._body)

    def _read_body(self, decoder: Fixed | Chunked) -> None:
        try:
            self._at, data = decoder.feed(self._pending, self._at)
        except Rejected as rejected:
            self._spoil(rejected)
            return
        if self._awaits_continue:
            self._awaits_continue = False
            self._start_body_clock()
        if decoder.done:
            self._decoder = None
            self._reading.lift()
        else:
            self._extend_body_clock(len(data))
        if self._request is not None:
            # The reader of the body may run, answer, and change all of our state before this returns.
            self._body.deliver(data, last=decoder.done)
        elif decoder.done:
            self._await_request()

    def _throw_away(self) -> None:
        self._linger_left -= len(self._pending) - self._at
        self._at = len(self._pending)
        if self._linger_left < 0 and not self._closed:
            self.loseConnection()

    def _await_request(self) -> None:
        begun = self._reader.begun
        self._reading.set(self._limits.header_seconds if begun else self.site.idle_seconds)

    # What the body of a request asks for.

    def body_wanted(self) -> None:
        """The route accepts the body: only now is the client told to send it."""
        if self._awaits_continue and self._request is not None and not self._request.startedWriting:
            self._awaits_continue = False
            self._start_body_clock()
            if self._at == len(self._pending):
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._regulate()

    def body_drained(self) -> None:
        """There is room for more of the body."""
        self._regulate()

    def _start_body_clock(self) -> None:
        self._body_due = self.site.reactor.seconds() + self._limits.body_grace
        self._reading.set(self._limits.body_grace)

    def _extend_body_clock(self, received: int) -> None:
        now = self.site.reactor.seconds()
        self._body_due = min(
            self._body_due + received / self._limits.body_rate, now + self._limits.body_stall
        )
        self._reading.set(max(0.0, self._body_due - now))

    def _regulate(self) -> None:
        """Read from the client exactly while there is somewhere to put what it sends."""
        pause = not (self._closed or self._lingering) and (
            (self._blocked and self._request is None)
            or (self._handing and len(self._pending) > self._at)
            or (self._decoder is None and self._request is not None and len(self._pending) > self._at)
            or (self._decoder is not None and self._request is not None and self._body.full)
        )
        if pause == self._paused or self._closed or self._closing:
            return
        self._paused = pause
        if pause:
            self.transport.pauseProducing()
            self._reading.lift()
        else:
            self.transport.resumeProducing()
            if self._decoder is not None and not self._awaits_continue:
                self._start_body_clock()
            elif self._request is None and not self._lingering:
                self._await_request()

    # Outgoing bytes.

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> None:
        """Write the head of an answer, and decide with it whether the connection stays open."""
        head = self._head(version, code, reason, headers)
        self._watch_write(0)
        self.transport.write(head + b"\r\n")

    def write_answer(
        self, version: bytes, code: bytes, reason: bytes, headers: Headers, lines: bytes, body: bytes
    ) -> None:
        """Write a whole answer, some of whose header lines are ready, without waiting for a turn."""
        head = b"%s%s\r\n" % (self._head(version, code, reason, headers), lines)
        self.write_now(*((head, body) if body else (head,)))

    def _head(self, version: bytes, code: bytes, reason: bytes, headers: Headers) -> bytes:
        """Status line and header lines; with them it is decided whether the connection stays open."""
        last = self.site.draining and self._at == len(self._pending)
        if last or b"close" in headers.getRawHeaders(b"Connection", ()) or not self._can_go_on():
            self._persistent = False
        if not self._persistent:
            headers.setRawHeaders(b"Connection", [b"close"])
        lines = b"".join(
            b"%s: %s\r\n" % (name, value) for name, values in headers.getAllRawHeaders() for value in values
        )
        # In one piece: Twisted looks at each that it is given several times.
        return b"%s %s %s\r\n%s" % (version, code, reason.translate(_PRINTABLE), lines)

    def write(self, data: bytes) -> None:
        """Write a piece of an answer."""
        self._watch_write(len(data))
        self.transport.write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write a piece of an answer that comes in several."""
        pieces = list(iovec)
        self._watch_write(sum(map(len, pieces)))
        self.transport.writeSequence(pieces)

    def write_now(self, *pieces: bytes) -> None:
        """Write a piece of an answer behind which nothing follows for a while, without waiting for a turn."""
        self._watch_write(sum(map(len, pieces)))
        transport = bare(self.transport)
        if transport is None:
            self.transport.writeSequence(pieces)
        else:
            transport.send_now(*pieces)

    @property
    def sends_files(self) -> bool:
        """Whether ``send_file`` may be called."""
        return bare(self.transport) is not None

    def send_file(self, file: int, offset: int, count: int) -> Deferred[None]:
        """Write a part of a file, as ``EagerServer.send_file``; the client has to take it like all else."""
        transport = bare(self.transport)
        assert transport is not None
        self._watch_write(count)
        return transport.send_file(file, offset, count)

    @property
    def sent_of_file(self) -> int:
        """Bytes of the last file that the kernel took."""
        return int(self.transport.sent_of_file)

    def _can_go_on(self) -> bool:
        """Whether the next request could be found behind the body of this one."""
        decoder = self._decoder
        if decoder is None:
            return True
        return (
            not self._awaits_continue
            and decoder.remaining is not None
            and decoder.remaining <= self._limits.drain
        )

    def _watch_write(self, length: int) -> None:
        if not _unsent(self.transport):
            self._mark, self._taken = self._written, None
            self._writing.set(self._limits.write_stall)
        self._written += length

    def pauseProducing(self) -> None:
        """The client does not keep up: stop answering, and take no further requests."""
        self._blocked = True
        if self._requestProducer is not None:
            self._requestProducer.pauseProducing()
        self._regulate()

    def resumeProducing(self) -> None:
        """The client has caught up."""
        self._blocked = False
        if self._requestProducer is not None:
            self._requestProducer.resumeProducing()
        if not self._pumping:
            self._pump()

    # Ends.

    def requestDone(self, request: Request) -> None:
        """An answer is complete: on to the next request, or close."""
        self._request = None
        self.endless = False
        if not self._persistent:
            self._close()
        elif self._decoder is None:
            self._await_request()
        if not self._pumping:
            self._pump()

    def drain(self) -> None:
        """End behind what is under way; without a request, ``site.idle_seconds`` are left to bring one."""
        if self.endless and self._blocked and not (self._closed or self._closing):
            self.abort()  # what it does not take would come to no end, and it can come again
            return
        if self._closed or self._closing or self._paused or self._handing:
            return
        if self._lingering:
            self._reading.set(self._limits.refusal_seconds)
        elif self._request is None and self._decoder is None and not self._reader.begun:
            idle = self.site.idle_seconds
            self._reading.set(max(idle, _NEWCOMER) if self._first else idle)

    def cut(self) -> None:
        """Wait no longer for the rest of a body: its client is told to come again."""
        if self._request is not None and self._decoder is not None and not self._closed:
            self._spoil(_STOPPING)

    def _close(self) -> None:
        """Close behind the last answer, so that the client sees it even when it is still sending."""
        if self._decoder is not None:
            self._linger(self._limits.linger_seconds, self._limits.linger_bytes)
        elif len(self._pending) > self._at:
            self._linger(self._limits.refusal_seconds, self._limits.linger_bytes)
        else:
            self.loseConnection()

    def _linger(self, seconds: float, most: int) -> None:
        self._lingering = True
        self._linger_left = most
        self._decoder = None
        self._awaits_continue = False
        self._regulate()
        self._reading.set(seconds)
        self._release_transport()
        # TLS has no half-close; there the length in the answer has to do.
        if IHalfCloseableDescriptor.providedBy(self.transport) and not ISSLTransport.providedBy(
            self.transport
        ):
            self.transport.loseWriteConnection()

    def _refuse(self, rejected: Rejected) -> None:
        """Reject what never came to be a request, and so is noted here."""
        self.site.log_refusal(self.address, rejected)
        self._reject(rejected)

    def _reject(self, rejected: Rejected) -> None:
        """Answer in the place of a request that could not be read, and close."""
        log.debug("{address} rejected with {status}: {sentence}", address=self.address, **_fields(rejected))
        self.write(rejected.answer())
        self._persistent = False
        self._linger(self._limits.refusal_seconds, self._limits.linger_bytes)

    def _spoil(self, rejected: Rejected) -> None:
        """The body of the request being served will never be complete: its client gets the reason from us."""
        request, self._request = self._request, None
        answered = request is None or bool(request.startedWriting)
        if request is not None:
            self.stopProducing()
            self.unregisterProducer()
            request.code = request.code if answered else rejected.status
            request.connectionLost(Failure(ConnectionDone(rejected.sentence)))
        if request is None:
            self._linger(self._limits.refusal_seconds, self._limits.linger_bytes)
        elif answered:
            self.abort()
        else:
            self._reject(rejected)

    def loseConnection(self) -> None:
        """Close when everything is written; whatever still arrives is thrown away."""
        if not self._closing:
            self._lingering = True
            self._regulate()  # a transport that closes reads on only if it did before
            self._closing = True
            self._linger_left = self._limits.linger_bytes
            self._reading.lift()
            self._release_transport()
            self._writing.set(self._limits.write_stall)
            self.transport.loseConnection()

    def abort(self) -> None:
        """Close at once, so that nobody takes a broken answer for a whole one."""
        self._closing = self._lingering = True
        self.transport.abortConnection()

    def _release_transport(self) -> None:
        """A transport closes only once nobody is registered to write more."""
        if not self._released:
            self._released = True
            self.transport.unregisterProducer()

    def _read_expired(self) -> None:
        if self._lingering:
            self.loseConnection()
        elif self._decoder is not None:
            self._spoil(_LATE_BODY)
        elif self._reader.begun:
            self.site.log_refusal(self.address, _LATE_HEAD)
            self.write(_LATE_HEAD.answer())
            self.loseConnection()
        elif self.ahead or _unsent(self.transport):
            # Not idle: it was answered by the lane meanwhile, or is still taking the last answer.
            self.ahead = self._first = False
            self._await_request()
        else:
            self.loseConnection()

    def _write_expired(self) -> None:
        unsent = _unsent(self.transport)
        if not (unsent or self._blocked or self._closing):
            return
        sent = self._written - unsent
        # Our kernel takes megabytes at once, and then nothing for long: of a slow client that says little.
        transport = bare(self.transport)
        taken = sent if transport is None else self._written - transport.untaken
        wanted = self._limits.body_rate * self._limits.write_stall
        if sent - self._mark < wanted and (self._taken is None or taken - self._taken < wanted):
            self.abort()
        else:
            self._mark, self._taken = sent, taken
            self._writing.set(self._limits.write_stall)


def _decoder(head: Head, limits: Limits) -> Fixed | Chunked | None:
    if head.length is None:
        return Chunked(limits)
    return Fixed(head.length) if head.length else None


def _unsent(transport: Any) -> int:
    """Bytes written but not yet taken by the kernel; 0 for a transport that does not say."""
    if isinstance(transport, EagerServer):
        return transport.unsent
    while not hasattr(transport, "dataBuffer"):
        transport = getattr(transport, "transport", None)
        if transport is None:
            return 0
    return int(len(transport.dataBuffer) - transport.offset + transport._tempDataLen)


def _fields(rejected: Rejected) -> dict[str, object]:
    return {"status": rejected.status, "sentence": rejected.sentence}
