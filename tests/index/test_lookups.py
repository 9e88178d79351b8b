"""Many small questions, in few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.task import Clock

from pypi.domain.errors import Unavailable
from pypi.index.lookups import MOST_AT_ONCE, MOST_UNDER_WAY, Gathering


class Source:
    """Answers when it is told to: every key that has a letter in it leads to itself in capitals."""

    def __init__(self) -> None:
        self.asked: list[Sequence[str]] = []
        self.answers: list[Deferred[None]] = []

    async def __call__(self, keys: Sequence[str]) -> Mapping[str, str]:
        self.asked.append(keys)
        answer: Deferred[None] = Deferred()
        self.answers.append(answer)
        await answer
        return {key: key.upper() for key in keys if key.isalpha()}


@pytest.fixture
def source() -> Source:
    """A source that was not asked anything yet."""
    return Source()


@pytest.fixture
def clock() -> Clock:
    """A clock that stands still."""
    return Clock()


def test_one_turn_is_one_statement(source: Source, clock: Clock) -> None:
    """What is asked in one turn goes together, each key once, and each gets its own answer."""
    gathering = Gathering(source, clock)
    found = [ensureDeferred(gathering.find(key)) for key in ("a", "b", "a", "1")]
    assert source.asked == []
    clock.advance(0)
    assert source.asked == [("a", "b", "1")]
    source.answers[0].callback(None)
    assert [one.result for one in found] == ["A", "B", "A", None]
    assert repr(gathering) == "<Gathering of 4 questions in 1 statements>"


def test_who_comes_later_is_not_told_what_was_seen_before(source: Source, clock: Clock) -> None:
    """A question goes into a statement that begins after it was asked."""
    gathering = Gathering(source, clock)
    ensureDeferred(gathering.find("a"))
    clock.advance(0)
    ensureDeferred(gathering.find("a"))
    clock.advance(0)
    assert source.asked == [("a",), ("a",)]


def test_busy_source(source: Source, clock: Clock) -> None:
    """While some statements are under way, questions gather for the next."""
    gathering = Gathering(source, clock)
    for number in range(MOST_UNDER_WAY):
        ensureDeferred(gathering.find(f"first{number}"))
        clock.advance(0)
    later = [ensureDeferred(gathering.find(key)) for key in ("b", "c")]
    clock.advance(0)
    assert len(source.asked) == MOST_UNDER_WAY
    source.answers[0].callback(None)
    assert source.asked[-1] == ("b", "c")
    source.answers[-1].callback(None)
    assert [one.result for one in later] == ["B", "C"]


def test_bounded_statements(source: Source, clock: Clock) -> None:
    """A statement asks for so many things and no more."""
    gathering = Gathering(source, clock)
    found = [ensureDeferred(gathering.find("a" * number)) for number in range(1, MOST_AT_ONCE + 3)]
    clock.advance(0)
    assert [len(keys) for keys in source.asked] == [MOST_AT_ONCE]
    source.answers[0].callback(None)
    assert [len(keys) for keys in source.asked] == [MOST_AT_ONCE, 2]
    source.answers[1].callback(None)
    assert all(one.called for one in found)


def test_failure(source: Source, clock: Clock) -> None:
    """Everybody in a statement hears that it failed; those who come later are not concerned."""
    gathering = Gathering(source, clock)
    found = [ensureDeferred(gathering.find(key)) for key in ("a", "b")]
    clock.advance(0)
    source.answers[0].errback(Unavailable())
    for one in found:
        failures: list[object] = []
        one.addErrback(failures.append)
        assert len(failures) == 1
    later = ensureDeferred(gathering.find("a"))
    clock.advance(0)
    source.answers[1].callback(None)
    assert later.result == "A"


def test_those_who_leave(source: Source, clock: Clock) -> None:
    """Who does not wait any more keeps nobody from getting an answer."""
    gathering = Gathering(source, clock)
    leaving, staying = (ensureDeferred(gathering.find("a")) for _ in range(2))
    leaving.addErrback(lambda _: None)
    leaving.cancel()
    clock.advance(0)
    source.answers[0].callback(None)
    assert staying.result == "A"
