"""The change feed: pages without gaps, waiting, and streams, over real connections."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from attrs import define, field
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import deferLater

from pypi.index import tail
from tests.support.archives import wheel, wheel_filename
from tests.support.client import Exchange, connect, request
from tests.support.index import OWNER, Index, eventually, running

reactor: Any = _reactor

COLUMNS = ["serial", "project", "normalized", "version", "action", "at"]
LINE = "INSERT INTO journal (serial, normalized, name, action, tags, at) "
MORE = LINE + "SELECT n, 'x', 'X', 'create', '{{project/x}}', now() FROM generate_series({}, {}) n"


async def publish(index: Index, name: str, version: str = "1.0") -> None:
    """Upload a file."""
    reply = await index.upload(wheel(name, version), wheel_filename(name, version))
    assert reply.status == 200, reply.text


@define(eq=False)
class Stream:
    """A client of ``/api/changes/stream``."""

    exchange: Exchange
    gone: bool = field(default=False, init=False)

    @property
    def head(self) -> str:
        """The head of the answer, as far as it is here."""
        return self.exchange.received.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def text(self) -> str:
        """What has come, without its chunks."""
        received, pieces = self.exchange.received, []
        place = received.find(b"\r\n\r\n") + 4
        while (end := received.find(b"\r\n", place)) > 0:
            size = int(received[place:end], 16)
            pieces.append(received[end + 2 : end + 2 + size])
            place = end + 2 + size + 2
        return b"".join(pieces).decode()

    @property
    def is_complete(self) -> bool:
        """Whether the answer has ended as it should."""
        return self.exchange.received.endswith(b"0\r\n\r\n")

    @property
    def serials(self) -> list[int]:
        """Of the changes that have come."""
        return [int(one) for one in re.findall(r"^id: (\d+)\ndata: ", self.text, re.M)]

    async def has(self, count: int) -> list[int]:
        """Wait for so many changes."""
        await eventually(lambda: len(self.serials) >= count)
        return self.serials


@asynccontextmanager
async def following(index: Index, query: str = "", *, port: int = 0, **headers: str) -> AsyncIterator[Stream]:
    """A client that follows; the index, or what answers for it at this port."""
    exchange = await connect(port or index.port)
    asked = {"Connection": "keep-alive", **{name.replace("_", "-"): value for name, value in headers.items()}}
    exchange.send(request(port or index.port, "GET", f"/api/changes/stream{query}", asked))
    stream = Stream(exchange)
    await eventually(lambda: "\n\n" in stream.text or " 200 " not in (stream.head or " 200 "))
    try:
        yield stream
    finally:
        if not exchange.ended.called:
            exchange.vanish()
            await exchange.ended


# Pages


async def test_a_page_of_changes(new_index: Index) -> None:
    """Every change is told once, in order, with its serial, its words and its moment; and nobody's name."""
    await publish(new_index, "Fancy.Name")
    reply = await new_index.ask("/api/changes")
    page = reply.json()
    assert [one["serial"] for one in page["changes"]] == [1, 2, 3, 4]
    assert [one["action"] for one in page["changes"]] == [
        "create",
        f"add Owner {OWNER}",
        "new release",
        "add py3 file fancy_name-1.0-py3-none-any.whl",
    ]
    assert [one["version"] for one in page["changes"]] == [None, None, "1.0", "1.0"]
    for one in page["changes"]:
        assert list(one) == COLUMNS
        assert (one["project"], one["normalized"]) == ("fancy_name", "fancy-name")
        assert one["at"].endswith("Z")
        datetime.fromisoformat(one["at"])
    assert {key: page[key] for key in ("since", "limit", "serial", "full")} == {
        "since": 0,
        "limit": 1000,
        "serial": 4,
        "full": False,
    }
    assert reply["Content-Type"] == "application/json"
    assert reply["X-PyPI-Last-Serial"] == "4"
    assert reply["Access-Control-Allow-Origin"] == "*"
    assert reply["Cache-Control"] == "max-age=0, public, must-revalidate"


