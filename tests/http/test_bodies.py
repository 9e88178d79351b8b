"""A body is read once, in order, within bounds, or fails clearly."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from pypi.http.bodies import Body, BodyIncomplete, BodyTooLarge


class Valve:
    """Records what a body asks of its connection."""

    def __init__(self) -> None:
        self.wanted = self.drained = 0

    def body_wanted(self) -> None:
        self.wanted += 1

    def body_drained(self) -> None:
        self.drained += 1


async def test_no_body() -> None:
    """A request without a body has one that is empty and complete."""
    valve = Valve()
    assert await Body(0, valve).read(0) == b""
    assert valve.wanted == 0


@given(pieces=st.lists(st.binary(max_size=50)))
@settings(max_examples=50, deadline=None)
def test_order_is_kept(pieces: list[bytes]) -> None:
    """What is read is what was delivered, whenever the reader begins."""
    body = Body(None)
    got: list[bytes] = []
    for piece in pieces[: len(pieces) // 2]:
        body.deliver(piece, last=False)
    reading = Deferred.fromCoroutine(body.read(10000))
    reading.addCallback(got.append)
    for piece in pieces[len(pieces) // 2 :]:
        body.deliver(piece, last=False)
    assert got == []
    body.deliver(b"", last=True)
    assert got == [b"".join(pieces)]


async def test_read_exactly_the_limit() -> None:
    """A body of just the limit is taken, declared or not."""
    for length in (5, None):
        body = Body(length)
        body.deliver(b"hello", last=True)
        assert await body.read(5) == b"hello"


async def test_sentences() -> None:
    """Refusals say the limit, or what happened."""
    with pytest.raises(BodyTooLarge) as too_large:
        await Body(6).read(5)
    assert str(too_large.value) == "The body of this request may not be larger than 5 bytes."
    body = Body(6)
    body.fail(BodyIncomplete())
    with pytest.raises(BodyIncomplete, match="before its body was complete"):
        await body.read(6)


async def test_asks_once_and_tells_when_drained() -> None:
    """The connection learns of the first read, and of each time there is room again."""
    valve = Valve()
    body = Body(None, valve)
    body.deliver(b"a", last=False)
    assert await body.__anext__() == b"a"
    body.deliver(b"b", last=False)
    assert await body.__anext__() == b"b"
    assert (valve.wanted, valve.drained) == (1, 2)


async def test_full_and_drained() -> None:
    """A body is full at a quarter of its allowance before the first read, at all of it afterwards."""
    body = Body(None, ahead=400)
    body.deliver(b"x" * 99, last=False)
    assert not body.full
    body.deliver(b"x", last=False)
    assert body.full
    await body.__anext__()
    assert not body.full
    body.deliver(b"x" * 399, last=False)
    assert not body.full
    body.deliver(b"x", last=False)
    assert body.full


async def test_failure_behind_the_end_changes_nothing() -> None:
    """A connection that closes behind a complete body does not take it away."""
    body = Body(5)
    body.deliver(b"hello", last=True)
    body.fail(BodyIncomplete())
    assert await body.read(5) == b"hello"


async def test_two_readers() -> None:
    """A second reader at the same time is a mistake in the code, and told so."""
    body = Body(5)
    first = Deferred.fromCoroutine(body.read(5))
    with pytest.raises(RuntimeError, match="already being read"):
        await body.read(5)
    body.deliver(b"hello", last=True)
    assert await first == b"hello"


async def test_cancelled_reader() -> None:
    """A reader that is cancelled lets go, and another may go on."""
    body = Body(5)
    first = Deferred.fromCoroutine(body.read(5))
    first.addErrback(lambda _: None)
    first.cancel()
    body.deliver(b"hello", last=True)
    assert await body.read(5) == b"hello"


def test_repr() -> None:
    """A body's repr tells how far it is."""
    body = Body(10)
    body.deliver(b"hello", last=False)
    assert repr(body) == "<Body arriving, 5 of 10 bytes, 5 unread>"
