"""The fast lane and the slow path are one server: whatever a connection brings, the answers are the same."""

from __future__ import annotations

from collections import Counter

import pytest
from attrs import evolve

from tests.http.lane_streams import Choke, Script, Send, Take, Wait, script
from tests.http.lane_worlds import JSON, World, stage
from tests.http.memory import HOST

FEW, MANY = 1500, 100_000

END = (Take(), Wait(0.03), Wait(0.03), Wait(11.0))
"""Whatever has begun comes to its end, be it 408."""


@pytest.fixture
def _one_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow path reads the same clock."""
    monkeypatch.setattr("pypi.http.request.datetimeToString", lambda: stage()[1].world.moment.date)


def check(seed: int) -> Counter[str]:
    """Play a script in both worlds, and compare them after each event.

    Returns:
        what the lane answered.
    """
    given = script(seed)
    slow, fast = World(given, lane=False), World(given, lane=True)
    for number, op in enumerate((*given.ops, *END)):
        slow.play(op)
        fast.play(op)
        if slow.state != fast.state or slow.wire.output != fast.wire.output:
            pytest.fail(_difference(given, number, op, slow, fast), pytrace=False)
    assert slow.noted == fast.noted
    for world in (slow, fast):
        for _ in range(40):
            world.play(Wait(5.0))
        assert world.wire.transport.closed, f"seed {seed}: a connection stays open for ever"
    assert slow.wire.output == fast.wire.output
    return fast.wire.transport.by_lane


def _difference(given: Script, number: int, op: object, slow: World, fast: World) -> str:
    ours, theirs = fast.wire.output, slow.wire.output
    at = next((at for at, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), len(ours))
    around = slice(max(0, at - 150), at + 250)
    return (
        f"seed {given.seed}, event {number}: {str(op)[:600]}\n"
        f"with the lane:    {fast.state[:-1]}\n  …{ours[around]!r}\n"
        f"without the lane: {slow.state[:-1]}\n  …{theirs[around]!r}\n"
        f"logged with the lane:\n{fast.state[-1]!r}\nlogged without:\n{slow.state[-1]!r}\n"
        f"python -m tests.http.lane_streams {given.seed}   prints all of it"
    )


@pytest.mark.usefixtures("_one_date")
def test_the_lane_is_never_noticed() -> None:
    """Streams of all kinds, cut anywhere, changes and failures between, get the same bytes either way."""
    seen: Counter[str] = Counter()
    for seed in range(FEW):
        seen += check(seed)
    # The test would be worth nothing if the lane had left all of it to the channel.
    for kind in ("200", "304", "404", "301", "head", "in pieces", "not taken", "stale"):
        assert seen[kind] > FEW // 100, f"the lane hardly ever did this: {kind}, {seen}"


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("_one_date")
def test_the_lane_is_never_noticed_at_length() -> None:
    """The same with a hundred thousand streams."""
    for seed in range(FEW, FEW + MANY):
        check(seed)


# --- what the channel has to know of the lane's answers ---------------------------------------------------

CALM = Script(seed=0, ops=(), brief=frozenset(), plain=True, parts=0, heedless=False)
LARGE = b"GET /simple/large/ HTTP/1.1\r\nHost: index.example\r\n\r\n"


@pytest.fixture
def world(_one_date: None) -> World:
    """A world with a lane, in which nothing happens by itself; its client takes nothing yet."""
    made = World(CALM, lane=True)
    made.play(Choke())
    return made


@pytest.mark.usefixtures("_one_date")
def test_a_slow_client_of_the_lane_gets_its_answer(world: World) -> None:
    """Who takes a large answer at the rate that is asked for has as long as that takes."""
    world.wire.send(LARGE)
    transport = world.wire.transport
    transport._tempDataLen = left = 1_000_000  # as if the page were that large
    world.wire.channel._channel._written = left
    while transport._tempDataLen > 62_000:
        transport._tempDataLen -= 62_000
        world.clock.advance(60)
        assert not transport.aborted
    assert transport.by_lane["200"] == 1


def test_a_client_of_the_lane_that_takes_nothing(world: World) -> None:
    """Who takes nothing of the lane's answer is cut off as with any other, whatever it sends meanwhile."""
    world.wire.send(LARGE)
    for _ in range(59):
        world.clock.advance(1)
        world.wire.send(request("/tiny/"))
    assert not world.wire.transport.aborted
    world.clock.advance(1)
    assert world.wire.transport.aborted


@pytest.mark.usefixtures("_one_date")
def test_nothing_more_for_who_takes_nothing() -> None:
    """While a client takes nothing, the lane makes no answers for it either, should its requests arrive."""
    world = World(evolve(CALM, heedless=True), lane=True)
    for op in (Choke(), Send(LARGE), Send(LARGE), Send(request("/tiny/"))):
        world.play(op)
    assert world.wire.transport.by_lane["200"] == 1
    world.play(Take())
    assert [answer.body[:5] for answer in world.wire.answers()] == [b"large", b"large", b"tiny "]


def test_a_connection_that_only_the_lane_has_seen(world: World) -> None:
    """It is idle from its last answer on: closed after one to two times the idle time."""
    world.wire.transport.take()
    for _ in range(20):
        world.play(Wait(9.0))
        world.play(Send(request("/tiny/")))
    assert not world.wire.transport.closed
    world.clock.advance(75)
    assert not world.wire.transport.closed
    world.clock.advance(75)
    assert world.wire.transport.closed
    assert set(world.wire.statuses) == {200}


def test_a_head_that_drips_behind_an_answer_of_the_lane(world: World) -> None:
    """The first request that comes to the channel has its own deadline, however old the connection is."""
    world.wire.transport.take()
    world.clock.advance(9)
    world.wire.send(request("/tiny/"), b"GET / HTTP/1.1\r\nX: ")
    world.clock.advance(9)
    assert world.wire.statuses == [200]
    world.clock.advance(1)
    world.wire.pump()
    assert world.wire.statuses == [200, 408]


@pytest.mark.parametrize(
    "target",
    [
        "/listed/?format=json",
        "/listed/?format=json#" + JSON,
        "/listed/?format=" + "json HTTP/1.1",
        "/simple/" + "%22" * 2700 + "/",
    ],
)
def test_what_the_lane_never_finds(world: World, target: str) -> None:
    """What depends on a query, or has a longer path than requests may, is kept where no request leads."""
    world.wire.transport.take()
    for asked in ("/listed/?format=json", "/simple/" + '"' * 2700 + "/"):
        world.wire.send(request(asked))
        world.play(Wait(0.0))
    before = len(world.memory), sum(world.wire.transport.by_lane.values())
    world.wire.send(request(target))
    world.play(Wait(0.0))
    assert (len(world.memory), sum(world.wire.transport.by_lane.values())) == before == (before[0], 0)


@pytest.mark.parametrize(("more", "status"), [(97, 304), (98, 304), (99, 431)])
def test_one_header_too_many(world: World, more: int, status: int) -> None:
    """The header that the lane looks at by itself counts as every other."""
    world.play(Take())
    headers = b"".join(b"X-%d: y\r\n" % number for number in range(more))
    tagged = b'If-None-Match: "tiny-text-0"\r\n' + headers
    world.play(Send(request("/tiny/").replace(b"\r\n\r\n", b"\r\n" + tagged + b"\r\n")))
    assert world.wire.statuses == [status]


def request(target: str) -> bytes:
    """A plain one."""
    return f"GET {target} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
