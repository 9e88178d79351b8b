"""Answers compared, counted, and reported."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet import reactor as _reactor

from pypi.shadow.choice import Choice
from pypi.shadow.compare import change, differences
from pypi.shadow.exchange import Server
from pypi.shadow.lines import Recorded
from pypi.shadow.record import Logs
from pypi.shadow.replay import Ending, Replay
from pypi.shadow.replies import Reply
from pypi.shadow.report import Report, text
from pypi.shadow.shapes import shape
from pypi.shadow.tally import MOST_OFFENDERS, Latency, Offenders, ServerTally, Tally
from tests.shadow.servers import answer, scripted, target

reactor: Any = _reactor


def ending(status: int, hops: int = 0, size: int = 0, digest: bytes = b"", **headers: str) -> Ending:
    """How a request ended."""
    head = answer(status, **headers)[:-2]
    return Ending(Reply(status, head, size, digest=digest), status, hops)


@pytest.mark.parametrize(
    ("then", "now", "hops", "kind"),
    [
        (200, 200, 0, "same"),
        (200, 206, 1, "same"),
        (304, 200, 1, "same"),
        (200, 301, 0, "moved"),
        (301, 302, 0, "same"),
        (301, 200, 1, "same"),
        (404, 410, 0, "same"),
        (404, 200, 0, "mended"),
        (500, 200, 0, "mended"),
        (200, 404, 0, "lost"),
        (301, 404, 1, "lost"),
        (200, 410, 0, "gone"),
        (200, 200, 2, "hops"),
        (200, 404, 2, "hops"),
        (404, 500, 0, "failed"),
        (500, 503, 0, "failed"),
        (200, 0, 0, "unanswered"),
        (401, 200, 0, "opened"),
        (403, 200, 1, "other"),
        (401, 403, 0, "same"),
    ],
)
def test_what_has_changed(then: int, now: int, hops: int, kind: str) -> None:
    """What a status was then and is now makes one of a few kinds."""
    assert change(Recorded(1, 0.0, "GET", "/", then), ending(now, hops)) == kind


def test_faults() -> None:
    """A call that faults is answered with 200, and has failed nevertheless."""
    body = b"<?xml version='1.0'?><methodResponse><fault>"
    fault = Ending(Reply(200, b"HTTP/1.1 200 OK\r\n", len(body), body), 200)
    assert change(Recorded(1, 0.0, "POST", "/pypi", 200), fault) == "fault"
    assert change(Recorded(1, 0.0, "GET", "/pypi", 200), fault) == "same"


def test_what_two_servers_differ_in() -> None:
    """Two answers differ in what a client sees of them; what each server says of itself does not count."""
    one = ending(
        200, 0, 5, b"a", ETag='"x"', Date="now", Server="one", Content_Type="text/html;charset=UTF-8"
    )
    same = ending(200, 0, 5, b"a", ETag='"x"', Date="then", Age="9", content_type="text/html; charset=utf-8")
    assert differences(one, same) == []
    other = ending(200, 1, 6, b"b", ETag='"y"', Content_Type="text/plain")
    assert differences(one, other) == ["hops", "type", "length", "body", "etag"]
    assert differences(one, other, ["etag", "body", "hops"]) == ["type", "length"]
    assert differences(one, ending(404)) == ["status"]
    assert differences(one, ending(404), ["status"]) == []


@pytest.mark.parametrize(
    ("location", "other", "is_same"),
    [
        ("https://one.example/a?b", "http://two.example:81/a?b", True),
        ("https://one.example/a", "/a", True),
        ("/a", "/b", False),
        ("https://one.example/a", "https://two.example/b", False),
        ("https://one.example", "/", True),
    ],
)
def test_locations(location: str, other: str, is_same: bool) -> None:
    """Where a redirect leads is compared without the host, which is each server's own."""
    assert (differences(ending(301, Location=location), ending(301, Location=other)) == []) == is_same


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("/", "/"),
        ("/simple/foo/", "/simple/*/"),
        ("/simple/foo", "/simple/*"),
        ("/pypi/foo/1.0/json", "/pypi/*/*/json"),
        ("/packages/source/f/foo/foo-1.0.tar.gz#md5=1", "/packages/source/*/*/*"),
        ("/pypi?:action=display&name=x", "/pypi?:action=display"),
        ("/pypi?a=b;%3Aaction=rss", "/pypi?:action=rss"),
        ("/pypi?%253Aaction=rss", "/pypi?:action=rss"),
        ("/pypi?name=:action", "/pypi?…"),
        ("/secret-name/x", "/*/*"),
        ("/" + "a/" * 100, "/*" + "/*" * 8 + "/…"),
        ("//x", "//*"),
    ],
)
def test_shapes(url: str, told: str) -> None:
    """Of a URL is left what kind of address it is."""
    assert shape(url) == told


