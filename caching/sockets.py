"""A set of sockets that is one descriptor to the reactor, so that events cost less than one by one.

The stock reactors wrap every event in a logging context, which costs about as much as answering a hot page
does. Here the reactor is told once per turn that *some* socket is ready, and a second epoll says which. Only
public interfaces of the reactor are used, so any reactor that watches descriptors will do. Linux only
(``select.epoll``); ``socket_set`` answers with the reactor itself where there is none.

What leans on Twisted's private parts is listed in ``tests/caching/test_twisted_contract.py``.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import select
from typing import Any

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.posixbase import _DisconnectSelectableMixin
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

BATCH = 64
"""Most sockets served before the reactor comes to its other descriptors and its timed calls."""

TURN = 0.0005
"""Seconds within which it is asked again who is ready, before the reactor has its turn."""

PAUSE = 1.0
"""Seconds without any event after which the reactor's timed calls come first: this process may have been
halted, and they know better what it may still say."""

_IN, _OUT = 1, 4
_GONE = 8 | 16
"""EPOLLIN, EPOLLOUT, EPOLLERR | EPOLLHUP: epoll(7); the module need not have the names."""

log = Logger()


def socket_set(reactor: Any) -> Any:
    """A ``SocketSet`` in this reactor, or the reactor itself where there can be none."""
    return SocketSet(reactor) if hasattr(select, "epoll") else reactor


@implementer(IReactorFDSet, IReadDescriptor)
class SocketSet(_DisconnectSelectableMixin):
    """Looks like a reactor to its sockets, and like one of its sockets to the reactor.

    Events are level-triggered, at most ``BATCH`` are handled per turn, and the kernel lets those that had to
    wait come first next time. What a socket raises is logged and costs that socket its connection, as with
    any reactor; the others do not notice.

    Args:
        reactor: the real one, which also does everything that is not about descriptors (``callLater`` …).
    """

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self._members: dict[int, Any] = {}
        self._wanted: dict[int, int] = {}
        self._readers: dict[int, Any] = {}  # those members that want to read, and nothing else
        self._places: dict[Any, int] = {}
        self._fresh: set[int] = set()
        self._retiring = False
        self._seconds = reactor.seconds
        self._turned = self._seconds()
        self._open()

    def __repr__(self) -> str:
        return f"<SocketSet {len(self._members)} sockets>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reactor, name)

    def retire(self) -> None:
        """Leave the reactor as soon as no socket is left."""
        self._retiring = True
        self._leave_if_done()

    # To its sockets: a reactor.

    def addReader(self, reader: Any) -> None:
        self._want(reader, _IN)

    def addWriter(self, writer: Any) -> None:
        self._want(writer, _OUT)

    def removeReader(self, reader: Any) -> None:
        self._want_no_more(reader, _IN)

    def removeWriter(self, writer: Any) -> None:
        self._want_no_more(writer, _OUT)

    def removeAll(self) -> list[Any]:
        """Forget all sockets; which they were."""
        members = list(self._members.values())
        for fd in list(self._members):
            self._forget(fd)
        return members

    def getReaders(self) -> list[Any]:
        return [self._members[fd] for fd, wanted in self._wanted.items() if wanted & _IN]

    def getWriters(self) -> list[Any]:
        return [self._members[fd] for fd, wanted in self._wanted.items() if wanted & _OUT]

    def _want(self, member: Any, event: int) -> None:
        fd = self._places.get(member)
        if fd is None:
            self._take_in(member, event)
        elif not self._wanted[fd] & event:
            self._epoll.modify(fd, self._wanted[fd] | event)
            self._set(fd, self._wanted[fd] | event)

    def _take_in(self, member: Any, event: int) -> None:
        if self._epoll.closed:  # a socket that paused was not in the set when the last one left it
            self._open()
        fd = member.fileno()
        if fd in self._members:  # closed by somebody who did not say so; the number is another socket's now
            self._forget(fd)
        self._epoll.register(fd, event)
        self._members[fd], self._places[member] = member, fd
        self._set(fd, event)
        self._fresh.add(fd)

    def _set(self, fd: int, wanted: int) -> None:
        self._wanted[fd] = wanted
        if wanted == _IN:
            self._readers[fd] = self._members[fd]
        else:
            self._readers.pop(fd, None)

    def _want_no_more(self, member: Any, event: int) -> None:
        fd = self._places.get(member)
        if fd is None or not self._wanted[fd] & event:
            return
        left = self._wanted[fd] & ~event
        if left:
            self._epoll.modify(fd, left)
            self._set(fd, left)
        else:
            self._forget(fd)
            self._leave_if_done()

    def _forget(self, fd: int) -> None:
        member = self._members.pop(fd)
        del self._wanted[fd], self._places[member]
        self._readers.pop(fd, None)
        try:
            self._epoll.unregister(fd)
        except OSError:  # it was closed before it was removed, and epoll has dropped it by itself
            return

    # To the reactor: a descriptor.

    def fileno(self) -> int:
        """Of the second epoll; -1 when it is closed."""
        return -1 if self._epoll.closed else int(self._epoll.fileno())

    def logPrefix(self) -> str:
        return "sockets"

    def doRead(self) -> None:
        before, self._turned = self._turned, self._seconds()
        if self._turned - before > PAUSE:
            return  # what is ready stays so, and the reactor asks again
        left, until = BATCH, self._turned + TURN
        # A turn of the reactor costs as much as an answer: what comes meanwhile is served in this one, too.
        while events := self._epoll.poll(0, left):
            self._serve_all(events)
            left -= len(events)
            if left <= 0 or self._epoll.closed or self._seconds() > until:
                return

    def _serve_all(self, events: list[tuple[int, int]]) -> None:
        fresh, readers = self._fresh, self._readers
        fresh.clear()
        for fd, event in events:
            member = readers.get(fd)
            if member is None or event != _IN or (fresh and fd in fresh):
                self._serve(fd, event)
                continue
            # What ``_serve`` does, short, for nearly all events.
            reading = True
            try:
                why = member.doRead()
            except BaseException as error:
                why, reading = error, False
                log.failure("{member} failed", member=member)
            if why:
                self._drop(member, why, reading)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor stops: so do all sockets."""
        for member in self.removeAll():
            try:
                member.connectionLost(reason)
            except BaseException:
                log.failure("{member} could not be closed", member=member)
        self._close()

    def _serve(self, fd: int, event: int) -> None:
        """Tell a socket what happened, and close it where that went wrong, as Twisted's reactors do it."""
        # A number that was closed and taken again meanwhile has no event yet; it comes again if it has.
        member = self._members.get(fd)
        if member is None or fd in self._fresh:
            return
        wanted = self._wanted[fd]
        reading = False
        why: BaseException | None = None
        if event & _GONE and not event & _IN:
            reading = bool(wanted & _IN)
            why = CONNECTION_DONE if reading else CONNECTION_LOST
        else:
            try:
                if event & _IN & wanted:
                    why = member.doRead()
                    reading = True
                if not why and event & _OUT and self._wants(member, _OUT):
                    reading = False
                    why = member.doWrite()
            except BaseException as error:
                why = error
                log.failure("{member} failed", member=member)
        if why:
            self._drop(member, why, reading)

    def _wants(self, member: Any, event: int) -> bool:
        fd = self._places.get(member)
        return fd is not None and bool(self._wanted[fd] & event)

    def _drop(self, member: Any, why: BaseException, reading: bool) -> None:
        try:
            self._disconnectSelectable(member, why, reading)
        except BaseException:
            log.failure("{member} could not be closed", member=member)

    def _open(self) -> None:
        self._epoll = select.epoll()
        self.reactor.addReader(self)

    def _leave_if_done(self) -> None:
        if self._retiring and not self._members:
            self._close()

    def _close(self) -> None:
        if not self._epoll.closed:
            self.reactor.removeReader(self)
            self._epoll.close()
