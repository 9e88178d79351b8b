"""The ladder: which rung answers, who waits for whom, and what stands in when the source fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from caching.breaker import Breaker
from caching.layered import COLD_PATIENCE, PATIENCE, Found, Ladder, Question, Uncacheable
from caching.memory import Memory
from caching.moment import Moment, Trust
from caching.policy import Policy
from caching.stats import RouteStats
from caching.store import Entry, Turn
from caching.tags import Known

KEPT = Policy(keep=3600, stale_if_error=600)
START = 1_000_000.0


class Down(Exception):
    """The source does not answer."""


class No(Exception):
    """The source says no."""


@define
class Store:
    """A shared store that does what a test says."""

    found: list[Entry | Turn] = field(factory=list)
    put_in: dict[str, Entry] = field(factory=dict)

    async def get(self, key: str) -> Entry | Turn:
        return self.found.pop(0) if self.found else Turn.OURS

    async def put(self, key: str, entry: Entry, seconds: float) -> bool:
        self.put_in[key] = entry
        return True

    async def touch(self, serial: int, tags: tuple[str, ...]) -> None:
        pass


def an_entry(body: bytes = b"body", *, serial: int = 0, made: float = START) -> Entry:
    return Entry(
        code=200,
        standing=(("Content-Type", "text/plain"),),
        headers=(),
        body=body,
        packed=False,
        etag='"x"',
        tags=("project/x",),
        serial=serial,
        made=made,
        cost=0.0,
    )


class World:
    """A ladder, its clock, and a source whose answers a test gives one by one."""

    def __init__(self, policy: Policy = KEPT) -> None:
        self.clock = Clock()
        self.known = Known()
        self.store = Store()
        self.asked: list[Deferred[Entry | None]] = []
        self.stats = RouteStats("/x/")
        self.policy = policy
        self.moment = Moment(self.clock, self.wall, b"server", "test")
        Deferred.fromCoroutine(self.moment.start())
        self.ladder = Ladder(
            memory=Memory(1 << 20),
            shared=self.store,
            known=self.known,
            moment=self.moment,
            breaker=Breaker(self.clock.seconds, lambda: 0.0),
            failure=Down,
            verdict=No,
            reactor=self.clock,
            wall=self.wall,
            chance=lambda: 0.0,
        )

    def wall(self) -> float:
        return START + self.clock.seconds()

    def ask(self) -> Deferred[Found]:
        question = Question(address=b"/x/", variant="", policy=self.policy, stats=self.stats, make=self._make)
        return Deferred.fromCoroutine(self.ladder.find(question))

    async def _make(self) -> Entry | None:
        waiting: Deferred[Entry | None] = Deferred()
        self.asked.append(waiting)
        return await waiting

    def say(self, body: bytes = b"body") -> None:
        self.asked.pop(0).callback(an_entry(body))

    def fail(self, error: Exception) -> None:
        self.asked.pop(0).errback(error)

    def change(self, serial: int) -> None:
        self.known.touch(serial, ("project/x",))
        self.known.advance(serial)
        self.ladder.memory.forget(serial, ("project/x",))

    def fill(self, body: bytes = b"body") -> None:
        asking = self.ask()
        self.say(body)
        result(asking)


def result(asking: Deferred[Found]) -> Found:
    out: list[Any] = []
    asking.addBoth(out.append)
    assert out, "no answer yet"
    if not isinstance(out[0], Found):
        out[0].raiseException()
    found: Found = out[0]
    return found


def body(found: Found) -> bytes:
    return found.kept.packed.body


def test_miss_then_hit() -> None:
    """The first question reaches the source, the second is answered from memory; both say so."""
    world = World()
    asking = world.ask()
    world.say()
    assert result(asking).status == "test-l2; fwd=miss, test-l1; fwd=miss"
    assert result(world.ask()).status == "test-l1; hit"
    assert (world.stats.misses, world.stats.hits) == (1, 1)
    assert list(world.store.put_in) == ["/x/\n"]


def test_shared_store_answers() -> None:
    """What another process has made is taken from the shared store, and then from memory."""
    world = World()
    world.store.found = [an_entry(b"shared")]
    found = result(world.ask())
    assert (body(found), found.status) == (b"shared", "test-l2; hit, test-l1; fwd=miss")
    assert result(world.ask()).status == "test-l1; hit"
    assert not world.asked


def test_another_process_makes_it() -> None:
    """While another process makes the answer, this one looks again now and then instead of asking."""
    world = World()
    world.store.found = [Turn.THEIRS, Turn.THEIRS, an_entry(b"theirs")]
    asking = world.ask()
    world.clock.pump([0.01] * 10)
    assert body(result(asking)) == b"theirs"
    assert not world.asked


def test_another_process_died() -> None:
    """When the other process does not come to an end, this one asks the source itself."""
    world = World()
    world.store.found = [Turn.THEIRS] * 100
    asking = world.ask()
    world.clock.pump([0.01] * 100)
    world.say()
    assert body(result(asking)) == b"body"


def test_thousand_clients_one_question() -> None:
    """A thousand clients that miss the same page at once cause one question."""
    world = World()
    asking = [world.ask() for _ in range(1000)]
    assert len(world.asked) == 1
    world.say()
    answers = [result(one) for one in asking]
    assert {body(found) for found in answers} == {b"body"}
    assert [found.status.endswith("; collapsed") for found in answers] == [False] + [True] * 999
    assert world.stats.coalesced == 999


def test_client_that_leaves_cancels_nothing() -> None:
    """The computation belongs to nobody: who asked first may leave, and the others get their answer."""
    world = World()
    first, second = world.ask(), world.ask()
    first.addErrback(lambda _: None)
    first.cancel()
    world.say()
    assert body(result(second)) == b"body"
    assert result(world.ask()).status == "test-l1; hit"


def test_change_while_it_is_made() -> None:
    """An answer overtaken by a change is for those who came before the change, and is not kept."""
    world = World()
    before = world.ask()
    world.change(7)
    after = world.ask()
    world.say(b"old")
    assert body(result(before)) == b"old"
    assert world.ladder.memory.get(b"/x/", "") is None
    world.say(b"new")
    assert body(result(after)) == b"new"
    assert body(result(world.ask())) == b"new"
    assert world.store.put_in["/x/\n"].serial == 7


def test_changed_page_is_made_anew() -> None:
    """After a change memory is not used, and the source is asked."""
    world = World()
    world.fill(b"old")
    world.change(3)
    asking = world.ask()
    world.say(b"new")
    assert body(result(asking)) == b"new"


@pytest.mark.parametrize("healthy", [True, False])
def test_failing_source(healthy: bool) -> None:
    """When the source fails, what is outdated is served and says so; what was never there is refused."""
    world = World()
    cold = world.ask()
    world.fail(Down())
    with pytest.raises(Down):
        result(cold)
    world.fill(b"old")
    world.change(3)
    world.ladder.trust(healthy)
    world.clock.advance(100)
    asking = world.ask()
    world.fail(Down())
    found = result(asking)
    assert (body(found), found.age) == (b"old", 100)
    assert found.status == "test-l1; fwd=stale; detail=source-down"
    assert world.stats.stale == 1


def test_no_is_an_answer() -> None:
    """A source that says no is heard, even if something old is there."""
    world = World()
    world.fill()
    world.change(2)
    asking = world.ask()
    world.fail(No())
    with pytest.raises(No):
        result(asking)


def test_mistake_of_ours() -> None:
    """An unexpected failure is covered by what is old, too."""
    world = World()
    world.fill(b"old")
    world.change(2)
    asking = world.ask()
    world.fail(LookupError("a mistake"))
    assert body(result(asking)) == b"old"


@pytest.mark.parametrize(
    ("warm", "lags", "patience"),
    [(True, False, PATIENCE), (False, True, PATIENCE), (False, False, PATIENCE + COLD_PATIENCE)],
)
def test_hanging_source(warm: bool, lags: bool, patience: float) -> None:
    """Nobody waits for ever; where something old is there, or the source answers nobody, not even long."""
    world = World()
    world.ladder.source_lags = lambda: lags
    if warm:
        world.fill(b"old")
        world.change(2)
    asking = world.ask()
    outcome: list[Any] = []
    asking.addBoth(outcome.append)
    world.clock.pump([0.1] * round(patience / 0.1 - 1))
    assert not outcome
    world.clock.pump([0.1] * 2)
    if warm:
        assert body(outcome[0]) == b"old"
    else:
        assert outcome[0].check(Down)


def test_stale_no_longer_than_allowed() -> None:
    """What stands in for a failing source does so only as long as its policy allows."""
    world = World()
    world.fill()
    world.ladder.trust(False)
    world.clock.advance(KEPT.stale_if_error - 1)
    assert result(world.ask()).age == KEPT.stale_if_error - 1
    world.clock.advance(2)
    asking = world.ask()
    world.fail(Down())
    with pytest.raises(Down):
        result(asking)


def test_memory_alone() -> None:
    """With no news of changes and a source that fails, memory answers unasked, and is asked again later."""
    world = World()
    world.fill()
    world.ladder.trust(False)
    assert world.moment.trust is Trust.ALONE
    assert result(world.ask()).status == "test-l1; fwd=stale; detail=source-down"
    assert not world.asked
    world.ladder.trust(True)
    assert result(world.ask()).status == "test-l1; hit"


def test_memory_in_doubt() -> None:
    """Where something may have been missed, but nothing failed, the source is asked before memory is used."""
    world = World()
    world.fill(b"old")
    world.ladder.doubt()
    assert world.moment.trust is Trust.DOUBTED
    asking = world.ask()
    world.say(b"new")
    assert body(result(asking)) == b"new"
    asking = world.ask()
    world.fail(Down())
    assert result(asking).status == "test-l1; fwd=stale; detail=source-down"
    world.ladder.trust(True)
    assert result(world.ask()).status == "test-l1; hit"


def test_source_is_tried_again() -> None:
    """Without news of changes the source is tried now and then; if it answers, it is asked each time."""
    world = World()
    world.fill(b"old")
    world.change(2)
    world.ladder.trust(False)
    assert body(result(world.ask())) == b"old"
    assert not world.asked
    world.clock.advance(3)
    asking = world.ask()
    world.say(b"new")
    assert body(result(asking)) == b"new"
    assert world.moment.trust is Trust.DOUBTED
    asking = world.ask()
    world.say(b"newer")
    assert body(result(asking)) == b"newer"


def test_what_others_made_stands_in() -> None:
    """Where memory has nothing and the source fails, what others have made is used, and said to be old."""
    world = World()
    world.ladder.trust(False)
    world.store.found = [an_entry(b"shared")]
    found = result(world.ask())
    assert (body(found), found.status) == (b"shared", "test-l1; fwd=stale; detail=source-down")
    assert result(world.ask()).status == "test-l1; fwd=stale; detail=source-down"


def test_refreshed_before_it_expires() -> None:
    """Shortly before its time is over one question goes to the source; meanwhile memory goes on answering."""
    world = World(Policy(keep=100))
    asking = world.ask()
    world.clock.advance(3)
    world.say(b"first")
    kept = result(asking).kept
    assert kept.cost == 3
    kept.fresh_until = 50.0
    world.clock.advance(60)
    world.moment.set(Trust.DOUBTED)
    world.moment.set(Trust.FRESH)
    assert [body(result(world.ask())) for _ in range(3)] == [b"first"] * 3
    assert len(world.asked) == 1
    world.say(b"second")
    assert body(result(world.ask())) == b"second"


def test_answers_that_cannot_be_kept() -> None:
    """An answer that cannot be kept is nobody's but who makes it."""
    world = World()
    asking = world.ask()
    world.asked.pop(0).callback(None)
    with pytest.raises(Uncacheable):
        result(asking)
    with pytest.raises(Uncacheable):
        result(world.ask())
    assert not world.asked


def test_expiry_is_drawn_early() -> None:
    """The dearer an answer, and the unluckier the draw, the earlier it is made anew."""

    def early(chance: Callable[[], float]) -> float:
        world = World()
        world.ladder.chance = chance
        asking = world.ask()
        world.clock.advance(2)
        world.say()
        kept = result(asking).kept
        return kept.good_until - kept.fresh_until

    assert early(lambda: 0.0) == 0
    assert 1 < early(lambda: 0.5) < 2 < early(lambda: 0.9)


def test_what_is_cheap_to_make() -> None:
    """What only memory keeps is neither fetched nor shared while it is made; then all are answered."""
    world = World(Policy(keep=3600, stale_if_error=600, local=True))
    first, second = world.ask(), world.ask()
    assert len(world.asked) == 2
    world.say(b"one")
    world.say(b"two")
    found = [result(asking) for asking in (first, second)]
    assert [(one.status, body(one)) for one in found] == [
        ("test-l1; fwd=miss", b"one"),
        ("test-l1; fwd=miss", b"two"),
    ]
    assert world.ask().called
    assert world.store.put_in == {}
    world.change(7)
    third = world.ask()
    world.fail(Down())
    assert result(third).status == "test-l1; fwd=stale; detail=source-down"
