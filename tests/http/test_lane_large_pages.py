"""Large pages by the fast lane, over real sockets: sent by the kernel, whole, in order, and let go."""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_twisted
from attrs import define, field
from twisted.internet import reactor as global_reactor
from twisted.internet.task import Clock
from twisted.web.resource import Resource

from caching.kept import Heads, Kept
from caching.lane import FastLane
from caching.memfiles import OTHERS
from caching.memory import Memory
from caching.moment import Moment
from caching.stats import RouteStats
from caching.store import Entry
from caching.transport import EagerPort
from pypi.http.caller import Networks
from pypi.http.hosts import Hosts
from pypi.http.limits import Limits
from pypi.http.observed import Observer
from pypi.http.plain import PlainReader
from pypi.http.site import Site
from tests.caching.test_transport import Client
from tests.caching.turns import eventually
from tests.http.memory import parse_responses

reactor: Any = global_reactor
BODY = os.urandom(1 << 20) * 12
"""More than a socket takes at once."""


class LongWay(Resource):
    """Answers what the lane does not."""

    isLeaf = True

    def render_GET(self, request: Any) -> bytes:
        return b"the long way to " + bytes(request.uri)


@define(eq=False)
class Library:
    """A site with large pages in memory, and a long way to all others."""

    clock: Clock = field(factory=Clock)
    memory: Memory = field(factory=lambda: Memory(1 << 30))
    clients: list[Client] = field(factory=list)
    lane: Any = None
    port: Any = None

    def listen(self) -> None:
        moment = Moment(self.clock, lambda: 0.0, b"Cheeseshop", "cheeseshop")
        self.lane = FastLane(self.memory, moment, PlainReader(Hosts.of([], loopback=True), Limits()))
        site: Any = Site(
            LongWay(),
            reactor=self.clock,
            hosts=Hosts.of([], loopback=True),
            uncounted=Networks.of(["127.0.0.0/8"]),
            access_log=Observer(self.clock),
            lane=self.lane,
        )
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        self.port = EagerPort.adopt(reactor, listening.fileno(), listening.family, site)
        listening.close()

    def keep(self, path: bytes, body: bytes, serial: int = 1) -> None:
        entry = Entry(
            code=200,
            standing=(("Content-Type", "text/html"),),
            headers=(),
            body=body,
            packed=False,
            etag='"x"',
            tags=("project/x",),
            serial=serial,
            made=0.0,
            cost=0.001,
        )
        self.memory.put(Kept(path, "", entry, Heads(), RouteStats("/x"), 0.0, 1e9), None)

    def ask(self, *paths: str) -> Client:
        """A client that asks for pages, in one piece."""
        client = Client(self.port.getHost().port)
        self.clients.append(client)
        client.socket.send(
            b"".join(b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n" % p.encode() for p in paths)
        )
        return client

    async def warm(self, path: str) -> None:
        """Have it asked for twice, which makes it worth a file."""
        for _ in range(2):
            client = self.ask(path)
            await eventually(lambda: client.read() or len(client.got) > self.length(path))  # noqa: B023
            client.socket.close()

    def length(self, path: str) -> int:
        return int(self.memory.pages[path.encode()].kept[""].plain.length)  # type: ignore[union-attr]


@pytest_twisted.async_yield_fixture
async def library(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Library]:
    """A library that is open."""
    monkeypatch.setattr(resource, "getrlimit", lambda _: (OTHERS + 100, OTHERS + 100))
    made = Library()
    made.listen()
    made.keep(b"/large/", BODY)
    made.keep(b"/middle/", BODY[:50_000])
    made.keep(b"/small/", b"small")
    yield made
    for client in made.clients:
        client.socket.close()
    await eventually(lambda: not made.port.reactor.getReaders()[1:])
    await made.port.stopListening()


async def answers(client: Client, count: int) -> list[Any]:
    """The next answers a client gets."""

    def complete() -> list[Any]:
        client.read()
        try:
            got = parse_responses(bytes(client.got))
        except AssertionError:  # the last one is on its way
            return []
        return got if len(got) >= count else []

    got: list[Any] = await eventually(complete)
    assert len(got) == count
    return got


async def test_the_same_page(library: Library) -> None:
    """It is the same by whatever way it is sent: as bytes the first time, by the kernel later."""
    seen = []
    for _ in range(4):
        client = library.ask("/middle/")
        (one,) = await answers(client, 1)
        seen.append((one.status, one.body))
    assert seen == [(200, BODY[:50_000])] * 4
    assert library.lane.memfiles.count == 1


async def test_a_page_asked_for_once(library: Library) -> None:
    """It is not worth a file."""
    await answers(library.ask("/middle/"), 1)
    assert library.lane.memfiles.count == 0


async def test_in_order(library: Library) -> None:
    """What is asked for behind a page the socket does not take at once comes behind it."""
    await library.warm("/large/")
    assert library.lane.memfiles.count == 1
    client = library.ask("/large/", "/small/", "/large/", "/missing/", "/middle/")
    got = await answers(client, 5)
    assert [one.body for one in got[:2]] == [BODY, b"the long way to /small/"]
    assert got[-1].body in (BODY[:50_000], b"the long way to /middle/")
    (again,) = await answers(library.ask("/small/"), 1)
    assert again.body == b"small"


async def test_changed_on_its_way(library: Library) -> None:
    """Who is reading the old page reads it to its end; its file goes with him."""
    await library.warm("/large/")
    client = library.ask("/large/")
    await eventually(lambda: library.memory.pages[b"/large/"].kept[""].uses > 2)
    library.keep(b"/large/", b"new" * 10_000, serial=2)
    assert library.lane.memfiles.count == 1
    (one,) = await answers(client, 1)
    assert one.body == BODY
    await eventually(lambda: library.lane.memfiles.count == 0)
    (two,) = await answers(library.ask("/large/"), 1)
    assert two.body == b"new" * 10_000


async def test_a_client_leaves(library: Library) -> None:
    """Nothing of a page on its way stays once its reader and the page have gone."""
    await library.warm("/large/")
    client = library.ask("/large/")
    await eventually(lambda: library.memory.pages[b"/large/"].kept[""].uses > 2)
    client.socket.close()
    library.keep(b"/large/", b"new", serial=2)
    await eventually(lambda: library.lane.memfiles.count == 0)


async def test_many_slow_readers(library: Library) -> None:
    """They share one file: nobody has a copy of his own."""
    await library.warm("/large/")
    for _ in range(20):
        library.ask("/large/")
    await eventually(lambda: library.memory.pages[b"/large/"].kept[""].uses >= 22)
    transports = library.port.reactor.getReaders()[1:] + library.port.reactor.getWriters()
    assert len(library.port.reactor.getWriters()) == 20
    assert (
        sum(len(one.dataBuffer) + one._tempDataLen for one in transports if hasattr(one, "dataBuffer")) == 0
    )
    assert library.lane.memfiles.count == 1