async def test_following_next_finds_everything_once(new_index: Index) -> None:
    """Going from page to page by ``next`` finds all there is; full pages may be kept, the last may not."""
    new_index.sql(MORE.format(1, 25))
    found, address, controls = [], "/api/changes?since=0&limit=10", []
    for _ in range(4):
        reply = await new_index.ask(address)
        page = reply.json()
        found += [one["serial"] for one in page["changes"]]
        controls.append(reply["Cache-Control"])
        assert page["next"].startswith(f"http://127.0.0.1:{new_index.port}/api/changes?")
        address = page["next"].removeprefix(f"http://127.0.0.1:{new_index.port}")
    assert found == list(range(1, 26))
    assert controls == ["max-age=86400, public"] * 2 + ["max-age=0, public, must-revalidate"] * 2
    full = await new_index.ask("/api/changes?since=0&limit=10")
    known = await new_index.ask("/api/changes?since=0&limit=10", {"If-None-Match": full["ETag"]})
    assert (known.status, known.body) == (304, b"")


async def test_text_that_needs_care(new_index: Index) -> None:
    """What stands in the journal is told as it is, whatever characters it has."""
    odd = 'a"b\\c\u2028é☃\x7f<&'
    literal = "U&'" + "".join(f"\\+{ord(one):06x}" for one in odd) + "'"
    new_index.sql(LINE + f"VALUES (1, 'x', {literal}, 'create', '{{}}', now())")
    reply = await new_index.ask("/api/changes")
    assert reply.json()["changes"][0]["project"] == odd
    async with following(new_index, "?since=0") as stream:
        await stream.has(1)
        data = re.search(r"^data: (.*)$", stream.text, re.M)
        assert data is not None
        assert json.loads(data[1])["project"] == odd


async def test_a_journal_that_ends_before(new_index: Index) -> None:
    """Who comes with a serial that has never been is told where the journal ends, and so can begin anew."""
    new_index.sql(MORE.format(1, 3))
    page = (await new_index.ask("/api/changes?since=9")).json()
    assert (page["serial"], page["changes"], page["full"]) == (3, [], False)
    assert "since=3&" in page["next"]
    async with following(new_index, "?since=9") as stream:
        await eventually(lambda: "event: restart" in stream.text)
        assert 'id: 3\nevent: restart\ndata: {"serial":3}\n\n' in stream.text
        await publish(new_index, "x")
        assert (await stream.has(4))[:4] == [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("?since=x", "since has to be a whole number from 0 to 9223372036854775807."),
        ("?since=-1", "since has to be a whole number from 0 to 9223372036854775807."),
        ("?since=9223372036854775808", "since has to be a whole number from 0 to 9223372036854775807."),
        ("?since=1&since=2", "since is given more than once, with different values."),
        ("?limit=0", "limit has to be a whole number from 1 to 10000."),
        ("?limit=10001", "limit has to be a whole number from 1 to 10000."),
        ("?limit=", "limit has to be a whole number from 1 to 10000."),
        ("?wait=61", "wait has to be a number of seconds from 0 to 60."),
        ("?wait=1e1", "wait has to be a number of seconds from 0 to 60."),
        ("/stream?since=%D9%A1", "since has to be a whole number from 0 to 9223372036854775807."),
    ],
)
async def test_parameters_that_are_none(index: Index, path: str, sentence: str) -> None:
    """A parameter that cannot be meant is refused with a sentence, in JSON whatever the client accepts."""
    reply = await index.ask(f"/api/changes{path}", {"Accept": "text/html"})
    assert reply.status == 400
    assert reply["Content-Type"] == "application/json"
    assert reply.json() == {"message": sentence, "code": "400 Bad Request", "title": "Bad Request"}
    assert reply["Access-Control-Allow-Origin"] == "*"
    assert reply["Cache-Control"] == "private, no-store"


# Waiting


async def test_waiting_for_a_change(new_index: Index) -> None:
    """All who wait are answered by the next change; nobody keeps what they got."""
    waiting = gatherResults(
        [Deferred.fromCoroutine(new_index.ask("/api/changes?since=0&wait=30")) for _ in range(3)]
    )
    await eventually(lambda: len(new_index.application.tail._waiting) == 3)
    await publish(new_index, "x")
    for reply in await waiting:
        assert [one["serial"] for one in reply.json()["changes"]][:4] == [1, 2, 3, 4]
        assert reply["Cache-Control"] == "private, no-store"
        assert reply["X-Accel-Buffering"] == "no"
    assert not new_index.application.tail._waiting


