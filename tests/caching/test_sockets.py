"""A set of sockets: what a reactor does for its descriptors, done for all of them at one descriptor."""

from __future__ import annotations

import os
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from attrs import define
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableDescriptor, IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer
from zope.interface.verify import verifyObject

from caching.sockets import BATCH, PAUSE, TURN, SocketSet, socket_set
from tests.caching.turns import eventually, turns
from tests.http.memory import errors_logged

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="there is no epoll on this system")
reactor: Any = global_reactor


class Member:
    """One end of a connection; notes what it is told.

    Attributes:
        other: the other end.
        on_read, on_write: what to do instead of reading and writing; what they return says why to close.
    """

    def __init__(self, sockets: SocketSet) -> None:
        self.sockets = sockets
        self.socket, self.other = socket.socketpair()
        self.socket.setblocking(False)
        self.told: list[object] = []
        self.on_read: Callable[[], Any] = self._receive
        self.on_write: Callable[[], Any] = lambda: sockets.removeWriter(self)

    def _receive(self) -> Any:
        data = self.socket.recv(100)
        self.told.append(data)
        return None if data else ConnectionDone()

    def fileno(self) -> int:
        return self.socket.fileno()

    def doRead(self) -> Any:
        return self.on_read()

    def doWrite(self) -> Any:
        self.told.append("writable")
        return self.on_write()

    def connectionLost(self, reason: Failure) -> None:
        self.told.append(reason.type)
        self.sockets.removeReader(self)
        self.sockets.removeWriter(self)
        self.close()

    def close(self) -> None:
        self.socket.close()
        self.other.close()


@implementer(IHalfCloseableDescriptor)
class HalfCloseable(Member):
    """One that may go on writing when the other end writes no more."""

    def readConnectionLost(self, reason: Failure) -> None:
        self.told.append("half")


class Crowd:
    """A set and its members."""

    def __init__(self) -> None:
        self.sockets = SocketSet(reactor)
        self.members: list[Member] = []

    def join(self, kind: type[Member] = Member, *, reading: bool = True) -> Member:
        member = kind(self.sockets)
        self.members.append(member)
        if reading:
            self.sockets.addReader(member)
        return member


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    made = Crowd()
    yield made
    for member in made.members:
        made.sockets.removeReader(member)
        made.sockets.removeWriter(member)
        member.close()
    made.sockets.retire()
    assert made.sockets.fileno() == -1
    assert made.sockets not in reactor.getReaders()


async def test_what_it_looks_like(crowd: Crowd) -> None:
    """It is a reactor's set of descriptors to its sockets, and a descriptor to the reactor."""
    assert verifyObject(IReactorFDSet, crowd.sockets)
    assert verifyObject(IReadDescriptor, crowd.sockets)
    assert crowd.sockets in reactor.getReaders()
    assert crowd.sockets.seconds == reactor.seconds
    called: Deferred[None] = Deferred()
    crowd.sockets.callLater(0, called.callback, None)
    await called


