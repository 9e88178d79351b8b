"""How a process hears of changes: by hints, which may be lost, and by looking every second, come what may.

Changes have serials without gaps, in the order in which they become visible, so whoever has read up to one of
them has missed none before it. The store that is shared is told by the process that acknowledges a change;
nobody else has to, since every reader compares what it finds there with what it knows itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from caching.tags import Known

log = Logger()

EVERY = 1.0
"""Seconds from one look to the next, if nothing hints at a change."""

DEADLINE = 2.0
"""Seconds a look may take."""

BLIND = 5.0
"""Seconds without a look that succeeded, after which what was kept counts as outdated."""

HALTED = 1.0
"""Seconds by which only a process that was halted comes too late: nobody knows what it has missed."""

BATCH = 1_000
"""Changes read at a time."""

PRELOAD = 10_000
"""Changes before the start that are read, so that what others have kept since then can be used."""

TOO_FAR = 50_000
"""Changes behind which forgetting everything is quicker than reading them."""

Tags = tuple[str, ...]
Change = tuple[int, Sequence[str]]
"""(serial, tags of all that it can be seen in)."""


class Store(Protocol):
    """What has to be told of changes beside this process's own memory: ``caching.shared.RedisStore``."""

    async def touch(self, serial: int, tags: Tags) -> None:
        """A change touched these tags; never raises."""

    async def newest(self) -> int:
        """The largest serial it was told of, 0 for none."""

    async def forget_all(self) -> bool:
        """Remove everything; whether that was done."""