def test_tables_are_bounded() -> None:
    """What finds no room in a table is counted in one line for all."""
    table = Offenders()
    for n in range(2 * MOST_OFFENDERS):
        table.add("lost", "/simple/x/", str(n), "404")
    lines = list(table.top())
    assert len(lines) <= MOST_OFFENDERS + 1
    assert lines[0][0] == ("lost", "…", "", "")
    assert sum(found.requests for _, found in lines) == 2 * MOST_OFFENDERS


def test_percentiles() -> None:
    """Times are told to a few hundredths, the longest exactly."""
    times = Latency()
    assert times.at(0.5) == 0
    for n in range(1, 1001):
        times.add(n / 1000)
    for share in (0.1, 0.5, 0.99):
        assert times.at(share) == pytest.approx(share, rel=0.03)
    assert times.at(1.0) == times.longest == 1.0


async def report(*servers: str, log: list[Recorded], ignored: tuple[str, ...] = (), **more: Any) -> Report:
    """Of a replay."""
    tally = Tally([ServerTally() for _ in servers], ignored)
    asked = [Server.at(url, reactor, hashing=True) for url in servers]
    replay = Replay(asked, log, reactor, tally.add, follow=True)
    await replay.run()
    return Report(logs=Logs([]), choice=Choice(), replay=replay, tally=tally, **more)


LOG = [
    Recorded(1, 0.0, "GET", "/simple/a/", 200),
    Recorded(2, 1.0, "GET", "/simple/b/", 200),
    Recorded(3, 2.0, "GET", "/pypi?:action=x", 404),
]


async def test_a_good_replay() -> None:
    """Where all is as it was, that is what is said."""
    async with scripted(lambda request: answer(200 if b"simple" in request else 404)) as server:
        made = await report(server.url, log=LOG)
    assert made.is_good
    value = made.value()
    assert (value["requests"], value["different"], value["recorded_seconds"]) == (3, 0, 2)
    assert value["servers"][0]["statuses"] == [
        {"then": 200, "now": 200, "requests": 2},
        {"then": 404, "now": 404, "requests": 1},
    ]
    assert value["servers"][0]["offenders"] == []
    assert json.loads(json.dumps(value)) == value
    assert "200 then: 200 2 now" in text(value)


async def test_what_matters_is_told() -> None:
    """A failure is never good, something lost only if so much is tolerated; both are told by shape."""

    async with scripted(lambda request: answer(404 if b"/simple/b/" in request else 200)) as server:
        made = await report(server.url, log=LOG)
        tolerant = await report(server.url, log=LOG, tolerated=34.0)
    assert not made.is_good
    assert tolerant.is_good
    (offender,) = made.value()["servers"][0]["offenders"]
    assert offender == {
        "kind": "lost",
        "shape": "/simple/*/",
        "one": "200",
        "other": "404",
        "requests": 1,
        "example": "/simple/b/",
    }
    assert "there then, 4xx now 1" in text(made.value())
    async with scripted(lambda request: answer(503 if b"action" in request else 200)) as server:
        failing = await report(server.url, log=LOG, tolerated=100.0)
    assert not failing.is_good
    assert failing.value()["servers"][0]["failures"] == 1


async def test_two_servers() -> None:
    """Two servers are asked the same; what they answer differently is told, and the log does not matter."""

    def one(request: bytes) -> bytes:
        return answer(200, target(request).encode())

    def other(request: bytes) -> bytes:
        body = b"/SIMPLE/b/" if target(request) == "/simple/b/" else target(request).encode()
        return answer(404 if b"action" in request else 200, body)

    async with scripted(one) as first, scripted(other) as second:
        made = await report(first.url, second.url, log=LOG)
        blind = await report(first.url, second.url, log=LOG, ignored=("status", "body"))
        same = await report(first.url, first.url, log=LOG)
        assert len(second.requests) == 6
    between = made.value()["between"]
    assert (between["different"], between["kinds"]) == (2, {"body": 1, "status": 1})
    assert {(one["kind"], one["shape"]) for one in between["offenders"]} == {
        ("body", "/simple/*/"),
        ("status", "/pypi?:action=x"),
    }
    assert not made.is_good
    assert blind.is_good
    assert same.is_good
    assert "Different between the two: 2 requests" in text(made.value())
