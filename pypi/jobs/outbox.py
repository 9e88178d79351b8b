"""Empties the outbox: what committed changes still have to cause outside the database.

No transaction is open while something outside is asked, which may hang: errands are claimed, then done, then
forgotten. A claim is short and is renewed meanwhile, so that errands of a worker that was killed are soon
another's. Between any two steps the worst that can happen is that an errand is done twice.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, ClassVar

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from caching.purge import LONGEST_PAUSE, pause
from pypi.db.database import Database
from pypi.db.queries import outbox
from pypi.db.queries.outbox import Backlog, Errand
from pypi.failpoints import failpoint

log = Logger()

CLAIM = timedelta(seconds=4)
"""How long a claim holds; whoever is killed delays its errands by that."""

RENEW = 1.0
"""Seconds between renewals of a claim."""

LONGEST = 60.0
"""Seconds the doing of one batch may take."""

LOOK = 10.0
"""Seconds between looks at what is left."""

ALARM = 60.0
"""Seconds a purge may be old before the operator is told, and between two tellings."""


@frozen(kw_only=True)
class Follow:
    """What errands become when they have been done: due again ``after``, as another ``kind``."""

    kind: str
    after: timedelta


@frozen(kw_only=True)
class Handler:
    """What does one kind of errand.

    Attributes:
        do: does a whole batch, or raises; a ``retry_after`` of what it raises is heeded. Doing an errand
            again does no harm.
        batch: errands done in one go at most.
    """

    do: Callable[[Sequence[Errand]], Coroutine[Any, Any, Follow | None]]
    batch: int = 1


@frozen(kw_only=True)
class Stats:
    """How the outbox is doing, for metrics.

    Attributes:
        waiting: errands in the outbox, of all workers.
        age: seconds since the oldest of them was asked for.
        done: steps of errands done by this worker.
        failed: tries of this worker that failed, each of one batch.
    """

    waiting: int = 0
    age: float = 0.0
    done: int = 0
    failed: int = 0


@define(kw_only=True, eq=False)
class Outbox:
    """Does every errand at least once, and drops none.

    Attributes:
        handlers: kind of errand → what does it. A kind nobody handles has nobody to be done for, such as
            a purge where no cache stands in front: it is done.
        elsewhere: kinds that another outbox handles, for they may take long and these may not wait.
        longest: seconds until the next try of what keeps failing, at most.
        alarm: seconds an errand may be old before the operator is told, and between two tellings.
        meaning: what it means when errands are left for so long.
    """

    every: ClassVar[float] = 1.0
    database: Database = field(repr=False)
    reactor: Any = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    handlers: Mapping[str, Handler] = field(factory=dict, repr=lambda handlers: str(list(handlers)))
    random: Random = field(factory=Random, repr=False)
    elsewhere: Sequence[str] = field(default=(), repr=False)
    longest: float = field(default=LONGEST_PAUSE, repr=False)
    alarm: float = field(default=ALARM, repr=False)
    meaning: str = field(default="what stands before the index may serve old pages", repr=False)
    _backlog: Backlog = field(default=Backlog(0, None), init=False, repr=False)
    _stats: Stats = field(factory=Stats, init=False, repr=False)
    _looked: float | None = field(default=None, init=False, repr=False)
    _alarmed: float | None = field(default=None, init=False, repr=False)
    _doing: set[Deferred[Follow | None]] = field(factory=set, init=False, repr=False)
    _stopped: bool = field(default=False, init=False, repr=False)

    async def start(self) -> None:
        """Be ready to run."""
        self._stopped = False

    async def stop(self) -> None:
        """Break off what is being done, which may hang; it comes due again, here or elsewhere."""
        self._stopped = True
        for doing in tuple(self._doing):
            doing.cancel()

    async def run(self) -> None:
        """Do what is due, each kind for itself; come back at once while there is more."""
        wanted = [*self.handlers, *self.elsewhere]
        await self.database.transact(outbox.drop_for_nobody, wanted, now=self.now())
        ends = [Deferred.fromCoroutine(self._empty(*one)) for one in self.handlers.items()]
        try:
            await gatherResults(ends, consumeErrors=True)
        except FirstError as error:
            raise (error.subFailure.value or error) from None
        await self._look()

    def stats(self) -> Stats:
        """How it is doing; what all workers share is as of the last look, some seconds ago at most."""
        oldest = self._backlog.oldest
        age = 0.0 if oldest is None else max(0.0, (self.now() - oldest).total_seconds())
        return evolve(self._stats, waiting=self._backlog.waiting, age=age)

    async def _empty(self, kind: str, handler: Handler) -> None:
        while not self._stopped and (errands := await self._claim(kind, handler)):
            failpoint("outbox.before-drain")
            await self._attempt(handler, errands)
            await self._look()

    async def _attempt(self, handler: Handler, errands: Sequence[Errand]) -> None:
        try:
            follow = await self._do(handler, errands)
        except Exception as error:
            if not self._stopped:
                await self._failed(errands, error)
        else:
            await self._done(errands, follow)

    async def _claim(self, kind: str, handler: Handler) -> list[Errand]:
        now = self.now()
        return await self.database.transact(
            outbox.claim, kind, now=now, until=now + CLAIM, limit=handler.batch
        )

    async def _do(self, handler: Handler, errands: Sequence[Errand]) -> Follow | None:
        renewal = LoopingCall(lambda: Deferred.fromCoroutine(self._renew(errands)))
        renewal.clock = self.reactor
        renewed = renewal.start(RENEW, now=False)
        doing = Deferred.fromCoroutine(handler.do(errands))
        doing.addTimeout(LONGEST, self.reactor)
        self._doing.add(doing)
        try:
            return await doing
        finally:
            self._doing.discard(doing)
            renewal.stop()
            await renewed

    async def _renew(self, errands: Sequence[Errand]) -> None:
        try:
            await self.database.transact(outbox.claim_longer, errands, until=self.now() + CLAIM)
        except Exception as error:
            log.info("A claim was not renewed, another worker may do the same: {error}", error=str(error))

    async def _done(self, errands: Sequence[Errand], follow: Follow | None) -> None:
        if follow is None:
            await self.database.transact(outbox.done, errands)
        else:
            due = self.now() + follow.after
            await self.database.transact(outbox.follow, errands, kind=follow.kind, due=due)
        self._stats = evolve(self._stats, done=self._stats.done + len(errands))

    async def _failed(self, errands: Sequence[Errand], error: Exception) -> None:
        self._stats = evolve(self._stats, failed=self._stats.failed + 1)
        log.warn(
            "{count} errands ({kind}) failed, the oldest {attempts} times: {error}",
            count=len(errands),
            kind=errands[0].kind,
            attempts=max(errand.attempts for errand in errands) + 1,
            error=str(error) or type(error).__name__,
        )
        jitter, asked = self.random.random(), getattr(error, "retry_after", None)
        by_attempts: dict[int, list[Errand]] = {}
        for errand in errands:
            by_attempts.setdefault(errand.attempts, []).append(errand)
        for attempts, same in by_attempts.items():
            seconds = pause(attempts, jitter=jitter, retry_after=asked, longest=self.longest)
            await self.database.transact(outbox.later, same, due=self.now() + timedelta(seconds=seconds))

    async def _look(self) -> None:
        """See what is left, now and then; tell the operator of what is left for long."""
        seconds = self.reactor.seconds()
        if self._looked is not None and seconds - self._looked < LOOK:
            return
        self._looked = seconds
        self._backlog = await self.database.read(outbox.backlog, list(self.handlers))
        stats = self.stats()
        if stats.age < self.alarm or (self._alarmed is not None and seconds - self._alarmed < self.alarm):
            return
        self._alarmed = seconds
        log.critical(
            "{waiting} errands are in the outbox, the oldest for {age_seconds:.0f} s: {meaning}",
            waiting=stats.waiting,
            age_seconds=stats.age,
            meaning=self.meaning,
        )