@define(eq=False, repr=False, kw_only=True)
class Invalidations:
    """Keeps ``known`` and memory up to date with a journal of changes.

    Attributes:
        clock: ``IReactorTime``.
        known: what is known of changes.
        since: ``await since(serial, limit)``: up to so many changes after that one, in order.
        last: ``await last()``: the serial of the last change.
        forget: takes what a change outdates out of memory.
        forget_all: takes everything out of memory.
        shared: the store shared with others.
        on_health: told ``False`` when changes have not been heard of for ``BLIND`` seconds, and ``True``
            when all that was missed has been made up for, and at the start.
        on_doubt: told that this process was halted, so that much may have changed since it looked last;
            ``on_health`` is told of what comes of the next look, which follows at once.
        on_news: told the last serial that is known, with all before it, whenever that is another one.
        applied: changes read.
        failures: looks that failed.
    """

    clock: Any
    known: Known
    since: Callable[[int, int], Awaitable[Sequence[Change]]]
    last: Callable[[], Awaitable[int]]
    forget: Callable[[int, Tags], object]
    forget_all: Callable[[], object]
    shared: Store
    on_health: Callable[[bool], object]
    on_doubt: Callable[[], object] = bool
    on_news: Callable[[int], object] = bool
    applied: int = field(default=0, init=False)
    failures: int = field(default=0, init=False)
    _healthy: bool | None = field(default=None, init=False)
    _fresh_at: float = field(default=0.0, init=False)
    _is_begun: bool = field(default=False, init=False)
    _is_failing: bool = field(default=False, init=False)
    _must_wipe: bool = field(default=False, init=False)
    _hinted: bool = field(default=False, init=False)
    _stopped: bool = field(default=True, init=False)
    _waiters: list[Deferred[None]] = field(factory=list, init=False)
    _pausing: Deferred[None] | None = field(default=None, init=False)
    _polling: Deferred[None] | None = field(default=None, init=False)
    _loop: Deferred[None] | None = field(default=None, init=False)
    _watchdog: Any = field(default=None, init=False)

    def __repr__(self) -> str:
        state = "" if self._healthy else f", blind for {self.behind_seconds:.0f} s"
        return f"<Invalidations {self.applied} applied, {self.failures} failures{state}, {self.known!r}>"

    @property
    def behind_seconds(self) -> float:
        """For how long it has not been certain that nothing is missing."""
        return max(0.0, float(self.clock.seconds()) - self._fresh_at)

    @property
    def is_blind(self) -> bool:
        """Whether changes have not been heard of for too long, as after a process was halted, too."""
        return not self._healthy or self.behind_seconds > BLIND

    async def start(self) -> None:
        """Look for the first time; if that fails, begin blind."""
        self._stopped = False
        self._fresh_at = self.clock.seconds()
        if not await self._poll():
            self._go_blind()
        self._loop = Deferred.fromCoroutine(self._repeat())

    async def stop(self) -> None:
        """Look no more."""
        self._stopped = True
        for waiting in (self._pausing, self._polling):
            if waiting is not None:
                waiting.cancel()
        if self._loop is not None:
            loop, self._loop = self._loop, None
            await loop
        self._watch(None)
        waiters, self._waiters = self._waiters, []
        _release(waiters)

    def hint(self) -> None:
        """Something has changed, or may have been missed: look at once, and again after a look under way."""
        self._hinted = True
        if self._pausing is not None:
            self._pausing.cancel()

    def hear(self, first: int, last: int, tags: Sequence[str]) -> None:
        """Somebody committed the changes from ``first`` to ``last``, which touched these tags together.

        What directly follows all that is known need not be looked for.
        """
        self._apply(last, tuple(tags))
        if first == self.known.last + 1:
            self.known.advance(last)
            self.on_news(last)
        elif last > self.known.last:
            self.hint()

    async def announce(self, serial: int, tags: Sequence[str]) -> None:
        """A change was committed here: when this returns, nothing older is used by this process.

        Never fails. The shared store may not have been told if it does not answer; see above.
        """
        try:
            self._apply(serial, tuple(tags))
            await self.shared.touch(serial, tuple(tags))
        except Exception:
            log.failure("Change {serial} could not be announced", serial=serial)
        if self.known.last < serial:
            self.hint()

    async def catch_up(self) -> None:
        """Make up for what was missed before this moment, as far as ``DEADLINE`` allows; never fails."""
        if self._stopped:
            return
        looked: Deferred[None] = Deferred()
        self._waiters.append(looked)
        self.hint()
        await looked

    # --- looking ------------------------------------------------------------------------------------------

    async def _repeat(self) -> None:
        worked = True
        while not self._stopped:
            if not (worked and self._hinted):
                await self._pause()
            if not self._stopped:
                worked = await self._poll()

    async def _pause(self) -> None:
        due = self.clock.seconds() + EVERY
        self._pausing = deferLater(self.clock, EVERY)
        with suppress(CancelledError):
            await self._pausing
        self._pausing = None
        if self._is_late(due) and not self._stopped:
            self._was_halted()

    async def _poll(self) -> bool:
        """One look; whether all is known that had been committed when it began."""
        began = self.clock.seconds()
        self._hinted = False
        waiters, self._waiters = self._waiters, []
        self._polling = Deferred.fromCoroutine(self._look())
        try:
            await self._polling.addTimeout(DEADLINE, self.clock)
            self._saw_everything(began)
        except Exception as error:
            if self._is_late(began + DEADLINE) and not self._stopped:
                self._was_halted()
                self._hinted = True
                return True
            self._failed(error)
            return False
        finally:
            self._polling = None
            _release(waiters)
        return True

    async def _look(self) -> None:
        if not self._is_begun:
            await self._begin()
        if self._must_wipe:
            self._must_wipe = not await self.shared.forget_all()
        while await self._read_batch():
            pass

    async def _begin(self) -> None:
        last = await self.last()
        # What was shared before a database was restored tells of changes that have never been.
        self._must_wipe = await self.shared.newest() > last
        self.known.start(max(0, last - PRELOAD))
        self._is_begun = True

    async def _read_batch(self) -> bool:
        """Apply the next changes; whether there may be more."""
        place = self.known.last
        # The last one that is known is read again: if it is not there any more, much else may be different.
        found = await self.since(max(0, place - 1), BATCH)
        expected = range(max(1, place), max(1, place) + len(found))
        if (place and not found) or any(s != serial for s, (serial, _) in zip(expected, found, strict=True)):
            await self._start_over()
            return False
        for serial, tags in found:
            if serial > place:
                self._apply(serial, tuple(tags))
                self.known.advance(serial)
                self.applied += 1
        if self.known.last != place:
            self.on_news(self.known.last)
        if len(found) < BATCH:
            return False
        if (last := await self.last()) - self.known.last > TOO_FAR:
            self._jump(last)
        return True

    async def _start_over(self) -> None:
        last = await self.last()
        log.warn("The journal is not what it was; everything up to {last} is forgotten", last=last)
        self._must_wipe = not await self.shared.forget_all()
        if last < self.known.last:
            self.known.restart(last)
        self._jump(last)

    def _jump(self, last: int) -> None:
        self.known.start(last)
        self.forget_all()
        self.on_news(self.known.last)

    def _apply(self, serial: int, tags: Tags) -> None:
        self.known.touch(serial, tags)
        self.forget(serial, tags)

    # --- health -------------------------------------------------------------------------------------------

    def _saw_everything(self, began: float) -> None:
        self._fresh_at = began
        self._is_failing = False
        self._watch(max(0.0, began + BLIND - self.clock.seconds()))
        if not self._healthy:
            if self._healthy is not None:
                log.info("Changes are heard of again, up to {serial}", serial=self.known.last)
            self._healthy = True
            self.on_health(True)

    def _is_late(self, due: float) -> bool:
        return bool(self.clock.seconds() > due + HALTED)

    def _was_halted(self) -> None:
        if self._healthy is not False:
            log.warn("This process was halted; until it has looked what it missed, it asks the source first")
            self._healthy = False
            self.on_doubt()

    def _watchdog_fires(self, due: float) -> None:
        self._watchdog = None
        if self._is_late(due) and not self._is_failing:
            self._was_halted()
            self._watch(BLIND)
        else:
            self._go_blind()

    def _go_blind(self) -> None:
        log.warn("Changes are not heard of; what was kept is no longer trusted")
        self._healthy = False
        self.on_health(False)

    def _watch(self, seconds: float | None) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._watchdog = None
        if seconds is not None:
            due = self.clock.seconds() + seconds
            self._watchdog = self.clock.callLater(seconds, self._watchdog_fires, due)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if not self._is_failing and not self._stopped:
            log.warn("Changes could not be looked for: {error}", error=repr(error))
        self._is_failing = True


def _release(waiters: Sequence[Deferred[None]]) -> None:
    for waiter in waiters:
        if not waiter.called:
            waiter.callback(None)
