"""Hearing of changes: none is missed whatever is lost, and who cannot hear knows it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from caching.invalidations import BATCH, BLIND, PRELOAD, TOO_FAR, Invalidations
from caching.tags import Known
from tests.http.memory import errors_logged


@define(eq=False)
class Journal:
    """A journal that can fail, hang, and lose what it had.

    Attributes:
        lines: the tags of each change, the first of serial 1.
        fails: whether it fails.
        hangs: whether it never answers.
        asked: serials after which changes were asked for.
    """

    lines: list[tuple[str, ...]] = field(factory=list)
    fails: bool = False
    hangs: bool = False
    asked: list[int] = field(factory=list)
    waiting: Deferred[None] | None = None
    missing: set[int] = field(factory=set)

    def write(self, *tags: str) -> int:
        """One more change; its serial."""
        self.lines.append(tags)
        return len(self.lines)

    async def since(self, serial: int, limit: int) -> Sequence[tuple[int, Sequence[str]]]:
        """As a database answers."""
        self.asked.append(serial)
        await self._answer()
        found = enumerate(self.lines[serial : serial + limit], start=serial + 1)
        return [(number, list(tags)) for number, tags in found if number not in self.missing]

    async def last(self) -> int:
        """As a database answers."""
        await self._answer()
        return len(self.lines)

    async def _answer(self) -> None:
        if self.hangs:
            self.waiting = Deferred()
            await self.waiting
        if self.fails:
            raise ConnectionError("the journal is away")


@define(eq=False)
class Shelf:
    """A shared store that only remembers what it was told."""

    touched: list[tuple[int, tuple[str, ...]]] = field(factory=list)
    wiped: int = 0
    away: bool = False
    has_seen: int = 0

    async def touch(self, serial: int, tags: tuple[str, ...]) -> None:
        """Be told of a change."""
        self.touched.append((serial, tags))

    async def newest(self) -> int:
        """The largest serial."""
        return self.has_seen

    async def forget_all(self) -> bool:
        """Be emptied."""
        self.wiped += not self.away
        return not self.away


@define(eq=False)
class Process:
    """One process: what it knows, and what its memory was told."""

    journal: Journal = field(factory=Journal)
    clock: Clock = field(factory=Clock)
    known: Known = field(factory=Known)
    shelf: Shelf = field(factory=Shelf)
    forgotten: list[tuple[int, tuple[str, ...]]] = field(factory=list)
    health: list[bool] = field(factory=list)
    doubts: list[float] = field(factory=list)
    wiped: int = 0
    it: Invalidations = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.it = Invalidations(
            clock=self.clock,
            known=self.known,
            since=self.journal.since,
            last=self.journal.last,
            forget=lambda serial, tags: self.forgotten.append((serial, tags)),
            forget_all=self._wipe,
            shared=self.shelf,
            on_health=self.health.append,
            on_doubt=lambda: self.doubts.append(self.clock.seconds()),
        )

    def _wipe(self) -> None:
        self.wiped += 1

    def start(self) -> Process:
        """Begin to listen."""
        now(self.it.start())
        return self

    def pass_by(self, seconds: float) -> None:
        """Let time pass, in small steps."""
        self.clock.pump([0.125] * int(seconds * 8))


def now(work: Any) -> Any:
    """What comes out at once."""
    results: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(results.append)
    assert results, "it waits for something"
    return results[0]


@pytest.fixture
def process() -> Iterator[Process]:
    """One that has been listening to an empty journal for a moment."""
    made = Process().start()
    yield made
    now(made.it.stop())
    assert made.clock.getDelayedCalls() == []


def test_changes_are_heard_of_within_a_second(process: Process) -> None:
    """Without any hint every change is applied by the next look, in order."""
    process.journal.write("a", "journal")
    process.journal.write("b")
    process.pass_by(1)
    assert process.forgotten == [(1, ("a", "journal")), (2, ("b",))]
    assert (process.known.last, process.known.of(["a"]), process.known.of(["b"])) == (2, 1, 2)
    process.pass_by(3)
    assert len(process.forgotten) == 2
    assert process.health == [True]


def test_a_hint_is_followed_at_once(process: Process) -> None:
    """Whoever hints at a change need not wait for the second to end."""
    process.journal.write("a")
    process.it.hint()
    assert process.known.last == 1


def test_hints_during_a_look(process: Process) -> None:
    """However many hints come during a look, exactly one more look follows it."""
    process.journal.hangs = True
    process.it.hint()
    asked = len(process.journal.asked)
    for _ in range(5):
        process.it.hint()
    assert len(process.journal.asked) == asked
    process.journal.write("a")
    process.journal.hangs = False
    assert process.journal.waiting is not None
    process.journal.waiting.callback(None)
    assert len(process.journal.asked) == asked + 1
    assert process.known.last == 1


def test_what_is_heard_in_order_need_not_be_looked_for(process: Process) -> None:
    """A message that continues what is known is applied as it is, without asking anybody."""
    process.journal.write("a")
    process.journal.write("b")
    asked = len(process.journal.asked)
    process.it.hear(1, 2, ["a", "b"])
    assert process.known.last == 2
    assert process.forgotten == [(2, ("a", "b"))]
    assert len(process.journal.asked) == asked


def test_what_is_heard_after_a_gap(process: Process) -> None:
    """A message after a lost one is applied at once, and what was lost is looked for at once."""
    for tag in "abc":
        process.journal.write(tag)
    process.it.hear(3, 3, ["c"])
    assert process.forgotten[0] == (3, ("c",))
    assert {tag for _, tags in process.forgotten for tag in tags} == {"a", "b", "c"}
    assert process.known.last == 3


def test_what_is_heard_twice(process: Process) -> None:
    """An old message takes nothing back and causes no look."""
    process.journal.write("a")
    process.pass_by(1)
    asked = len(process.journal.asked)
    process.it.hear(1, 1, ["a"])
    assert (process.known.last, len(process.journal.asked)) == (1, asked)


def test_announcing(process: Process) -> None:
    """Whoever acknowledges a change has told memory, what is known and the shared store before that."""
    process.journal.write("x")
    serial = process.journal.write("a", "b")
    now(process.it.announce(serial, ["a", "b"]))
    assert process.forgotten[0] == (2, ("a", "b"))
    assert not process.known.admits(1, ["a"])
    assert process.shelf.touched == [(2, ("a", "b"))]
    assert process.known.last == 2  # looked for at once, since another's change came before


def test_announcing_never_fails(process: Process) -> None:
    """A change is committed, whatever happens while it is announced."""
    process.journal.fails = True

    process.it.forget = lambda serial, tags: {}[serial]
    with errors_logged() as errors:
        now(process.it.announce(1, ["a"]))
    assert len(errors) == 1
    assert not process.known.admits(0, ["a"])


def test_catching_up(process: Process) -> None:
    """Who catches up knows all that was committed before; a look that began earlier does not count."""
    process.journal.hangs = True
    process.it.hint()
    process.journal.write("a")
    done: list[None] = []
    Deferred.fromCoroutine(process.it.catch_up()).addCallback(done.append)
    first, process.journal.hangs = process.journal.waiting, False
    assert first is not None
    assert done == []
    first.callback(None)
    assert done == [None]
    assert process.known.last == 1


def test_catching_up_in_vain(process: Process) -> None:
    """Nobody who catches up waits for ever for a journal that does not answer, nor after the end."""
    process.journal.hangs = True
    done: list[None] = []
    Deferred.fromCoroutine(process.it.catch_up()).addCallback(done.append)
    process.pass_by(2)
    assert done == [None]
    Deferred.fromCoroutine(process.it.catch_up()).addCallback(done.append)
    now(process.it.stop())
    assert done == [None] * 2
    now(process.it.catch_up())


@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_going_blind_and_seeing_again(process: Process, how: str) -> None:
    """After five seconds without a look that succeeded, nothing kept is trusted; until nothing is missing."""
    setattr(process.journal, how, True)
    process.pass_by(BLIND - 1)
    assert process.health == [True]
    assert not process.it.is_blind
    process.journal.write("a")
    process.pass_by(2)
    assert process.health == [True, False]
    assert process.it.is_blind
    assert process.it.behind_seconds > BLIND
    process.pass_by(30)
    assert process.health == [True, False]
    seen_when_healthy: list[int] = []
    process.it.on_health = lambda _: seen_when_healthy.append(process.known.last)
    setattr(process.journal, how, False)
    process.pass_by(4)
    assert seen_when_healthy == [1]
    assert process.it.behind_seconds < 2


def test_a_halted_process_knows_it(process: Process) -> None:
    """Time that passed unnoticed counts: no timer has to fire first."""
    process.clock.rightNow += 30
    assert process.it.is_blind


@pytest.mark.parametrize("seconds", [3.0, 30.0])
@pytest.mark.parametrize("looking", [False, True])
def test_after_a_halt_nothing_is_trusted_unseen(process: Process, seconds: float, looking: bool) -> None:
    """The first call after a halt doubts what is kept, and looks at once; no source has failed."""
    process.pass_by(2)
    if looking:
        process.journal.hangs = True
        process.it.hint()
    process.journal.write("a")
    process.journal.hangs = False
    seen = process.forgotten.copy()
    process.it.on_doubt = lambda: process.doubts.append(len(process.forgotten))
    process.clock.advance(seconds + 1)
    assert process.doubts == [len(seen)]
    assert process.forgotten == [*seen, (1, ("a",))]
    assert process.health == [True, True]
    process.pass_by(30)
    assert (process.health, len(process.doubts)) == ([True, True], 1)


def test_a_halt_and_then_no_journal(process: Process) -> None:
    """Whoever wakes and finds the journal away goes blind in his time."""
    process.journal.hangs = True
    process.clock.advance(30)
    assert (process.doubts, process.health) == ([30], [True])
    process.pass_by(BLIND - 1)
    assert process.health == [True]
    process.pass_by(2)
    assert process.health == [True, False]
    process.journal.hangs = False
    process.pass_by(4)
    assert process.health == [True, False, True]


def test_a_failing_journal_is_not_stormed(process: Process) -> None:
    """A look that fails is repeated once a second, not at once."""
    process.journal.fails = True
    before = len(process.journal.asked)
    process.pass_by(10)
    assert 8 <= len(process.journal.asked) - before <= 11


def test_beginning_blind() -> None:
    """A process starts without its journal, knows that it is blind, and sees when it can."""
    process = Process()
    process.journal.write("a")
    process.journal.fails = True
    process.start()
    assert process.health == [False]
    process.journal.fails = False
    process.pass_by(1)
    assert process.health == [False, True]
    assert process.known.of(["a"]) == 1
    now(process.it.stop())


def test_beginning_late() -> None:
    """At the start the latest changes are read; what others kept since then is of use, nothing older."""
    process = Process()
    for number in range(PRELOAD + 500):
        process.journal.write(f"tag-{number}")
    process.start()
    assert (process.known.last, process.known.floor) == (PRELOAD + 500, 500)
    assert process.known.of([f"tag-{PRELOAD}"]) == PRELOAD + 1
    assert process.known.admits(500, ["untouched"])
    assert not process.known.admits(499, ["untouched"])
    now(process.it.stop())


def test_many_changes_at_once(process: Process) -> None:
    """More changes than are read at a time are all applied in one look."""
    for number in range(3 * BATCH + 7):
        process.journal.write(f"tag-{number}")
    process.pass_by(1)
    assert process.known.last == 3 * BATCH + 7
    assert len(process.forgotten) == 3 * BATCH + 7
    assert process.wiped == 0


def test_too_many_changes(process: Process) -> None:
    """Who is too far behind forgets everything and goes on from there."""
    process.journal.lines = [("tag",)] * (TOO_FAR + 2 * BATCH)
    process.pass_by(1)
    assert (process.known.last, process.wiped) == (TOO_FAR + 2 * BATCH, 1)
    assert not process.known.admits(TOO_FAR, ["whatever"])
    assert len(process.forgotten) <= BATCH


def test_a_journal_that_was_set_back(process: Process) -> None:
    """When serials are taken back, everything is forgotten, and new changes are heard of as before."""
    for tag in "abcde":
        process.journal.write(tag)
    process.pass_by(1)
    del process.journal.lines[2:]
    process.pass_by(1)
    assert (process.known.last, process.wiped, process.shelf.wiped) == (2, 1, 1)
    process.journal.write("x")
    process.pass_by(1)
    assert process.known.of(["x"]) == 3
    process.pass_by(5)
    assert (process.wiped, process.shelf.wiped) == (1, 1)


def test_a_journal_emptied(process: Process) -> None:
    """An empty journal after a full one is a beginning like any other."""
    process.journal.write("a")
    process.pass_by(1)
    process.journal.lines.clear()
    process.pass_by(2)
    assert (process.known.last, process.wiped) == (0, 1)
    assert process.journal.write("b") == 1
    process.pass_by(1)
    assert process.known.of(["b"]) == 1


def test_a_line_that_is_missing(process: Process) -> None:
    """What a missing line touched is unknown, so everything before it is forgotten."""
    for tag in "abc":
        process.journal.write(tag)
    process.journal.missing.add(2)
    process.pass_by(1)
    assert (process.known.last, process.wiped) == (3, 1)
    assert not process.known.admits(2, ["whatever"])


def test_a_store_of_another_past() -> None:
    """Entries that were shared before a database was restored are removed when the first process starts."""
    process = Process()
    process.journal.write("a")
    process.shelf.has_seen, process.shelf.away = 9, True
    process.start()
    assert process.shelf.wiped == 0
    process.shelf.away = False
    process.pass_by(3)
    assert process.shelf.wiped == 1
    now(process.it.stop())


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens(seed: int) -> None:
    """Hints lost, repeated and out of order, failures and hangs: when they are over, all is known."""
    random = Random(seed)
    process = Process().start()
    journal = process.journal
    for _ in range(400):
        match random.randrange(10):
            case 0 | 1 | 2:
                serial = journal.write(*random.sample("abcdef", 2))
                if random.random() < 0.5:
                    process.it.hear(serial, serial, journal.lines[-1])
            case 3:
                process.it.hint()
            case 4 if journal.lines:
                serial = random.randint(1, len(journal.lines))
                process.it.hear(serial, serial, journal.lines[serial - 1])
            case 5:
                journal.fails, journal.hangs = random.choice([(True, False), (False, True), (False, False)])
            case 6 if journal.lines:
                Deferred.fromCoroutine(process.it.announce(len(journal.lines), journal.lines[-1]))
        process.pass_by(random.choice([0, 0.125, 0.5]))
        assert process.known.last <= len(journal.lines)
    journal.fails = journal.hangs = False
    process.pass_by(4)
    true = {tag: serial for serial, tags in enumerate(journal.lines, start=1) for tag in tags}
    assert process.known.last == len(journal.lines)
    assert {tag: process.known.of([tag]) for tag in true} == true
    told = {tag: serial for serial, tags in sorted(process.forgotten) for tag in tags}
    assert told == true
    assert process.it.is_blind is False
    now(process.it.stop())
    assert process.clock.getDelayedCalls() == []


# Whoever wants to know


def test_news_are_told_once_known(process: Process) -> None:
    """Who wants to know is told how far all is known: by hints, by looks, and when serials are taken back."""
    told: list[int] = []
    process.it.on_news = told.append
    process.journal.write("a")
    process.it.hear(1, 1, ["a"])
    assert told == [1]
    process.journal.write("b")
    process.journal.write("c")
    process.it.hear(3, 3, ["c"])  # the second was not told: it has to be looked for
    assert told == [1, 3]
    process.pass_by(3)
    assert told == [1, 3]
    del process.journal.lines[1:]
    process.pass_by(2)
    assert told == [1, 3, 1]