async def test_waiting_in_vain(new_index: Index) -> None:
    """Who has waited long enough gets an empty page, from which to go on; what is there is not waited for."""
    page = (await new_index.ask("/api/changes?wait=0.05")).json()
    assert (page["serial"], page["changes"]) == (0, [])
    await publish(new_index, "x")
    page = (await new_index.ask("/api/changes?since=3&wait=60")).json()
    assert [one["serial"] for one in page["changes"]] == [4]


async def test_who_waits_may_hang_up(new_index: Index) -> None:
    """Nothing is left of a client that went away while it waited."""
    exchange = await connect(new_index.port)
    exchange.send(request(new_index.port, "GET", "/api/changes?since=0&wait=60"))
    await eventually(lambda: new_index.application.tail._waiting)
    exchange.vanish()
    await eventually(lambda: not new_index.application.tail._waiting)


# Streams


async def test_a_stream_of_changes(new_index: Index) -> None:
    """Changes come as they happen, unbuffered and never kept, to whoever follows from now on."""
    await publish(new_index, "before")
    async with following(new_index) as stream:
        assert "HTTP/1.1 200 OK" in stream.head
        for header in (
            "Content-Type: text/event-stream; charset=utf-8",
            "Cache-Control: private, no-store",
            "X-Accel-Buffering: no",
            "Transfer-Encoding: chunked",
            "Access-Control-Allow-Origin: *",
        ):
            assert header in stream.head
        assert stream.text == "retry: 2000\nid: 4\n\n"
        await publish(new_index, "after")
        assert await stream.has(4) == [5, 6, 7, 8]
        listed = (await new_index.ask("/api/changes?since=4")).json()["changes"]
        assert [json.loads(one) for one in re.findall(r"^data: (.*)$", stream.text, re.M)] == listed
    await eventually(lambda: not new_index.application.tail._following)


async def test_coming_again(new_index: Index) -> None:
    """Who comes again with the last event it has seen misses nothing, and gets nothing twice."""
    async with following(new_index, "?since=0") as first:
        await publish(new_index, "one")
        seen = await first.has(4)
    await publish(new_index, "two")
    async with following(new_index, "?since=0", Last_Event_ID=str(seen[-1])) as second:
        await publish(new_index, "three")
        assert await second.has(8) == list(range(5, 13))
    assert seen == [1, 2, 3, 4]


