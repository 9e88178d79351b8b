"""Requests asked again: at the pace at which they came, a multiple of it, or as fast as they are answered."""

# mypy: allow-untyped-calls

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred

from pypi.shadow.asks import ask
from pypi.shadow.exchange import Caller, Server
from pypi.shadow.lines import Recorded
from pypi.shadow.replies import Reply

TIMEOUT = 30.0
"""Seconds for an answer."""

MOST_HOPS = 5
MOST_UNANSWERED = 200
"""Requests in a row without any answer, after which nobody is asked any more."""

REDIRECTS = frozenset({301, 302, 303, 307, 308})
LOOK = 1.0
"""Seconds between two looks whether somebody takes too long."""


@define(eq=False)
class Ending:
    """How a request ended at one server, redirects and all.

    Attributes:
        last: the last answer.
        first: the status of the first.
        hops: redirects that were followed.
        leaves: whether it ended with a redirect to another server.
        seconds: of all answers together.
    """

    last: Reply
    first: int
    hops: int = 0
    leaves: bool = False
    seconds: float = 0.0

    @property
    def status(self) -> int:
        """Of the last answer; 0 where there was none."""
        return self.last.status


Told = Callable[[Recorded, Sequence[Ending]], object]


@define(eq=False)
class Replay:
    """Asks all servers each request at the same time, over a bounded number of connections.

    Attributes:
        servers: one or two.
        requests: in the order of time, as ``Choice`` gives them.
        reactor: its time, and its connections.
        told: is told how each request ended.
        connections: to each server, at most.
        speed: times as fast as recorded; ``None``: as fast as they are answered.
        follow: whether redirects are followed, as far as they stay at the server.
        timeout: seconds for an answer.
        exchanges: answers so far, those to redirects among them.
        first: when the first request came, and ``last``, the last, in the log's own seconds.
        late: the longest time in seconds a request was asked too late, for all connections were busy.
        seconds: from the first request to the last answer.
        stopped: why it ended before the log did; empty where it did not.
    """

    servers: Sequence[Server]
    requests: Iterable[Recorded]
    reactor: Any = field(repr=False)
    told: Told = field(repr=False)
    connections: int = 16
    speed: float | None = None
    follow: bool = False
    timeout: float = TIMEOUT
    exchanges: int = field(default=0, init=False)
    first: float = field(default=0.0, init=False)
    last: float = field(default=0.0, init=False)
    late: float = field(default=0.0, init=False)
    seconds: float = field(default=0.0, init=False)
    stopped: str = field(default="", init=False)
    _left: Iterator[Recorded] = field(init=False, repr=False)
    _next: Recorded | None = field(default=None, init=False)
    _turns: list[_Turn] = field(factory=list, init=False, repr=False)
    _idle: list[_Turn] = field(factory=list, init=False, repr=False)
    _unanswered: int = field(default=0, init=False)
    _began: float = field(default=0.0, init=False)
    _over: Deferred[None] = field(factory=Deferred, init=False, repr=False)
    _wake: Any = field(default=None, init=False, repr=False)
    _watch: Any = field(default=None, init=False, repr=False)

    async def run(self) -> None:
        """Ask everything.

        Raises:
            Unreadable: the log, from then on.
        """
        self._left = iter(self.requests)
        self._next = next(self._left, None)
        if self._next is None:
            return
        self.first = self.last = self._next.at
        self._began = self.reactor.seconds()
        self._turns = [_Turn(self) for _ in range(self.connections)]
        self._idle = self._turns[::-1]
        self._watch = self.reactor.callLater(LOOK, self._look)
        self._go_on()
        try:
            await self._over
        finally:
            self._end()

    def _go_on(self) -> None:
        """Ask what is due, as far as somebody is free to ask it."""
        self._wake = None
        while self._idle and not self._over.called:
            wait = self._wait()
            if wait is None:
                break
            if wait > 0:
                self._wake = self.reactor.callLater(wait, self._go_on)
                break
            self._idle.pop().take(self._taken())
        if self._next is None and len(self._idle) == len(self._turns) and not self._over.called:
            self._over.callback(None)

    def free(self, turn: _Turn) -> None:
        """Somebody has their answers, and asks what is due."""
        if self._over.called:
            return
        self._idle.append(turn)
        if self._wake is None:
            self._go_on()

    def _wait(self) -> float | None:
        """Seconds until the next request is due; ``None`` if there is none."""
        if self._next is None:
            return None
        if self.speed is None:
            return 0.0
        # Logs tell of requests when they were over, so some came a moment before those above them.
        at = max(self._next.at, self.last)
        wait: float = self._began + (at - self.first) / self.speed - self.reactor.seconds()
        self.late = max(self.late, -wait)
        return wait

    def _taken(self) -> Recorded:
        taken = self._next
        assert taken is not None
        self.last = max(self.last, taken.at)
        try:
            self._next = next(self._left, None)
        except Exception:
            self._next = None
            self._over.errback()
        return taken

    def ended(self, recorded: Recorded, endings: Sequence[Ending]) -> None:
        """A request has ended everywhere."""
        self.told(recorded, endings)
        if any(ending.status for ending in endings):
            self._unanswered = 0
            return
        self._unanswered += 1
        if self._unanswered >= MOST_UNANSWERED:
            self.stop("Nobody answered any more.")

    def stop(self, why: str) -> None:
        """Ask nothing more.

        Args:
            why: a sentence.
        """
        if self._turns and not self._over.called:
            self.stopped = why
            self._over.callback(None)

    def _look(self) -> None:
        """Give up what takes too long: one look a second costs less than a deadline for each request."""
        self._watch = self.reactor.callLater(LOOK, self._look)
        oldest = self.reactor.seconds() - self.timeout
        for turn in self._turns:
            for caller in turn.callers:
                if not caller.is_free and caller.began < oldest:
                    caller.give_up(f"no answer within {self.timeout:g} s")

    def _end(self) -> None:
        self.seconds = self.reactor.seconds() - self._began
        for call in (self._wake, self._watch):
            if call is not None and call.active():
                call.cancel()
        for turn in self._turns:
            for caller in turn.callers:
                caller.drop()


