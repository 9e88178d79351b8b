"""Every raw probe gets the statuses it must, whatever way its bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pypi.http.request import Request
from tests.http.memory import Service, Wire, errors_logged, reply, serve
from tests.http.probes import NEXT, PROBES, Probe

SHORT = [probe for probe in PROBES if len(probe.sent) < 1500]


def service() -> tuple[Service, list[bytes]]:
    """A site whose handler reads every body and answers 200, and the bodies it has read."""
    bodies: list[bytes] = []

    async def read_all(request: Request) -> None:
        body = await request.body.read(1 << 20)
        bodies.append(body)
        reply(request, b"read")

    return serve(read_all), bodies


def verdict(wire: Wire) -> tuple[int, ...]:
    """Final statuses of all answers."""
    return tuple(status for status in wire.statuses if status != 100)


def check(probe: Probe, pieces: list[bytes]) -> None:
    """Send a probe in pieces and compare everything that can be seen."""
    made, bodies = service()
    wire = made.connect()
    wire.send(*pieces)
    assert verdict(wire) == probe.statuses
    if probe.bodies is not None:
        assert tuple(bodies) == probe.bodies
    if probe.open and wire.channel._reader.begun:
        made.clock.advance(11)
        assert verdict(wire) == (*probe.statuses, 408)
        return
    before = len(verdict(wire))
    wire.send(NEXT)
    assert len(verdict(wire)) == before + (1 if probe.open else 0)
    assert wire.transport.closed is not probe.open
    final = [answer for answer in wire.answers() if answer.status != 100]
    assert all(b"content-length" in answer.headers for answer in final)
    said_close = [answer.headers.get(b"connection") == b"close" for answer in final]
    assert said_close == [False] * (len(final) - 1) + [not probe.open]


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_whole(probe: Probe) -> None:
    """A probe sent in one piece gets its statuses, and the connection is left as it must be."""
    with errors_logged() as errors:
        check(probe, [probe.sent])
    assert errors == []


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_byte_by_byte(probe: Probe) -> None:
    """The same probe sent one byte at a time is understood the same way."""
    check(probe, [probe.sent[at : at + 1] for at in range(len(probe.sent))])


@pytest.mark.parametrize("probe", SHORT, ids=lambda probe: probe.name)
def test_cut_in_two(probe: Probe) -> None:
    """A probe cut once, anywhere, is understood the same way."""
    step = 1 + len(probe.sent) // 200
    for at in range(1, len(probe.sent), step):
        made, _ = service()
        wire = made.connect()
        wire.send(probe.sent[:at], probe.sent[at:])
        assert verdict(wire) == probe.statuses, at


@given(probe=st.sampled_from(SHORT), data=st.data())
@settings(max_examples=150, deadline=None)
def test_cut_anywhere(probe: Probe, data: st.DataObject) -> None:
    """A probe cut at any set of places is understood the same way."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(probe.sent) - 1), max_size=12)))
    edges = [0, *cuts, len(probe.sent)]
    check(probe, [probe.sent[start:end] for start, end in pairwise(edges)])


@given(first=st.sampled_from(SHORT), noise=st.binary(max_size=200))
@settings(max_examples=100, deadline=None)
def test_mutations_end_in_answers(first: Probe, noise: bytes) -> None:
    """Whatever bytes are mixed into a request, there is no traceback, and each answer is whole."""
    made, _ = service()
    wire = made.connect()
    middle = len(first.sent) // 2
    with errors_logged() as errors:
        wire.send(first.sent[:middle] + noise + first.sent[middle:])
        made.clock.advance(200)
        wire.pump()
    assert errors == []
    assert all(status < 500 or status in (501, 505) for status in wire.statuses)
