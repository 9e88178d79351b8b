"""What ``caching.sockets`` and ``caching.transport`` lean on in Twisted beyond its documented interfaces.

Each test states one assumption, so that a new Twisted which breaks it says which, before a user does.
"""

from __future__ import annotations

import inspect
import socket
from typing import Any

from twisted.internet import abstract, posixbase, tcp
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory
from twisted.protocols.policies import ProtocolWrapper

from caching.transport import EagerPort, EagerServer


class Watch:
    """A reactor that watches nothing, and notes who asks."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args: self.asked.append(name)


def descriptor() -> Any:
    made: Any = abstract.FileDescriptor(reactor=Watch())  # type: ignore[arg-type]
    made.connected = 1
    return made


def test_buffers_of_a_transport() -> None:
    """What is unsent is in four attributes, and empty ones mean that nothing waits."""
    one = descriptor()
    assert (one.dataBuffer, one.offset, one._tempDataBuffer, one._tempDataLen) == (b"", 0, [], 0)
    one.write(b"hello")
    one.writeSequence([b"a", b"b"])
    assert (one.dataBuffer, one._tempDataBuffer, one._tempDataLen) == (b"", [b"hello", b"a", b"b"], 7)
    one.writeSomeData = lambda data: 3
    one.doWrite()
    assert (one.dataBuffer, one.offset, one._tempDataBuffer, one._tempDataLen) == (b"helloab", 3, [], 0)
    one.writeSomeData = lambda data: len(data)
    one.doWrite()
    assert (one.dataBuffer, one.offset, one._tempDataLen) == (b"", 0, 0)


def test_writing_nothing_ends_writing() -> None:
    """``doWrite`` with empty buffers stops writing, resumes a paused producer, and closes where asked to."""
    one = descriptor()
    one.writeSomeData = len
    assert one.doWrite() is None
    assert one.reactor.asked == ["removeWriter"]
    one.disconnecting = 1
    assert isinstance(one.doWrite(), ConnectionDone)


def test_states_of_a_transport() -> None:
    """A transport that is open, closing, half-closing, half-closed, aborting or under TLS says so."""
    one = descriptor()
    states = (one.connected, one.disconnected, one.disconnecting)
    assert states == (1, 0, 0)
    assert (one._writeDisconnecting, one._writeDisconnected) == (False, False)
    one.loseWriteConnection()
    assert one._writeDisconnecting
    assert (tcp.Server._aborting, tcp.Server.TLS) == (False, False)
    for source, flag in [
        (tcp.Server.abortConnection, "self._aborting = True"),
        (tcp.Server.abortConnection, "self.doWrite = lambda"),
        (tcp.Server.write, "if self.TLS:"),
        (abstract.FileDescriptor.doWrite, "self._writeDisconnected = True"),
    ]:
        assert flag in inspect.getsource(source)


def test_reading_is_what_we_replace() -> None:
    """``doRead`` receives, and hands on or says how the connection ended; there is nothing else in it."""
    source = inspect.getsource(tcp.Connection.doRead).rpartition('"""')[2]
    assert (
        source.split()
        == (
            "try: data = self.socket.recv(self.bufferSize) except OSError as se: "
            "if se.args[0] == EWOULDBLOCK: return None else: return main.CONNECTION_LOST "
            "return self._dataReceived(data)"
        ).split()
    )
    source = inspect.getsource(tcp.Connection._dataReceived).partition("\n")[2]
    assert (
        source.split()
        == ("if not data: return main.CONNECTION_DONE self.protocol.dataReceived(data) return None").split()
    )


OURS = {"doRead", "doWrite", "write", "connectionLost", "__annotations__", "__implemented__", "__provides__"}
"""The last three are not ours: Python and zope.interface put them there."""


def test_which_methods_are_ours() -> None:
    """Of the transport only reading, writing and losing are replaced, of the port only losing."""
    stock = {name for base in tcp.Server.__mro__ for name in vars(base)} - {"__module__", "__doc__"}
    assert set(vars(EagerServer)) & stock <= OURS
    stock = {name for base in tcp.Port.__mro__ for name in vars(base)} - {"__module__", "__doc__"}
    assert set(vars(EagerPort)) & stock <= {"transport", "connectionLost", "__annotations__"}


def test_ports_adopt_sockets() -> None:
    """``Port._fromListeningDescriptor`` duplicates a socket, and ``startListening`` listens with it."""
    asked = list(inspect.signature(tcp.Port._fromListeningDescriptor).parameters)
    assert asked == ["reactor", "fd", "addressFamily", "factory"]
    listening = socket.create_server(("127.0.0.1", 0))
    watch: Any = Watch()
    port = tcp.Port._fromListeningDescriptor(watch, listening.fileno(), socket.AF_INET, Factory())
    listening.close()
    port.startListening()
    assert watch.asked == ["addReader"]
    assert port.getHost().port
    port.connectionLost(None)


def test_ports_make_transports() -> None:
    """A port makes each connection by ``self.transport``, watched by the port's own reactor."""
    source = inspect.getsource(tcp.Port.doRead)
    assert "".join(source.split()).count("self.transport(skt,protocol,addr,self,s,self.reactor)") == 1


def test_disconnecting() -> None:
    """``_disconnectSelectable`` is a mix-in that needs only the set's own methods."""
    told: list[object] = []

    class Selectable:
        def connectionLost(self, reason: Any) -> None:
            told.append(reason.type)

    class Set(posixbase._DisconnectSelectableMixin):
        def removeReader(self, one: object) -> None:
            told.append("reader")

        def removeWriter(self, one: object) -> None:
            told.append("writer")

    made: Any = Set()
    made._disconnectSelectable(Selectable(), ConnectionLost(), False)
    made._disconnectSelectable(Selectable(), ZeroDivisionError(), True)
    assert told == ["reader", "writer", ConnectionLost, "reader", "writer", ZeroDivisionError]


def test_events_are_dealt_with_as_before() -> None:
    """What Twisted's reactors do with an event is what ``SocketSet`` was written after."""
    source = inspect.getsource(posixbase._PollLikeMixin._doReadOrWrite)
    lines = [line.strip() for line in source.rpartition('"""')[2].splitlines()]
    assert [line for line in lines if line and not line.startswith("#")] == [
        "why = None",
        "inRead = False",
        "if event & self._POLL_DISCONNECTED and not (event & self._POLL_IN):",
        "if fd in self._reads:",
        "inRead = True",
        "why = CONNECTION_DONE",
        "else:",
        "why = CONNECTION_LOST",
        "else:",
        "try:",
        "if selectable.fileno() == -1:",
        "why = _NO_FILEDESC",
        "else:",
        "if event & self._POLL_IN:",
        "why = selectable.doRead()",
        "inRead = True",
        "if not why and event & self._POLL_OUT:",
        "why = selectable.doWrite()",
        "inRead = False",
        "except BaseException:",
        "why = sys.exc_info()[1]",
        "log.err()",
        "if why:",
        "self._disconnectSelectable(selectable, why, inRead)",
    ]


def test_wrappers_show_what_they_wrap() -> None:
    """A wrapper, TLS among them, shows its transport's attributes: why ``bare`` asks for the type."""
    assert "getattr(self.transport, name)" in inspect.getsource(ProtocolWrapper.__getattr__)
