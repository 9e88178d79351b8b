"""The tail of the journal, on a journal and a clock that tests hold: nobody ever misses a change."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from pypi.domain.errors import Unavailable
from pypi.index import tail
from pypi.index.changes import Line, Page
from pypi.index.tail import Form, Tail, TooManyFollow

FORM = Form(
    event=lambda serial, line: f"{serial} ".encode(),
    begin=lambda serial: f"from:{serial} ".encode(),
    restart=lambda serial: f"restart:{serial} ".encode(),
    alive=b"alive ",
    end=b"end ",
)


@define(eq=False)
class Journal:
    """Changes, and readings of them that are answered when the test says so.

    Attributes:
        last: the last serial that was committed.
        told: the last one the process was told of.
    """

    last: int = 0
    told: int = 0
    pending: list[tuple[Deferred[Any], int, int]] = field(factory=list)

    async def lines(self, since: int, limit: int) -> list[Line]:
        """As ``Changes.lines``, later."""
        waiting: Deferred[list[Line]] = Deferred()
        self.pending.append((waiting, since, limit))
        return await waiting

    older = lines

    async def page(self, since: int, limit: int) -> Page:
        """As ``Changes.page``."""
        found = await self.lines(since, limit)
        return Page(since, limit, found[-1][0] if found else self.last, len(found), "")

    def answer(self, place: int = 0, *, fails: bool = False) -> None:
        """Answer one of the readings, by what is committed now."""
        waiting, since, limit = self.pending.pop(place)
        if waiting.called:
            return
        if fails:
            waiting.errback(Unavailable())
        else:
            serials = range(since + 1, min(self.last, since + limit) + 1)
            waiting.callback([(serial, "") for serial in serials])


@define(eq=False)
class Client:
    """Follows, and takes what there is when the test says so, or at once if it is eager."""

    stream: AsyncIterator[bytes]
    eager: bool = False
    text: str = ""
    ended: bool = False
    waiting: Deferred[None] | None = None

    def take(self) -> None:
        """Take a piece, or, eager, all pieces, as soon as they come."""
        if self.waiting is None and not self.ended:
            taking = Deferred.fromCoroutine(self._take())
            if not taking.called:
                self.waiting = taking
                taking.addBoth(lambda _: setattr(self, "waiting", None))

    async def _take(self) -> None:
        try:
            self.text += (await anext(self.stream)).decode()
            while self.eager:
                self.text += (await anext(self.stream)).decode()
        except StopAsyncIteration:
            self.ended = True

    @property
    def words(self) -> list[str]:
        """What it was told, without the beginning and signs of life."""
        return [word for word in self.text.split()[1:] if word != "alive"]

    @property
    def begin(self) -> int:
        """The serial after which it began."""
        return int(self.text.split()[0].removeprefix("from:"))


@define(eq=False)
class World:
    """A tail, its journal and its clock."""

    journal: Journal = field(factory=Journal)
    clock: Clock = field(factory=Clock)
    clients: list[Client] = field(factory=list)
    tail: Tail = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.tail = Tail(
            changes=self.journal,  # type: ignore[arg-type]
            form=FORM,
            last=lambda: self.journal.told,
            reactor=self.clock,
            followers=50,
            waiters=2,
        )

    def tell(self, serial: int) -> None:
        """The process hears of changes."""
        self.journal.told = serial
        self.tail.news(serial)

    def follow(self, since: int | None, *, eager: bool = False) -> Client:
        """A client comes."""
        client = Client(self.tail.follow(since), eager)
        self.clients.append(client)
        client.take()
        return client

    def settle(self) -> None:
        """Everything that is under way comes to its end, before any sign of life could help it on."""
        for _ in range(100):
            before = None
            while before != (before := (len(self.journal.pending), *(len(one.text) for one in self.clients))):
                while self.journal.pending:
                    self.journal.answer()
                for client in self.clients:
                    client.take()
            self.clock.advance(0.1)


@pytest.fixture
def world() -> World:
    """A tail of nothing."""
    return World()


@pytest.mark.parametrize("seed", range(60))
def test_whatever_comes_when(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever order changes, news, readings and failures come: all get all, once, in order."""
    random = Random(seed)
    monkeypatch.setattr(tail, "PAGE", random.choice([1, 3, 10]))
    monkeypatch.setattr(tail, "MOST_BYTES", random.choice([1, 20, 1000]))
    monkeypatch.setattr(tail, "PIECE", random.choice([1, 8, 100]))
    monkeypatch.setattr(tail, "IN_A_TURN", random.choice([1, 50]))
    world = World()
    journal = world.journal
    for _ in range(300):
        match random.randrange(8):
            case 0:
                journal.last += random.randrange(4)
            case 1:
                world.tell(random.randint(journal.told, journal.last))
            case 2 | 3 if journal.pending:
                journal.answer(random.randrange(len(journal.pending)), fails=random.random() < 0.2)
            case 4 if len(world.clients) < 12:
                world.follow(random.choice([None, random.randint(0, journal.last)]))
            case 5 if world.clients:
                random.choice(world.clients).take()
            case 6:
                world.clock.advance(random.choice([0, 0.5, 2, 20]))
            case 7 if world.clients and random.random() < 0.5:
                leaving = world.clients.pop(random.randrange(len(world.clients)))
                if leaving.waiting is not None:
                    leaving.waiting.addErrback(lambda _: None)
                    leaving.waiting.cancel()
    journal.last += 1
    world.tell(journal.last)
    world.settle()
    for client in world.clients:
        assert client.words == [str(serial) for serial in range(client.begin + 1, journal.last + 1)]


