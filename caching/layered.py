"""The ladder: memory, then the shared store, then the source; and what is outdated when that fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from math import log as ln
from typing import Any

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import Logger

from caching.breaker import Breaker
from caching.coalesce import Coalescer, Computation, TookTooLong
from caching.kept import Form, Heads, Kept, unpack
from caching.memory import Memory
from caching.moment import ALONE_AT_MOST, Moment, Trust
from caching.policy import Policy
from caching.store import Entry, Shared, Turn
from caching.tags import Known

log = Logger()

PATIENCE = 2.0
"""Seconds a client waits for a new answer where an old one could do."""

COLD_PATIENCE = 3.0
"""Seconds it waits longer where there is none, as long as the source answers others."""

OTHERS_TURNS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32)
"""Seconds between looks at what another process is making."""

THREAD_FROM = 256 * 1024
"""Compressed bytes from which taking them apart would keep the reactor busy for milliseconds."""

MOST_UNCACHEABLE = 1024
"""Questions remembered whose answers cannot be kept, so that nobody waits for one another's."""

Make = Callable[[], Awaitable[Entry | None]]


@frozen(kw_only=True, eq=False)
class Question:
    """What is asked for.

    Attributes:
        address: path, as the fast lane reads it.
        variant: which representation.
        policy: of the route.
        stats: counters of the route (``caching.stats``).
        make: asks the source; ``None`` for an answer that cannot be kept. Raises what the source raises.
    """

    address: bytes
    variant: str
    policy: Policy
    stats: Any
    make: Make

    @property
    def key(self) -> tuple[bytes, str]:
        """By which equal questions are known."""
        return self.address, self.variant

    @property
    def name(self) -> str:
        """The key as the shared store has it."""
        return f"{self.address.decode('latin-1')}\n{self.variant}"


@frozen
class Found:
    """An answer, and where it comes from.

    Attributes:
        status: ``Cache-Status`` (RFC 9211).
        age: seconds for which nobody has known whether it is still true; 0 for any that is.
    """

    kept: Kept
    status: str
    age: int = 0


class Uncacheable(Exception):
    """The answer cannot be kept; everybody has to ask the source."""


