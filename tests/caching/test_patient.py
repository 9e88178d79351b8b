"""An endpoint that goes on trying: how often, how quietly, and how it is given up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent, globalLogPublisher

from caching.patient import Patient


@define
class Server:
    """Something to connect to, as an endpoint."""

    up: bool = False
    tried: int = 0
    hanging: list[Deferred[Any]] | None = None

    def connect(self, factory: Any) -> Deferred[Any]:
        """A connection, a refusal, or nothing for long."""
        self.tried += 1
        made: Deferred[Any] = Deferred()
        if self.hanging is not None:
            self.hanging.append(made)
        elif self.up:
            made.callback("connection")
        else:
            made.errback(ConnectionRefusedError())
        return made


@define
class Trying:
    """Somebody who wants two connections."""

    server: Server = field(factory=Server)
    clock: Clock = field(factory=Clock)
    got: list[Any] = field(factory=list)
    endpoint: Patient = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.endpoint = Patient("the server", self.server, self.clock, 0.1, 1.0)

    def connect(self) -> Deferred[Any]:
        """One more connection."""
        return self.endpoint.connect(None).addBoth(self.got.append)


@pytest.fixture
def logged() -> Iterator[list[str]]:
    lines: list[str] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_namespace") == "caching.patient":
            lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    yield lines
    globalLogPublisher.removeObserver(observe)


def test_a_server_that_is_there(logged: list[str]) -> None:
    """A connection that is made at once is nothing to speak of."""
    trying = Trying(Server(up=True))
    trying.connect()
    assert (trying.got, logged) == (["connection"], [])


def test_a_server_that_is_away_for_long(logged: list[str]) -> None:
    """However long it is away, and however many try: one line when it goes, one when it is back."""
    trying = Trying()
    trying.connect(), trying.connect()
    for _ in range(600):
        trying.clock.advance(1)
    assert logged == ["the server is away, and will be tried again: Connection was refused by other side."]
    assert 1000 < trying.server.tried < 1300
    trying.server.up = True
    trying.clock.advance(1)
    assert (trying.got, logged[1:]) == (["connection"] * 2, ["the server is back"])


def test_the_next_time(logged: list[str]) -> None:
    """Each time it goes away is told anew."""
    trying = Trying()
    for _ in range(2):
        trying.server.up = False
        trying.connect()
        trying.server.up = True
        trying.clock.advance(1)
    assert [line.partition(",")[0] for line in logged] == ["the server is away", "the server is back"] * 2


@pytest.mark.parametrize("hanging", [False, True])
def test_giving_up(hanging: bool) -> None:
    """Who gives up leaves nothing behind, be it while trying or between."""
    trying = Trying()
    trying.server.hanging = [] if hanging else None
    connecting = trying.connect()
    connecting.cancel()
    assert trying.got[0].check(CancelledError)
    assert trying.clock.getDelayedCalls() == []
    trying.clock.advance(10)
    assert trying.server.tried == 1


def test_what_it_says_of_itself() -> None:
    """It is named in the log by what it connects to, so no password is ever shown."""
    assert repr(Trying().endpoint) == "<the server>"