class _Turn:
    """One request at a time, at every server at once."""

    def __init__(self, replay: Replay) -> None:
        self._replay = replay
        clock = replay.reactor.seconds
        self.callers = [Caller(server, clock) for server in replay.servers]
        self._endings: list[Ending | None] = []
        self._recorded: Recorded | None = None
        self._waiting = 0

    def take(self, recorded: Recorded) -> None:
        """Ask it."""
        self._recorded = recorded
        self._waiting = len(self.callers)
        self._endings = [None] * self._waiting
        for place in range(self._waiting):
            self._ask(place, recorded.target)

    def _ask(self, place: int, target: str) -> None:
        caller, recorded = self.callers[place], self._recorded
        assert recorded is not None
        request = ask(
            recorded.method, target, host=caller.server.host, agent=recorded.agent, body=recorded.body
        )
        caller.ask(request, lambda reply: self._answered(place, reply))

    def _answered(self, place: int, reply: Reply) -> None:
        replay, ending = self._replay, self._endings[place]
        replay.exchanges += 1
        if ending is None:
            ending = self._endings[place] = Ending(reply, reply.status)
        ending.last = reply
        ending.seconds += reply.seconds
        if reply.status in REDIRECTS:
            target = self._followed(place, reply, ending)
            if target is not None:
                ending.hops += 1
                self._ask(place, target)
                return
        self._waiting -= 1
        if not self._waiting:
            self._over()

    def _followed(self, place: int, reply: Reply, ending: Ending) -> str | None:
        """Where a redirect leads, if it is followed."""
        recorded = self._recorded
        if not self._replay.follow or recorded is None or recorded.method == "POST":
            return None
        target = self.callers[place].server.path_of(reply.header("Location"))
        ending.leaves = target is None
        return None if ending.hops >= MOST_HOPS else target

    def _over(self) -> None:
        recorded, self._recorded = self._recorded, None
        assert recorded is not None
        self._replay.ended(recorded, [ending for ending in self._endings if ending is not None])
        self._replay.free(self)