@define(eq=False, repr=False, kw_only=True)
class Ladder:
    """Answers from the first rung that has it.

    Attributes:
        memory: L1.
        shared: L2.
        known: what is known of changes.
        moment: the present.
        breaker: of the source.
        failure: what the source raises when it does not answer; made without arguments where nobody asked.
        verdict: what it raises to say no, which is an answer, too.
        reactor: ``IReactorTime``.
        chance: a number from 0 to 1, at random.
        source_lags: whether the source has not answered others lately.
    """

    memory: Memory
    shared: Shared
    known: Known
    moment: Moment
    breaker: Breaker
    failure: type[Exception]
    verdict: type[Exception]
    reactor: Any
    wall: Callable[[], float]
    chance: Callable[[], float]
    source_lags: Callable[[], bool] = bool
    _healthy: bool = field(default=True, init=False)
    _heads: Heads = field(factory=Heads, init=False)
    _uncacheable: set[tuple[bytes, str]] = field(factory=set, init=False)
    _coalescer: Coalescer[Found] = field(factory=Coalescer, init=False)

    def __repr__(self) -> str:
        return f"<Ladder {self.memory!r}, {self.shared!r}, {self.known!r}>"

    def trust(self, healthy: bool) -> None:
        """Be told whether changes are heard of; what is kept is doubted while they are not."""
        self._healthy = healthy
        if not healthy:
            # Most likely nobody gets an answer. If that is wrong, the first who may try finds out.
            self.breaker.trip()
        self._judge()

    def doubt(self) -> None:
        """Be told that changes may have been missed, though nothing has failed: ask the source first."""
        self._healthy = False
        self._judge()

    def _judge(self) -> None:
        if self._healthy:
            self.moment.set(Trust.FRESH)
        elif self.breaker.is_open and self.moment.age <= ALONE_AT_MOST:
            self.moment.set(Trust.ALONE)
        else:
            self.moment.set(Trust.DOUBTED)

    async def find(self, question: Question) -> Found:
        """The answer.

        Raises:
            Uncacheable: it cannot be kept.
            Exception: what the source raises, where nothing old can stand in.
        """
        kept = self.memory.get(question.address, question.variant)
        if kept is not None and kept.good_until > self.moment.now and self._may_be_used(question):
            if kept.fresh_until <= self.moment.now:
                self._refresh(question)
            return self._hit(kept)
        if question.key in self._uncacheable:
            raise Uncacheable
        question.stats.misses += 1
        try:
            if question.policy.local:
                return await self._climb(question)
            return await self._ask(question, is_cold=kept is None)
        except Uncacheable:
            raise
        except Exception as error:
            old = await self._stand_in(question, error)
            if old is not None:
                return old
            raise self.failure() if isinstance(error, TookTooLong) else error from None

    def _may_be_used(self, question: Question) -> bool:
        """Whether what memory has may be used for as long as nobody has heard of changes."""
        return self._healthy or self.moment.age <= question.policy.stale_if_error

    def _hit(self, kept: Kept) -> Found:
        kept.uses += 1
        kept.stats.hits += 1
        return Found(kept, self.moment.status, self.moment.told_age)

    # --- asking -------------------------------------------------------------------------------------------

    async def _ask(self, question: Question, is_cold: bool) -> Found:
        """Join who asks already; but an answer overtaken by a change is only for those who came before it."""
        begun = self._coalescer.begun
        while True:
            computation = self._coalescer.under_way(question.key)
            joined = computation is not None
            if computation is None:
                computation = self._coalescer.start(question.key, lambda: self._climb(question))
            question.stats.coalesced += joined
            found = await self._wait(computation, is_cold)
            if computation.number >= begun or self.known.admits(found.kept.serial, found.kept.tags):
                return evolve(found, status=f"{found.status}; collapsed") if joined else found

    async def _wait(self, computation: Computation[Found], is_cold: bool) -> Found:
        try:
            return await computation.result(PATIENCE, self.reactor)
        except TookTooLong:
            if not is_cold or self.source_lags():
                raise
            return await computation.result(COLD_PATIENCE, self.reactor)

    def _refresh(self, question: Question) -> None:
        """Make it anew before it is too old; whoever asks meanwhile gets what there is."""
        if self._coalescer.under_way(question.key) is None:
            self._coalescer.start(question.key, lambda: self._climb(question, ahead=True))

    async def _climb(self, question: Question, ahead: bool = False) -> Found:
        name = f"{self.moment.name}-l2"
        if question.policy.local:
            return Found(self._keep(question, await self._make(question)), f"{self.moment.name}-l1; fwd=miss")
        # What others have made is as doubtful as what is kept here.
        look = not ahead and self._healthy
        entry = await self._shared(question) if look else None
        if entry is None:
            question.stats.shared_misses += look
            entry = await self._make(question)
            rung = f"{name}; fwd=miss"
        else:
            question.stats.shared_hits += 1
            question.stats.shared_bytes += len(entry.body)
            rung = f"{name}; hit"
        return Found(self._keep(question, entry), f"{rung}, {self.moment.name}-l1; fwd=miss")

    async def _shared(self, question: Question) -> Entry | None:
        found = await self.shared.get(question.name)
        for pause in OTHERS_TURNS:
            if found is not Turn.THEIRS:
                break
            await deferLater(self.reactor, pause)
            found = await self.shared.get(question.name)
        return found if isinstance(found, Entry) else None

    async def _make(self, question: Question) -> Entry:
        # What is known now was committed before the snapshot is taken, so the snapshot sees it.
        serial, began = self.known.last, self.reactor.seconds()
        made = await self._attempt(question)
        if made is None:
            self._note_uncacheable(question)
            raise Uncacheable
        question.stats.made += 1
        question.stats.made_bytes += len(made.body)
        entry = evolve(made, serial=serial, made=self.wall(), cost=self.reactor.seconds() - began)
        if self.known.admits(serial, entry.tags) and not question.policy.local:
            seconds = question.policy.keep + question.policy.stale_if_error
            Deferred.fromCoroutine(self.shared.put(question.name, entry, seconds))
        return entry

    async def _attempt(self, question: Question) -> Entry | None:
        try:
            with self.breaker.attempt(self.failure):
                return await question.make()
        except Exception as error:
            if isinstance(error, self.verdict) and not isinstance(error, self.failure):
                self.breaker.worked()  # it said no, so it is there
            else:
                question.stats.failed += 1
            raise
        finally:
            self._judge()

    def _note_uncacheable(self, question: Question) -> None:
        if len(self._uncacheable) >= MOST_UNCACHEABLE:
            self._uncacheable.clear()
        self._uncacheable.add(question.key)

    def _keep(self, question: Question, entry: Entry) -> Kept:
        now, policy = self.reactor.seconds(), question.policy
        left = policy.keep - max(0.0, self.wall() - entry.made)
        kept = Kept(question.address, question.variant, entry, self._heads, question.stats, now, now + left)
        # XFetch (Vattani et al., VLDB 2015): the dearer it is to make, the earlier one process begins.
        kept.fresh_until -= entry.cost * -ln(1 - self.chance() or 1)
        if self.known.admits(entry.serial, entry.tags):
            self.memory.put(kept, policy.variant)
        return kept

    async def plain(self, kept: Kept) -> Form:
        """The form without compression; kept, too, once somebody has asked for it."""
        form = kept.plain
        if form is None:
            packed = kept.packed.body
            body = unpack(packed) if len(packed) < THREAD_FROM else await deferToThread(unpack, packed)
            form = kept.plain
            if form is None:
                form = kept.unpacked(body)
                self.memory.grow(kept, form)
        return form

    # --- when the source fails ----------------------------------------------------------------------------

    async def _stand_in(self, question: Question, error: Exception) -> Found | None:
        """An old answer, if there is one and its policy allows it to stand in for this failure."""
        if isinstance(error, self.verdict) and not isinstance(error, self.failure):
            return None
        kept = self.memory.get(question.address, question.variant)
        if kept is None:
            entry = None if question.policy.local else await self.shared.get(question.name)
            if not isinstance(entry, Entry):
                return None
            kept = self._keep(question, entry)
        policy = question.policy
        age = max(0.0, self.wall() - kept.made) if kept.touched else self.moment.age
        if age > policy.stale_if_error + (policy.keep if kept.touched else 0):
            return None
        if not isinstance(error, self.failure | TookTooLong):
            log.warn("{address} could not be made anew: {error}", address=kept.address, error=repr(error))
        kept.uses += 1
        question.stats.stale += 1
        return Found(kept, f"{self.moment.name}-l1; fwd=stale; detail=source-down", int(age))
