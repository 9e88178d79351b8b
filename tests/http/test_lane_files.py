"""Files by the fast lane, over real sockets: the long way's answers, in order, and nothing kept open."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_twisted
from attrs import define, field
from twisted.internet import reactor as global_reactor
from twisted.internet.task import Clock

from caching.lane import FastLane
from caching.memory import Memory
from caching.moment import Moment
from caching.sendfile import PIECE
from caching.transport import EagerPort
from pypi.files.descriptors import FRESH
from pypi.files.local import LocalFiles
from pypi.files.paths import store_path
from pypi.files.workers import Workers
from pypi.http.answering import klein_for
from pypi.http.caller import Networks
from pypi.http.hosts import Hosts
from pypi.http.limits import Limits
from pypi.http.observed import Observer
from pypi.http.plain import PlainReader
from pypi.http.site import Site
from pypi.web.downloads import Downloads
from tests.caching.test_transport import Client
from tests.caching.turns import eventually, turns
from tests.files.conftest import workers as workers
from tests.files.test_descriptors import Clockwork
from tests.http.memory import errors_logged, parse_responses

reactor: Any = global_reactor
DATA = os.urandom(1 << 20) * 12
SMALL, LARGE = store_path("0" * 64, "small-1.0.tar.gz"), store_path("1" * 64, "large-1.0.tar.gz")
MIDDLE = store_path("2" * 64, "middle-1.0.tar.gz")


@define(eq=False)
class Shop:
    """A site that hands out three files, by the lane once it has seen them."""

    files: LocalFiles
    clock: Clock = field(factory=Clock)
    clients: list[Client] = field(factory=list)
    lane: Any = None
    port: Any = None
    observer: Any = None
    counted: list[str] = field(factory=list)

    def listen(self) -> None:
        hosts, limits = Hosts.of([], loopback=True), Limits()
        moment = Moment(self.clock, lambda: 0.0, b"Cheeseshop", "cheeseshop")
        self.lane = FastLane(Memory(1 << 20), moment, PlainReader(hosts, limits))
        self.observer = Observer(self.clock)
        room = Downloads(files=self.files, random_bytes=os.urandom, count=self.counted.append)
        site: Any = Site(
            klein_for([room]).resource(),
            reactor=self.clock,
            hosts=hosts,
            uncounted=Networks.of(["127.0.0.0/8"]),
            access_log=self.observer,
            lane=self.lane,
        )
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setblocking(False)
        self.port = EagerPort.adopt(reactor, listening.fileno(), listening.family, site)
        listening.close()

    def ask(self, *asked: str) -> Client:
        """A client that sends requests (method, store path, further lines) in one piece."""
        self.clients.append(Client(self.port.getHost().port))
        self.send(*asked)
        return self.clients[-1]

    def send(self, *asked: str) -> None:
        """The newest client sends."""
        whole = ""
        for one in asked:
            first, *more = one.split("\n")
            method, path = first.split(" ")
            whole += "\r\n".join([f"{method} /packages/{path} HTTP/1.1", "Host: localhost", *more, "", ""])
        self.clients[-1].socket.send(whole.encode())

    async def warm(self, path: str) -> bytes:
        """The answer of the long way, after which the lane knows the file."""
        client = self.ask(f"GET {path}\nConnection: close")
        assert await client.ends() == "closed"
        assert f"/packages/{path}".encode() in self.lane.files
        return bytes(client.got).replace(b"Connection: close\r\n", b"")

    @property
    def by_lane(self) -> int:
        return sum(one.lane_files for one in self.observer.routes)

    @property
    def held(self) -> int:
        return sum(one.holders for one in self.files._descriptors._open.values())


@pytest_twisted.async_yield_fixture
async def shop(tmp_path: Path, workers: Workers) -> AsyncIterator[Shop]:
    """A shop that is open."""
    workers.reactor = Clockwork()  # on which no file is ever forgotten for its age
    files = LocalFiles(tmp_path, workers)
    await files.start()
    for path, data in ((SMALL, DATA[:5000]), (MIDDLE, DATA[:PIECE]), (LARGE, DATA)):
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes(data)
    made = Shop(files)
    made.listen()
    yield made
    for client in made.clients:
        client.socket.close()
    await eventually(lambda: not made.held and not made.port.reactor.getReaders()[1:])
    await made.port.stopListening()
    await files.stop()
    workers.reactor = reactor


def undated(data: bytes) -> bytes:
    return re.sub(rb"\r\nDate: [^\r]*", b"", data)


async def test_the_same_answers(shop: Shop) -> None:
    """GET, HEAD and 304 by the lane are what the long way says; the route counts them."""
    whole = await shop.warm(SMALL)
    etag = f'"{"0" * 64}"'
    for more in (f"HEAD {SMALL}", f"GET {SMALL}", f"GET {SMALL}\nIf-None-Match: {etag}"):
        slow = shop.ask(f"{more}\nConnection: close".replace(SMALL, SMALL))
        await slow.ends()
        expected = undated(bytes(slow.got)).replace(b"Connection: close\r\n", b"")
        before = shop.by_lane
        fast = shop.ask(more)
        await eventually(lambda: fast.read() or len(undated(bytes(fast.got))) >= len(expected))  # noqa: B023
        assert undated(bytes(fast.got)) == expected
        assert shop.by_lane == before + 1
    assert undated(whole).endswith(DATA[:5000])
    (stats,) = [one for one in shop.observer.routes if one.route]
    assert stats.requests == {("GET", 200): 3, ("HEAD", 200): 2, ("GET", 304): 2}


async def test_what_is_counted(shop: Shop) -> None:
    """All of a file, sent to its end, is one download; whoever sends it, and in whatever turn of theirs."""
    await shop.warm(LARGE)
    await shop.warm(SMALL)
    assert shop.counted == ["1" * 64, "0" * 64]
    shop.counted.clear()
    client = shop.ask(f"GET {SMALL}", f"GET {LARGE}", f"GET {SMALL}\nRange: bytes=0-\nConnection: close")
    assert await client.ends() == "closed"
    assert shop.by_lane == 2
    assert shop.counted == ["0" * 64, "1" * 64, "0" * 64]


async def test_what_is_not_counted(shop: Shop) -> None:
    """Parts are no downloads, nor is what the client has already, or leaves in the middle."""
    await shop.warm(LARGE)
    shop.counted.clear()
    etag, ranges = f'"{"1" * 64}"', ("0-9", "1-", "-9", "0-0,2-3")
    asked = [f"HEAD {LARGE}", f"GET {LARGE}\nIf-None-Match: {etag}"]
    asked += [f"GET {LARGE}\nRange: bytes={one}" for one in ranges]
    client = shop.ask(*asked, "GET nothing\nConnection: close")
    assert await client.ends() == "closed"
    leaving = shop.ask(f"GET {LARGE}")
    await eventually(lambda: leaving.read(1000) or len(leaving.got) > 1000)
    leaving.reset()
    await eventually(lambda: not shop.held)
    assert shop.by_lane == 3
    assert shop.counted == []


async def test_in_order(shop: Shop) -> None:
    """What is asked for behind a file comes behind it, files and others, by the lane or not."""
    await shop.warm(SMALL)
    await shop.warm(LARGE)
    client = shop.ask(f"GET {SMALL}", f"GET {LARGE}", f"GET {SMALL}", f"GET {LARGE}")
    await turns(3)
    shop.send(f"GET {SMALL}", "GET nothing\nConnection: close")
    assert await client.ends() == "closed"
    answers = parse_responses(bytes(client.got))
    assert [answer.status for answer in answers] == [200] * 5 + [404]
    assert [answer.body for answer in answers[:5]] == [DATA[:5000], DATA, DATA[:5000], DATA, DATA[:5000]]
    assert shop.by_lane >= 2
    assert shop.held == 0


async def test_files_of_one_piece(shop: Shop) -> None:
    """However much the client takes at once, a file of one piece comes whole, in order, and is counted."""
    await shop.warm(MIDDLE)
    shop.counted.clear()
    client = shop.ask(f"GET {MIDDLE}")
    for _ in range(9):
        await turns(2)
        shop.send(f"GET {MIDDLE}")
    await eventually(lambda: client.read(1 << 20) or len(client.got) > 10 * PIECE)
    shop.send("GET nothing\nConnection: close")
    assert await client.ends() == "closed"
    answers = parse_responses(bytes(client.got))
    assert [answer.status for answer in answers] == [200] * 10 + [404]
    assert all(answer.body == DATA[:PIECE] for answer in answers[:10])
    assert (shop.by_lane > 0, shop.held, shop.counted) == (True, 0, ["2" * 64] * 10)


async def test_conditions_on_dates(shop: Shop) -> None:
    """When a file was last changed is for the long way to weigh."""
    await shop.warm(SMALL)
    client = shop.ask(
        f"GET {SMALL}\nIf-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT\nConnection: keep-alive",
        f"GET {SMALL}\nRange: bytes=0-4\nConnection: close",
    )
    assert await client.ends() == "closed"
    assert [answer.status for answer in parse_responses(bytes(client.got))] == [304, 206]
    assert shop.by_lane == 0


async def test_conditions_the_long_way_weighs(shop: Shop) -> None:
    """What only looks like the tag of a file names none; the channel finds what is wrong with it."""
    await shop.warm(SMALL)
    etag = f'"{"0" * 64}"'
    statuses = []
    for line in (etag, f"W/{etag}", f"xx{etag}", f"{etag}, {etag}", f"\n{etag}", f"{etag}\n{etag}"):
        client = shop.ask(f"GET {SMALL}\nIf-None-Match: {line}")
        await eventually(lambda: client.read() or b"\r\n\r\n" in client.got)  # noqa: B023
        statuses.append(int(client.got[9:12]))
    assert statuses == [304, 304, 200, 304, 400, 400]


async def test_client_that_leaves(shop: Shop) -> None:
    """A client that goes in the middle costs nothing: the file is let go."""
    await shop.warm(LARGE)
    with errors_logged() as errors:
        client = shop.ask(f"GET {LARGE}")
        await eventually(lambda: client.read(1000) or len(client.got) > 1000)
        assert (shop.by_lane, shop.held) == (1, 1)
        client.reset()
        await eventually(lambda: not shop.held)
    assert errors == []


async def test_client_that_does_not_read(shop: Shop) -> None:
    """A client that takes nothing is closed, and the file with it."""
    await shop.warm(LARGE)
    shop.ask(f"GET {LARGE}")
    await eventually(lambda: shop.held)
    for _ in range(180):
        await turns(1)
        shop.clock.advance(1)
    await eventually(lambda: not shop.held)
    assert shop.by_lane == 1


async def test_file_that_is_removed(shop: Shop) -> None:
    """A file that is gone is not found, as soon as it is looked for again."""
    await shop.warm(SMALL)
    await shop.files.delete(SMALL)
    client = shop.ask(f"GET {SMALL}\nConnection: keep-alive", f"GET {SMALL}\nConnection: close")
    assert await client.ends() == "closed"
    assert [answer.status for answer in parse_responses(bytes(client.got))] == [404, 404]


async def test_file_that_others_change(shop: Shop) -> None:
    """What another process does to a file is seen within moments: replaced by another one, or removed."""
    await shop.warm(SMALL)
    place = shop.files.root / SMALL
    place.with_name("new").write_bytes(b"new")
    os.replace(place.with_name("new"), place)
    for status in (200, 404):
        shop.files.workers.reactor.clock.advance(FRESH)
        client = shop.ask(f"GET {SMALL}", f"GET {SMALL}\nConnection: close")
        assert await client.ends() == "closed"
        answers = parse_responses(bytes(client.got))
        assert [answer.status for answer in answers] == [status] * 2
        assert status == 404 or [answer.body for answer in answers] == [b"new"] * 2
        place.unlink(missing_ok=True)
    assert shop.by_lane == 0


async def test_file_that_shrinks(shop: Shop) -> None:
    """The connection breaks off; no client takes the part for the whole, and the operator hears of it."""
    await shop.warm(LARGE)
    with errors_logged() as errors:
        client = shop.ask(f"GET {LARGE}")
        await eventually(lambda: shop.held)
        os.truncate(shop.files.root / LARGE, 5_000_000)
        await client.ends()
    assert len(client.got) < len(DATA)
    assert errors
    assert shop.held == 0


async def test_forgotten(shop: Shop) -> None:
    """What is forgotten, and all once the lane is closed, goes the long way."""
    await shop.warm(SMALL)
    shop.lane.kept_files.forget_all()
    assert not shop.lane.files
    await shop.warm(SMALL)
    shop.lane.close()
    client = shop.ask(f"GET {SMALL}\nConnection: close")
    assert await client.ends() == "closed"
    assert shop.by_lane == 0