async def test_many_follow_from_many_places(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever they begin, and however little is held, all get what follows once, in order."""
    monkeypatch.setattr(tail, "MOST_BYTES", 2000)
    monkeypatch.setattr(tail, "PAGE", 7)
    monkeypatch.setattr(tail, "PIECE", 300)
    new_index.sql(MORE.format(1, 40))
    places = [0, 1, 13, 39, 40]
    streams = [following(new_index, f"?since={place}") for place in places]
    opened = [await one.__aenter__() for one in streams]
    for number in range(10):
        await publish(new_index, f"x{number}")
    for place, stream in zip(places, opened, strict=True):
        assert await stream.has(80 - place) == list(range(place + 1, 81))
    for one in streams:
        await one.__aexit__(None, None, None)


async def test_one_reading_for_all(new_index: Index) -> None:
    """A change is read once, however many follow; and without changes nothing is read."""
    await publish(new_index, "x")
    streams = [following(new_index) for _ in range(20)]
    opened = [await one.__aenter__() for one in streams]
    told = new_index.application.tail
    assert told.readings == 0
    await publish(new_index, "y")
    for stream in opened:
        await stream.has(4)
    assert (told.readings, told.told, told.caught_up) == (1, 4, 0)
    for one in streams:
        await one.__aexit__(None, None, None)


async def test_signs_of_life(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Comments show proxies and clients that a silent stream is alive."""
    monkeypatch.setattr(tail, "EVERY", 0.05)
    async with following(new_index) as stream:
        await eventually(lambda: stream.text.count(": alive\n\n") >= 3)
        assert stream.serials == []


async def test_streams_do_not_hold_the_drain(new_index: Index) -> None:
    """When the service takes its leave, streams end as they should, and who waits gets what there is."""
    waiting = Deferred.fromCoroutine(new_index.ask("/api/changes?since=0&wait=60"))
    async with following(new_index) as stream:
        await eventually(lambda: new_index.application.tail._waiting)
        new_index.application.tail.close()
        await eventually(lambda: stream.is_complete)
        assert stream.text.endswith(": come again\n\n")
        assert (await waiting).json()["changes"] == []
    async with following(new_index) as late:
        await eventually(lambda: late.is_complete)


async def test_who_takes_nothing_does_not_hold_the_drain(new_index: Index) -> None:
    """A client that does not read cannot be told to come again: its connection ends with the service."""
    new_index.sql(MORE.replace("'create'", "repeat('x', 4000)").format(1, 4000))
    async with following(new_index, "?since=0") as stream:
        stream.exchange.transport.pauseProducing()  # type: ignore[union-attr]
        (channel,) = new_index.site.channels
        await eventually(lambda: channel._blocked)
        new_index.application.tail.close()
        new_index.site.drain()
        await eventually(lambda: not new_index.site.channels)
        stream.exchange.transport.resumeProducing()  # type: ignore[union-attr]
        await stream.exchange.ended
        assert not stream.is_complete
    assert not new_index.application.tail._following


async def test_too_many(database_url: str, tmp_path: Any) -> None:
    """One too many is told when to come again."""
    async with running(database_url, tmp_path, changes__followers=1, changes__waiters=1) as index:
        waiting = Deferred.fromCoroutine(index.ask("/api/changes?since=0&wait=60"))
        async with following(index):
            await eventually(lambda: index.application.tail._waiting)
            for path in ("/api/changes?since=0&wait=60", "/api/changes/stream"):
                reply = await index.ask(path)
                assert (reply.status, reply["Retry-After"]) == (503, "10")
                assert reply["Content-Type"] == "application/json"
                assert "Too many clients wait" in reply.json()["message"]
            await publish(index, "x")
            await waiting
        assert index.application.tail.refused == 2


async def test_a_client_that_takes_nothing(new_index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that does not read holds little memory, and holds up nobody; when it reads, it gets all."""
    monkeypatch.setattr(tail, "MOST_BYTES", 10_000)
    slow, quick = following(new_index, "?since=0"), following(new_index, "?since=0")
    one, other = await slow.__aenter__(), await quick.__aenter__()
    one.exchange.transport.pauseProducing()  # type: ignore[union-attr]
    # More than what the kernel holds for both ends of a connection over loopback.
    new_index.sql(MORE.replace("'create'", "repeat('x', 4000)").format(1, 4000))
    await publish(new_index, "x")
    last = b"\nid: 4004\ndata"
    await eventually(lambda: last in other.exchange.received[-1000:])
    assert next(iter(new_index.application.tail._following)).place < 4000
    one.exchange.transport.resumeProducing()  # type: ignore[union-attr]
    await eventually(lambda: last in one.exchange.received[-1000:])
    assert one.serials == other.serials == list(range(1, 4005))
    await slow.__aexit__(None, None, None)
    await quick.__aexit__(None, None, None)


async def test_head_and_options(index: Index) -> None:
    """HEAD says what GET would, and begins no stream; pages of other origins may ask."""
    reply = await index.ask("/api/changes/stream", method="HEAD")
    assert (reply.status, reply.body) == (200, b"")
    assert reply["Content-Type"] == "text/event-stream; charset=utf-8"
    assert not index.application.tail._following
    reply = await index.ask("/api/changes", method="OPTIONS")
    assert (reply.status, reply["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (await index.ask("/api/changes", method="POST")).status == 405


async def test_an_old_client(new_index: Index) -> None:
    """A client of HTTP/1.0 gets the same stream without chunks, and finds its end with the connection's."""
    exchange = await connect(new_index.port)
    line = f"GET /api/changes/stream HTTP/1.0\r\nHost: 127.0.0.1:{new_index.port}\r\n"
    exchange.send(f"{line}Connection: keep-alive\r\n\r\n".encode())
    await eventually(lambda: b"retry:" in exchange.received)
    await publish(new_index, "x")
    await eventually(lambda: exchange.received.count(b"\ndata: ") == 4)
    assert b"Transfer-Encoding" not in exchange.received
    new_index.application.tail.close()
    await exchange.ended
    await deferLater(reactor, 0)
