"""The present: the date of every answer, and how much memory is trusted."""

from __future__ import annotations

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from caching.kept import Kept
from caching.moment import ALL_JOINED, Moment, Trust
from tests.caching.support import a_kept, an_entry

START = 784_111_777.0
FIRST, SECOND = b"Sun, 06 Nov 1994 08:49:37 GMT", b"Sun, 06 Nov 1994 08:49:38 GMT"


class Present:
    """A moment and its clock."""

    def __init__(self, fraction: float = 0.0) -> None:
        self.clock = Clock()
        self.clock.rightNow = 50.0
        self.moment = Moment(self.clock, lambda: START + fraction - 50 + self.clock.seconds(), b"srv", "test")
        Deferred.fromCoroutine(self.moment.start())

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def stop(self) -> None:
        """Let time stand still."""
        Deferred.fromCoroutine(self.moment.stop())


@pytest.fixture
def present() -> Present:
    return Present()


def head(code: int, reason: str, date: bytes, cache: str = "hit", *more: str) -> bytes:
    lines = [
        f"HTTP/1.1 {code} {reason}",
        "Server: srv",
        f"Date: {date.decode()}",
        f"Cache-Status: test-l1; {cache}",
    ]
    return "\r\n".join([*lines, *more, ""]).encode()


# The date


def test_beginnings_of_answers(present: Present) -> None:
    """Every answer from memory begins with status, server, date and where it comes from."""
    assert present.moment.head(200) == present.moment.ok == head(200, "OK", FIRST)
    assert present.moment.head(304) == present.moment.unchanged == head(304, "Not Modified", FIRST)
    assert present.moment.head(404) == head(404, "Not Found", FIRST)


def test_the_date_is_renewed() -> None:
    """The date changes with the second of the wall clock, wherever in a second the process began."""
    present = Present(fraction=0.75)
    present.advance(0.2)
    assert present.moment.date == FIRST
    present.advance(0.06)
    assert (present.moment.date, present.moment.now) == (SECOND, pytest.approx(50.26))
    assert SECOND in present.moment.ok
    assert SECOND in present.moment.unchanged


def test_time_stands_still(present: Present) -> None:
    """Once it is stopped, nothing is left in the reactor; stopping twice does no harm."""
    present.stop()
    present.stop()
    assert present.clock.getDelayedCalls() == []
    present.advance(100)
    assert present.moment.date == FIRST


# Joined answers


def kept_of(size: int) -> Kept:
    return a_kept(entry=an_entry(b"x" * size))


def test_head_and_body_in_one_piece(present: Present) -> None:
    """The whole answer is put together once a second."""
    kept = kept_of(10)
    whole = present.moment.joined(kept, kept.packed)
    assert whole == present.moment.ok + kept.shared + b'ETag: "x"\r\nContent-Length: 10\r\n\r\n' + b"x" * 10
    assert kept.packed.joined is whole
    present.advance(1.1)
    assert kept.packed.joined is None
    assert SECOND in present.moment.joined(kept, kept.packed)


def test_all_pieces_together_are_bounded(present: Present) -> None:
    """Beyond the bound answers are still put together, but not kept; each second begins anew."""
    pages = [kept_of(60_000) for _ in range(2 * ALL_JOINED // 60_000)]
    wholes = [present.moment.joined(kept, kept.packed) for kept in pages]
    assert len(set(map(len, wholes))) == 1
    held = [kept.packed.joined for kept in pages if kept.packed.joined is not None]
    assert ALL_JOINED - 70_000 < sum(map(len, held)) <= ALL_JOINED
    present.advance(1.1)
    assert [kept.packed.joined for kept in pages] == [None] * len(pages)
    present.moment.joined(pages[-1], pages[-1].packed)
    assert pages[-1].packed.joined is not None


def test_another_code_in_one_piece(present: Present) -> None:
    """Redirects and refusals begin with their own status."""
    kept = a_kept(entry=an_entry(b"", code=301, etag=None))
    assert present.moment.joined(kept, kept.packed).startswith(head(301, "Moved Permanently", FIRST))


# Trust


def test_what_is_fresh(present: Present) -> None:
    """While memory is trusted, its clock is the reactor's; doubted, nothing is fresh; alone, nearly all."""
    kept = kept_of(1)
    assert kept.fresh_until > present.moment.now
    present.moment.set(Trust.DOUBTED)
    assert not kept.fresh_until > present.moment.now
    present.moment.set(Trust.ALONE)
    present.advance(1000)
    assert kept.fresh_until > present.moment.now
    kept.touch()
    assert not kept.fresh_until > present.moment.now
    present.moment.set(Trust.FRESH)
    assert present.moment.now == 1050.0


def test_age_is_told(present: Present) -> None:
    """An answer that nobody can vouch for says so, and for how long."""
    present.advance(0.5)
    present.moment.set(Trust.ALONE)
    stale = "fwd=stale; detail=source-down"
    assert present.moment.ok == head(200, "OK", FIRST, stale, "Age: 1")
    for seconds in (0.6, 0.8, 0.2, 0.45):
        present.advance(seconds)
    assert (present.moment.age, present.moment.told_age) == (2, 1)  # all answers of a second tell one age
    present.advance(0.5)
    assert present.moment.told_age == 2
    assert present.moment.status == f"test-l1; {stale}"
    date = present.moment.date
    assert present.moment.ok == head(200, "OK", date, stale, "Age: 2")
    assert present.moment.head(404) == head(404, "Not Found", date, stale, "Age: 2")
    present.moment.set(Trust.FRESH)
    assert present.moment.age == 0
    assert present.moment.ok == head(200, "OK", date)


def test_doubt_is_counted_from_its_beginning(present: Present) -> None:
    """From doubt to standing alone the age goes on; after trust it begins anew."""
    present.moment.set(Trust.DOUBTED)
    present.advance(10)
    present.moment.set(Trust.ALONE)
    assert present.moment.age == 10
    present.moment.set(Trust.FRESH)
    present.moment.set(Trust.DOUBTED)
    assert present.moment.age == 1


def test_a_change_of_trust_shows_at_once(present: Present) -> None:
    """What was put together before is not sent with the words of another trust."""
    kept = kept_of(10)
    present.moment.joined(kept, kept.packed)
    present.moment.set(Trust.ALONE)
    assert kept.packed.joined is None
    assert b"fwd=stale" in present.moment.joined(kept, kept.packed)


def test_what_it_says_of_itself(present: Present) -> None:
    """A moment is recognised in a log."""
    assert repr(present.moment) == f"<Moment {FIRST.decode()}, fresh>"
