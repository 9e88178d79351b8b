"""Clients that follow the stream of changes, and come again with the last event they have seen."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from urllib.parse import urlsplit

from attrs import define, field

from tests.support.rig import PATIENCE, Victim, wait_for

EVENT = re.compile(rb"^id: (\d+)\ndata: ", re.M)
PLACE = re.compile(rb"^id: (\d+)$", re.M)
READ_FOR = 0.2


@define(eq=False)
class Listener:
    """One client.

    Attributes:
        victim: the service.
        serials: of the changes it was told of.
        place: the last id it was told.
        connections: made so far.
        ends: answers that ended as they should.
        strange: what it could not understand.
    """

    victim: Victim
    serials: list[int] = field(factory=list)
    place: str = "0"
    connections: int = 0
    ends: int = 0
    strange: list[bytes] = field(factory=list)

    def run(self, enough: Event) -> None:
        """Follow until it is enough."""
        while not enough.is_set():
            with suppress(OSError), self._connect() as connection:
                self.connections += 1
                self._follow(connection, enough)
            enough.wait(0.05)

    def _connect(self) -> socket.socket:
        try:
            return self.victim.connect()
        except IndexError:
            raise ConnectionError from None  # it has not said yet where it is

    def _follow(self, connection: socket.socket, enough: Event) -> None:
        lines = [
            "GET /api/changes/stream HTTP/1.1",
            f"Host: {urlsplit(self.victim.url).netloc}",
            f"Last-Event-ID: {self.place}",
        ]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        connection.settimeout(READ_FOR)
        head, rest, text = b"", b"", b""
        while not enough.is_set():
            try:
                data = connection.recv(1 << 16)
            except TimeoutError:
                continue
            if not data:
                return
            rest += data
            if not head:
                head, found, rest = rest.partition(b"\r\n\r\n")
                if not found:
                    head, rest = b"", head
                    continue
                if b" 200 " not in head:
                    self.strange.append(head)
                    return
            while (size := rest.partition(b"\r\n"))[1] and len(size[2]) >= int(size[0], 16) + 2:
                length = int(size[0], 16)
                if not length:
                    self.ends += 1
                    return
                text, rest = text + size[2][:length], size[2][length + 2 :]
            while b"\n\n" in text:
                event, _, text = text.partition(b"\n\n")
                self._hear(event + b"\n")

    def _hear(self, event: bytes) -> None:
        if told := EVENT.search(event):
            self.serials.append(int(told[1]))
        elif event.startswith(b"event:") or b"\nevent:" in event:
            self.strange.append(event)
        if place := PLACE.search(event):
            self.place = place[1].decode()


@contextmanager
def listeners(victim: Victim, count: int) -> Iterator[list[Listener]]:
    """So many clients that follow until the block ends, each in a thread of its own."""
    clients = [Listener(victim) for _ in range(count)]
    enough = Event()
    threads = [Thread(target=client.run, args=(enough,), daemon=True) for client in clients]
    for thread in threads:
        thread.start()
    try:
        assert wait_for(lambda: all(client.connections for client in clients))
        yield clients
    finally:
        enough.set()
        for thread in threads:
            thread.join(10)


def have_heard(clients: list[Listener], last: int, seconds: float = PATIENCE) -> None:
    """All of them get every change up to this one, once, in order."""
    expected = list(range(1, last + 1))
    wait_for(lambda: all(len(client.serials) >= last for client in clients), seconds)
    time.sleep(0.1)
    for client in clients:
        assert client.serials == expected, (client.serials[-5:], client.connections)
        assert client.strange == []
