"""Live traffic shown to a second server: some of the safe requests are asked there as well.

It learns of them by the lines of the access log, after they were answered, so no client waits for it and the
fast lane does nothing for it. What a line does not say is not asked: no credentials, no cookies, and no
conditions. Whatever the second server answers is counted, compared by its status, and thrown away.
"""

# mypy: allow-untyped-calls

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from math import log as logarithm
from math import log1p
from random import SystemRandom
from typing import Any

from attrs import define, field
from twisted.logger import Logger

from caching.figures import Figure, Histogram, counter, gauge
from pypi.shadow.asks import ask
from pypi.shadow.choice import sendable
from pypi.shadow.compare import is_there
from pypi.shadow.exchange import Caller, Server
from pypi.shadow.lines import Malformed, Recorded, parse
from pypi.shadow.replies import Reply
from pypi.shadow.tally import Offenders

log = Logger()

MARK = "Cheeseshop-Shadow"
"""Name of the header on every request that is asked on behalf of nobody, and the end of its agent's name, by
which the access log tells: what bears it is not shown on."""

CONNECTIONS = 4
MOST_WAITING = 1000
"""Requests that wait to be asked; what comes beyond that is dropped, and counted."""

MOST_BYTES = 1 << 20
"""Of an answer that are read; a file need not come twice from beginning to end."""

TIMEOUT = 10.0
"""Seconds for an answer."""

LEAST = 1e-9
"""Percent; with less, nobody would live to see a request shown."""

EVERY = 60.0
"""Seconds between two lines in the log about what was answered differently."""

SHOWN = 5

_SECRET = re.compile(r"[?&;](?:otk|token|secret|password|pw|key|sig|signature)=", re.IGNORECASE)


@define(eq=False, repr=False)
class Shadow:
    """Asks the second server.

    Attributes:
        server: the second one.
        percent: of the safe requests.
        reactor: its time, and its connections.
        random: a number from 0 to below 1.
        results: ``same``, ``different``, ``failed`` → requests.
        dropped: requests there was no room for.
        seconds: how long the second server took.
        offenders: what it answered differently.
    """

    server: Server
    percent: float
    reactor: Any
    random: Callable[[], float] = SystemRandom().random
    results: Counter[str] = field(factory=Counter, init=False)
    dropped: int = field(default=0, init=False)
    seconds: Histogram = field(factory=Histogram, init=False)
    offenders: Offenders = field(factory=Offenders, init=False)
    _waiting: deque[Recorded] = field(factory=deque, init=False)
    _idle: list[Caller] = field(factory=list, init=False)
    _callers: tuple[Caller, ...] = field(default=(), init=False)
    _skip: int = field(default=0, init=False)
    _told: int = field(default=0, init=False)
    _look: Any = field(default=None, init=False)
    _tell: Any = field(default=None, init=False)

    def __repr__(self) -> str:
        return f"<Shadow at {self.server.url}: {dict(self.results)}, {self.dropped} dropped>"

    async def start(self) -> None:
        """Begin to ask."""
        clock = self.reactor.seconds
        self._callers = tuple(Caller(self.server, clock, MOST_BYTES) for _ in range(CONNECTIONS))
        self._idle = list(self._callers)
        self._skip = self._gap()
        self._watch()
        self._tell = self.reactor.callLater(EVERY, self._tell_again)

    async def stop(self) -> None:
        """Ask nothing more; what is under way is left."""
        for call in (self._look, self._tell):
            if call is not None and call.active():
                call.cancel()
        for caller in self._callers:
            caller.drop()
        self._callers, self._idle = (), []
        self._waiting.clear()
        self._report()

    def see(self, lines: Sequence[bytes]) -> None:
        """Look at lines of the access log, of requests that are over.

        Whatever goes wrong here is nobody else's business.
        """
        try:
            self._see(lines)
        except Exception:
            log.failure("Requests could not be shown to {origin}", origin=self.server.url)

    def _see(self, lines: Sequence[bytes]) -> None:
        if not self._callers:
            return
        # Only lines that are drawn are looked at, however many there are.
        while self._skip < len(lines):
            self._draw(lines[self._skip])
            self._skip += 1 + self._gap()
        self._skip -= len(lines)
        while self._waiting and self._idle:
            self._ask(self._idle.pop(), self._waiting.popleft())

    def _gap(self) -> int:
        """How many lines are passed over before the next."""
        if self.percent >= 100:
            return 0
        return int(logarithm(1.0 - self.random()) / log1p(-max(self.percent, LEAST) / 100))

    def _draw(self, line: bytes) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        try:
            recorded = parse(line)
        except Malformed:
            return
        if recorded is not None and _may_be_shown(recorded):
            self._waiting.append(recorded)

    def _ask(self, caller: Caller, recorded: Recorded) -> None:
        agent = f"{recorded.agent[:450]} {MARK}".lstrip()
        target = sendable(recorded.target) or "/"
        request = ask(recorded.method, target, host=self.server.host, agent=agent, more=f"{MARK}: 1\r\n")
        caller.ask(request, lambda reply: self._answered(caller, recorded, reply))

    def _answered(self, caller: Caller, recorded: Recorded, reply: Reply) -> None:
        if not reply.status:
            self.results["failed"] += 1
        else:
            self.seconds.add(reply.seconds)
            self._compare(recorded, reply.status)
        if self._waiting:
            self._ask(caller, self._waiting.popleft())
        elif self._callers:
            self._idle.append(caller)

    def _compare(self, recorded: Recorded, status: int) -> None:
        then = recorded.status
        if then == status or (is_there(then) and is_there(status)):
            self.results["same"] += 1
            return
        self.results["different"] += 1
        self.offenders.add("status", recorded.target, str(then), str(status))

    def _watch(self) -> None:
        """Give up what takes too long."""
        self._look = self.reactor.callLater(1.0, self._watch)
        oldest = self.reactor.seconds() - TIMEOUT
        for caller in self._callers:
            if not caller.is_free and caller.began < oldest:
                caller.give_up(f"no answer within {TIMEOUT:g} s")

    def _tell_again(self) -> None:
        self._tell = self.reactor.callLater(EVERY, self._tell_again)
        self._report()

    def _report(self) -> None:
        """Say what is answered differently, if there is anything new."""
        different = self.results["different"]
        if different == self._told:
            return
        self._told = different
        top = list(self.offenders.top())[:SHOWN]
        log.warn(
            "Of {asked} requests shown to {origin}, {different} were answered differently: {top}",
            asked=self.results["same"] + different,
            origin=self.server.url,
            different=different,
            top="; ".join(
                f"{found.requests} {shape} {one} → {other}" for (_, shape, one, other), found in top
            ),
        )

    def figures(self) -> Iterator[Figure]:
        """What was shown, and what came of it."""
        samples = tuple(({"result": result}, float(count)) for result, count in self.results.items())
        yield Figure("shadow_requests", "counter", "Requests shown to the second server.", samples)
        yield counter("shadow_dropped", "Requests there was no room for.", self.dropped)
        yield gauge("shadow_waiting", "Requests that wait to be shown.", len(self._waiting))
        yield Figure("shadow_seconds", "histogram", "How long the second server took.", (({}, self.seconds),))


def _may_be_shown(recorded: Recorded) -> bool:
    """Safe, answered, not asked by a shadow itself, and without what might be a secret."""
    return (
        recorded.method in ("GET", "HEAD")
        and recorded.status != 499
        and MARK not in recorded.agent
        and sendable(recorded.target) is not None
        and _SECRET.search(recorded.target) is None
    )