def test_nothing_is_read_without_anybody(world: World) -> None:
    """While nobody follows, news is only news."""
    world.journal.last = 5
    world.tell(5)
    assert world.journal.pending == []
    client = world.follow(None)
    client.take()
    assert world.journal.pending == []


def test_readings_run_ahead_of_news(world: World) -> None:
    """News of what was read already is no sign of another journal."""
    client = world.follow(0)
    client.take()
    world.journal.last = 3
    world.tell(1)
    world.journal.answer()
    world.tell(2)
    world.tell(3)
    world.settle()
    assert client.words == ["1", "2", "3"]


def test_a_journal_that_was_restored(world: World) -> None:
    """When serials are taken back, those who know of later ones are told, and go on from there."""
    late, early = world.follow(0), world.follow(0)
    world.journal.last = 9
    world.tell(9)
    world.settle()
    assert early.words == late.words == [str(serial) for serial in range(1, 10)]
    world.journal.last = 4
    world.tell(4)
    world.journal.last = 6
    world.tell(6)
    world.settle()
    for client in (late, early):
        assert client.words[9:] == ["restart:4", "5", "6"]


def test_those_who_are_behind_share_a_reading(world: World) -> None:
    """Many who come again from one place cost one reading, and hold the same bytes."""
    world.journal.last = 9
    world.tell(9)
    clients = [world.follow(3, eager=True) for _ in range(20)]
    assert len(world.journal.pending) == 1
    world.settle()
    assert world.tail.caught_up == 1
    for client in clients:
        assert client.words == ["4", "5", "6", "7", "8", "9"]


def test_an_end(world: World) -> None:
    """When the tail is closed, everybody gets the last word, and whoever comes later at once."""
    client = world.follow(0)
    client.take()
    waiting = Deferred.fromCoroutine(world.tail.newer(0, 60))
    world.tail.close()
    world.clock.advance(0)
    assert waiting.called
    client.take()
    client.take()
    late = world.follow(None)
    for _ in range(4):
        late.take()
    for one in (client, late):
        assert (one.words, one.ended) == (["end"], True)
    assert world.clock.getDelayedCalls() == []


def test_signs_of_life_end_with_the_last(world: World) -> None:
    """Nothing ticks for nobody."""
    client = world.follow(0)
    client.take()
    world.clock.advance(tail.EVERY)
    assert client.text == "from:0 alive "
    client.take()
    assert client.waiting is not None
    client.waiting.addErrback(lambda _: None)
    client.waiting.cancel()
    world.clock.advance(2 * tail.EVERY)
    assert world.clock.getDelayedCalls() == []


def test_too_many_wait(world: World) -> None:
    """One too many is refused; those who have waited long enough make room."""
    first = [Deferred.fromCoroutine(world.tail.newer(0, 5)) for _ in range(2)]
    refused: Deferred[Any] = Deferred.fromCoroutine(world.tail.newer(0, 5))
    failures: list[Any] = []
    refused.addErrback(failures.append)
    assert failures[0].check(TooManyFollow)
    world.clock.advance(5)
    assert all(one.called for one in first)
    again = Deferred.fromCoroutine(world.tail.newer(0, 5))
    assert not again.called
    world.journal.last = 1
    world.tell(1)
    world.clock.advance(0)
    assert again.called