async def test_without_epoll(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no epoll the reactor itself does it."""
    monkeypatch.delattr(select, "epoll")
    assert socket_set(reactor) is reactor


async def test_reading(crowd: Crowd) -> None:
    """A socket is told when bytes are there, as long as it wants to know, and again if it left some."""
    member = crowd.join()
    assert crowd.sockets.getReaders() == [member]
    member.other.send(b"x" * 150)
    await eventually(lambda: len(member.told) == 2)
    assert member.told == [b"x" * 100, b"x" * 50]
    crowd.sockets.removeReader(member)
    member.other.send(b"later")
    await turns()
    assert len(member.told) == 2
    crowd.sockets.addReader(member)
    await eventually(lambda: len(member.told) == 3)


async def test_writing(crowd: Crowd) -> None:
    """A socket is told when there is room, until it wants to know no more; reading is not disturbed."""
    member = crowd.join()
    crowd.sockets.addWriter(member)
    crowd.sockets.addWriter(member)
    assert crowd.sockets.getWriters() == [member]
    await turns()
    assert member.told == ["writable"]
    assert (crowd.sockets.getReaders(), crowd.sockets.getWriters()) == ([member], [])
    member.other.send(b"x")
    await eventually(lambda: member.told == ["writable", b"x"])
    crowd.sockets.removeReader(member)
    crowd.sockets.addWriter(member)
    await eventually(lambda: len(member.told) == 3)
    assert crowd.sockets.getWriters() == []


async def test_reading_comes_before_writing(crowd: Crowd) -> None:
    """Of a socket that is ready for both, what has arrived is taken first."""
    member = crowd.join()
    member.other.send(b"x")
    crowd.sockets.addWriter(member)
    await eventually(lambda: len(member.told) == 2)
    assert member.told == [b"x", "writable"]


async def test_end_of_input(crowd: Crowd) -> None:
    """The other end closes: the connection is lost cleanly, or by half for those that can bear it."""
    whole, half = crowd.join(), crowd.join(HalfCloseable)
    whole.other.shutdown(socket.SHUT_WR)
    half.other.shutdown(socket.SHUT_WR)
    await eventually(lambda: len(whole.told) == len(half.told) == 2)
    assert (whole.told, half.told) == ([b"", ConnectionDone], [b"", "half"])
    assert crowd.sockets.getReaders() == []
    crowd.sockets.addWriter(half)
    await eventually(lambda: half.told[-1] == "writable")


async def test_other_end_gone_while_writing_only(crowd: Crowd) -> None:
    """A socket that does not read, and whose other end is gone, has lost its connection."""
    member = crowd.join(reading=False)
    member.on_write = lambda: None
    crowd.sockets.addWriter(member)
    member.other.close()
    await eventually(lambda: ConnectionLost in member.told)
    assert crowd.sockets.getWriters() == []


async def test_doing_says_why_to_close(crowd: Crowd) -> None:
    """What reading or writing returns closes the socket with that reason."""
    lost, wrote = crowd.join(), crowd.join(reading=False)
    lost.on_read = wrote.on_write = ConnectionLost
    lost.other.send(b"x")
    crowd.sockets.addWriter(wrote)
    await eventually(lambda: lost.told and len(wrote.told) == 2)
    assert (lost.told, wrote.told) == ([ConnectionLost], ["writable", ConnectionLost])


async def test_failures_stay_where_they_are(crowd: Crowd) -> None:
    """A socket that raises loses its connection, with its error, logged once; its neighbours are served."""

    def fail() -> None:
        raise ZeroDivisionError

    bad, worse, good, also_bad = (crowd.join() for _ in range(4))
    bad.on_read = worse.on_read = also_bad.on_write = fail
    worse.connectionLost = lambda reason: fail()  # type: ignore[method-assign]
    crowd.sockets.addWriter(also_bad)
    with errors_logged() as errors:
        for member in (bad, worse, good):
            member.other.send(b"x")
        await eventually(lambda: good.told and bad.told and len(also_bad.told) == 2)
    assert bad.told == [ZeroDivisionError]
    assert also_bad.told == ["writable", ZeroDivisionError]
    assert good.told == [b"x"]
    assert len(errors) == 4
    assert crowd.sockets.getReaders() == [good]


async def test_closed_by_a_neighbour(crowd: Crowd) -> None:
    """A socket closed, or told to pause, while its event waits in the same batch is left alone."""
    members = [crowd.join() for _ in range(3)]

    def close_the_others(member: Member) -> Callable[[], None]:
        def act() -> None:
            member._receive()
            for other in members:
                if other is not member:
                    crowd.sockets.removeReader(other)
                    other.socket.close()

        return act

    for member in members:
        member.on_read = close_the_others(member)
    for member in members:
        member.other.send(b"x")
    await turns()
    assert sorted(len(member.told) for member in members) == [0, 0, 1]


@define
class InOrder:
    """An epoll whose first batch is given."""

    epoll: Any
    batch: list[tuple[int, int]]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.epoll, name)

    def poll(self, timeout: float, most: int) -> list[tuple[int, int]]:
        batch, self.batch = self.batch, []
        return batch or self.epoll.poll(timeout, most)


async def test_timed_calls_come_first_after_a_halt(crowd: Crowd) -> None:
    """Where long nothing happened, what is ready waits for one turn; and not for a second one."""
    now = 0.0
    crowd.sockets._seconds = lambda: now
    crowd.sockets._turned = 0.0
    one = crowd.join()
    one.other.send(b"x")
    now = PAUSE + 0.5
    crowd.sockets.doRead()
    assert one.told == []
    crowd.sockets.doRead()
    assert one.told == [b"x"]


async def test_number_used_again(crowd: Crowd) -> None:
    """A new socket does not suffer for what happened to the one that had its number, in the same batch."""
    first, second = crowd.join(), crowd.join(reading=False)
    born: list[Member] = []

    def replace() -> None:
        first.socket.recv(100)
        number = second.fileno()
        second.connectionLost(Failure(ConnectionDone()))
        newcomer = Member(crowd.sockets)
        replacement = socket.socket(fileno=os.dup2(newcomer.socket.detach(), number))
        newcomer.socket = replacement
        crowd.members.append(newcomer)
        crowd.sockets.addReader(newcomer)
        born.append(newcomer)

    first.on_read = replace
    first.other.send(b"x")
    second.other.close()
    crowd.sockets.addWriter(second)
    in_order = sorted(crowd.sockets._epoll.poll(0), key=lambda event: event[0] != first.fileno())
    assert len(in_order) == 2
    crowd.sockets._epoll = InOrder(crowd.sockets._epoll, in_order)
    for _ in range(2):  # of which one may be left to the reactor's timed calls
        crowd.sockets.doRead()
    assert born
    await turns()
    assert born[0].told == []
    born[0].other.send(b"hello")
    await eventually(lambda: born[0].told == [b"hello"])


async def test_closed_without_a_word(crowd: Crowd) -> None:
    """A socket that was closed without being removed makes room for the next with its number."""
    careless = crowd.join()
    number = careless.fileno()
    careless.socket.close()
    careful = Member(crowd.sockets)
    crowd.members.append(careful)
    if careful.fileno() != number:
        careful.socket = socket.socket(fileno=os.dup2(careful.socket.detach(), number))
    crowd.sockets.addReader(careful)
    careful.other.send(b"x")
    await eventually(lambda: careful.told == [b"x"])


async def test_nobody_starves(crowd: Crowd) -> None:
    """Sockets that are always ready let the others, and the rest of the reactor, have their turn."""
    busy = [crowd.join() for _ in range(2 * BATCH)]
    for member in busy:
        member.on_read = lambda member=member: member.told.append(1)  # type: ignore[misc]
        member.other.send(b"x")
    await turns(20)
    counts = [len(member.told) for member in busy]
    assert min(counts) >= 3
    late = crowd.join()
    late.other.send(b"hello")
    await turns(20)
    assert late.told == [b"hello"]


async def test_what_comes_meanwhile(crowd: Crowd) -> None:
    """What comes while others are served is served in the same turn, unless that has taken long already."""
    first, second = crowd.join(), crowd.join()
    now = [0.0, 0.0]
    crowd.sockets._seconds = lambda: now[0]

    def answer() -> None:
        first.told.append(first.socket.recv(100))
        second.other.send(b"second")
        now[0] += now[1]

    first.on_read = answer
    first.other.send(b"first")
    crowd.sockets.doRead()
    assert (first.told, second.told) == ([b"first"], [b"second"])
    now[1] = 2 * TURN
    first.other.send(b"again")
    crowd.sockets.doRead()
    assert (first.told[1:], second.told[1:]) == ([b"again"], [])
    crowd.sockets.doRead()
    assert second.told[1:] == [b"second"]


async def test_a_turn_is_bounded(crowd: Crowd) -> None:
    """Sockets that are always ready are served so many times together before the reactor goes on."""
    crowd.sockets._seconds = lambda: 0.0
    busy = [crowd.join() for _ in range(3)]
    for member in busy:
        member.on_read = lambda member=member: member.told.append(1)  # type: ignore[misc]
        member.other.send(b"x")
    crowd.sockets.doRead()
    assert sum(len(member.told) for member in busy) == BATCH


async def test_all_leave_within_a_turn(crowd: Crowd) -> None:
    """A set that retires may lose its last socket while it serves."""
    only = crowd.join()
    crowd.sockets.retire()
    only.on_read = ConnectionDone
    only.other.send(b"x")
    crowd.sockets.doRead()
    assert only.told == [ConnectionDone]
    assert crowd.sockets.fileno() == -1


async def test_all_removed_and_the_reactor_stopped(crowd: Crowd) -> None:
    """When the reactor gives up its descriptors, every socket of the set loses its connection."""
    members = [crowd.join() for _ in range(3)]
    crowd.sockets.addWriter(members[0])
    reactor.removeReader(crowd.sockets)
    crowd.sockets.connectionLost(Failure(ConnectionLost()))
    assert [member.told for member in members] == [[ConnectionLost]] * 3


async def test_retiring(crowd: Crowd) -> None:
    """A set that retires goes with its last socket, and comes back for one that had only paused."""
    staying, pausing = crowd.join(), crowd.join()
    crowd.sockets.retire()
    crowd.sockets.removeReader(pausing)
    assert crowd.sockets in reactor.getReaders()
    crowd.sockets.removeReader(staying)
    assert crowd.sockets not in reactor.getReaders()
    crowd.sockets.addReader(pausing)
    pausing.other.send(b"x")
    await eventually(lambda: pausing.told == [b"x"])
