"""TCP connections that send at once, and send files by the kernel.

``EagerServer`` is Twisted's own transport with two further ways to write, which a protocol may or may not
use; everything else about it is the same, and the same code. ``EagerPort`` is a listening port whose
connections are such, watched by a ``SocketSet`` where there can be one.

What leans on Twisted's private parts is listed in ``tests/caching/test_twisted_contract.py``.
"""

# mypy: allow-untyped-calls, allow-any-generics

from __future__ import annotations

import errno
import fcntl
import os
import socket
import sys
import termios
from typing import Any

from twisted.internet import tcp
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.python.failure import Failure

from caching.sendfile import FileCut, ReadAhead, Sending
from caching.sockets import SocketSet, socket_set

TURN = 4 << 20
"""Most bytes of a file handed to the kernel in one event, for the sake of the other connections."""

LARGE = 1 << 17
"""Bytes from which a piece is not copied while it waits: what Twisted sends at a time, or more."""

READ = 1 << 16
"""Most bytes read in one event."""

_PIECES = 64
"""More pieces than these are joined before they are sent."""

_LATER = frozenset({errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM, errno.EINTR})
_HUNG_UP = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ETIMEDOUT, errno.ENOTCONN, errno.EHOSTUNREACH})


class EagerServer(tcp.Server):
    """One accepted connection.

    Attributes:
        sent_of_file: bytes the kernel has taken of the file sent last, or being sent.
    """

    server: EagerPort
    sent_of_file = 0
    _sending: Sending | None = None

    @property
    def unsent(self) -> int:
        """Bytes written, or of a file being sent, that the kernel has not taken."""
        waiting: int = len(self.dataBuffer) - self.offset + self._tempDataLen
        return waiting if self._sending is None else waiting + self._sending.unsent

    @property
    def untaken(self) -> int:
        """Bytes the other end's system has not acknowledged, ``unsent`` among them (SIOCOUTQ of tcp(7))."""
        if not self.connected:
            return self.unsent
        try:
            queued = fcntl.ioctl(self.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
        except OSError:
            return self.unsent
        return self.unsent + int.from_bytes(queued, sys.byteorder)

    def send_now(self, first: bytes, *more: bytes) -> bool:
        """Write, by the socket and at once where nothing waits to be written.

        What the kernel does not take is written the ordinary way, which also meets the end of the connection,
        if that is the reason: nothing is raised here.

        Returns:
            whether the kernel took all of it.
        """
        # What ``_may_send`` says, without the price of asking: this is half of what a hot page costs.
        if (
            self._tempDataLen
            or self.dataBuffer
            or self._sending is not None
            or not self.connected
            or self._aborting
            or self._writeDisconnected
            or self._writeDisconnecting
            or self.TLS
        ):
            self.writeSequence((first, *more))
            return False
        try:
            if not more:
                sent = self.socket.send(first)
                if sent == len(first):
                    return True
                pieces: tuple[bytes, ...] = (first,)
            else:
                pieces = (first, *more) if len(more) < _PIECES else (b"".join((first, *more)),)
                sent = self.socket.sendmsg(pieces)
        except OSError:
            pieces, sent = (first, *more), 0
        for piece in pieces:
            if sent < len(piece):
                self._leave(piece, sent)
            sent = max(0, sent - len(piece))
        return not (self._tempDataLen or self.dataBuffer)

    def write(self, data: bytes) -> None:
        """Write; a large piece is sent as it is, and what the kernel does not take of it is not copied."""
        if len(data) < LARGE or self.dataBuffer or self._sending is not None or not self._may_send():
            super().write(data)
        else:
            before = self._tempDataBuffer
            self._tempDataBuffer, self._tempDataLen = [], 0
            self.send_now(*before, data)

    def _leave(self, piece: bytes, sent: int) -> None:
        """Leave to the ordinary way what the kernel has not taken of a piece.

        That way joins all that waits into one new buffer. Of a large piece many clients would each have a
        copy, for as long as they like, so it is the buffer itself.
        """
        if len(piece) - sent < LARGE or self._tempDataLen or self.dataBuffer:
            super().write(piece[sent:] if sent else piece)
        else:
            self.dataBuffer, self.offset = piece, sent
            self._maybePauseProducer()
            self.startWriting()

    def send_page(self, head: bytes, file: int, size: int) -> Deferred[None] | None:
        """Send a head and a whole file that is in memory, at once where nothing waits to be written.

        Returns:
            ``None`` if the kernel took all of it; else as ``send_file``.
        """
        taken = sent = 0
        if self._may_send() and not (self._tempDataLen or self.dataBuffer or self._sending):
            try:
                taken = self.socket.send(head, socket.MSG_MORE)
                if taken == len(head):
                    sent = os.sendfile(self.socket.fileno(), file, 0, size)
            except OSError:
                pass  # met again, and dealt with, when the rest is sent
            if sent == size:
                return None
        sending = self.send_file(file, sent, size - sent, head[taken:], at_hand=True)
        self.sent_of_file += sent
        return sending

    def send_file(
        self, file: int, offset: int, count: int, head: bytes = b"", *, at_hand: bool = False
    ) -> Deferred[None]:
        """Send a part of a file behind everything that is written; whatever is written next waits for it.

        Args:
            file: a descriptor, the caller's to close, but not before the ``Deferred`` fires.
            offset, count: bytes of it.
            head: bytes to be sent before it.
            at_hand: whether it is known to be in memory.

        Returns:
            fires when the kernel has all of it. Cancelling it closes the connection, for nobody shall take a
            part for the whole.

        Raises (from the ``Deferred``):
            FileCut: the file is shorter; the connection is closed.
            OSError: the file cannot be read; the connection is closed.
            ConnectionDone, ConnectionLost, ConnectionAborted: the connection was closed.
        """
        if self.TLS or self._sending is not None:
            raise RuntimeError("a file goes over plain TCP, and one after another")
        self.sent_of_file = 0
        done: Deferred[None] = Deferred(lambda _: self._give_up())
        if not self.connected or self._writeDisconnected or self._writeDisconnecting:
            done.errback(ConnectionDone())
            return done
        if not count:
            self.write(head)
            return succeed(None)
        self._sending = sending = Sending(
            head=self._take_buffers(head),
            file=file,
            offset=offset,
            left=count,
            done=done,
            ready_to=offset + count if at_hand else 0,
        )
        # It goes out with what is written before it; errors are met again, and dealt with, in doWrite.
        if self._is_open():
            self._send_file(sending)
        if self._sending is sending and not sending.warming and self._is_open():
            self.startWriting()
        return done

    def doRead(self) -> Any:
        """Hand what has arrived to the protocol."""
        try:
            data = self.socket.recv(READ)
        except BlockingIOError:
            return None
        except OSError:
            return CONNECTION_LOST
        if not data:
            return CONNECTION_DONE
        self.protocol.dataReceived(data)  # type: ignore[call-arg, misc]
        return None

    def doWrite(self) -> Any:
        """Write what waits: buffers, or those before the file being sent, and the file."""
        sending = self._sending
        if sending is not None:
            why = self._send_file(sending)
            if why or self._is_sending() or not self._is_open():
                return why
        return super().doWrite()

    def connectionLost(self, reason: Failure) -> None:
        """Tell the protocol, and whoever waits for a file to be sent."""
        sending, self._sending = self._sending, None
        super().connectionLost(reason)
        self._forget_buffers()
        if sending is not None:
            sending.fail(reason)

    def _may_send(self) -> bool:
        """Whether bytes may go to the socket: it is open, and nothing encrypts them."""
        return self._is_open() and not (self._writeDisconnected or self._writeDisconnecting or self.TLS)

    def _is_open(self) -> bool:
        return bool(self.connected) and not self._aborting

    def _is_sending(self) -> bool:
        return self._sending is not None

    def _take_buffers(self, more: bytes) -> memoryview:
        """Everything that waits to be written, which is then nobody's but the caller's, and ``more``."""
        waiting = memoryview(
            b"".join([memoryview(self.dataBuffer)[self.offset :], *self._tempDataBuffer, more])
        )
        self._forget_buffers()
        return waiting

    def _forget_buffers(self) -> None:
        self.dataBuffer, self.offset = b"", 0
        self._tempDataBuffer, self._tempDataLen = [], 0

    def _send_file(self, sending: Sending) -> BaseException | None:
        """Send what the kernel takes and the turn allows; what is wrong with the connection, if anything."""
        try:
            if sending.head:
                sent = self.socket.send(sending.head, socket.MSG_MORE)
                sending.head = sending.head[sent:]
            if not sending.head:
                self._send_pieces(sending)
        except FileCut as error:
            self._break_off(sending, error)
        except OSError as error:
            if error.errno in _HUNG_UP:
                return CONNECTION_LOST
            if error.errno not in _LATER:
                self._break_off(sending, error)
        return None

    def _send_pieces(self, sending: Sending) -> None:
        allowed = TURN
        while sending.left and allowed > 0:
            if sending.warming or not sending.is_at_hand():
                self._read_ahead(sending)
                return
            wanted = sending.piece
            sent = os.sendfile(self.fileno(), sending.file, sending.offset, wanted)
            if not sent:
                raise FileCut(f"the file ends {sending.left} bytes too soon")
            sending.offset += sent
            sending.left -= sent
            self.sent_of_file += sent
            allowed = allowed - sent if sent == wanted else 0
        if not sending.left:
            self._sending = None
            if not sending.done.called:
                sending.done.callback(None)

    def _read_ahead(self, sending: Sending) -> None:
        self.stopWriting()
        if not sending.warming:
            sending.warming = True
            self.server.read_ahead.fetch(
                sending.file, sending.offset, sending.piece, lambda: self._has_read(sending)
            )

    def _has_read(self, sending: Sending) -> None:
        sending.warming = False
        sending.ready_to = sending.offset + sending.piece
        if self._sending is sending and self._is_open():
            self.startWriting()

    def _break_off(self, sending: Sending, error: BaseException) -> None:
        self._sending = None
        self.abortConnection()
        sending.fail(error)

    def _give_up(self) -> None:
        self._sending = None
        self.abortConnection()


class EagerPort(tcp.Port):
    """A listening port with such connections.

    Attributes:
        read_ahead: the threads its connections share.
    """

    transport = EagerServer
    read_ahead: ReadAhead

    @classmethod
    def adopt(cls, reactor: Any, fileno: int, family: int, factory: Any) -> Any:
        """Listen on a socket that is bound and listening, as ``reactor.adoptStreamPort`` does.

        Args:
            reactor: the real one.
            fileno: of the socket; it is duplicated, so the caller closes its own.
            family: the socket's. Other than TCP it is left to the reactor.

        Returns:
            an ``IListeningPort``.
        """
        if family not in (socket.AF_INET, socket.AF_INET6):
            return reactor.adoptStreamPort(fileno, family, factory)
        port = cls._fromListeningDescriptor(socket_set(reactor), fileno, family, factory)
        port.read_ahead = ReadAhead(reactor)
        port.startListening()
        return port

    def connectionLost(self, reason: Failure) -> None:
        """Stop listening; the connections go on."""
        super().connectionLost(reason)
        self.read_ahead.close()
        if isinstance(self.reactor, SocketSet):
            self.reactor.retire()


def bare(transport: Any) -> EagerServer | None:
    """This transport, if it has the further ways to write, and nothing encrypts what is written.

    A wrapper around a transport, such as TLS, shows that one's attributes as its own. So it is not enough to
    look for a method: what it sends would go past the encryption.
    """
    if isinstance(transport, EagerServer) and not transport.TLS:
        return transport
    return None
