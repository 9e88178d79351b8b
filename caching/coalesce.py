"""Computations that outlive whoever asked for them first, and are shared by all who ask meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

T = TypeVar("T")

log = Logger()


async def shielded(work: Coroutine[Any, Any, T], *expected: type[Exception]) -> T:
    """Run ``work`` to its end even if the one awaiting it is cancelled.

    A client that hangs up cancels its handler at the ``await`` it stands at; a write half-way through must
    not stop there. The canceller gets its ``CancelledError`` at once, the work goes on, and a failure nobody
    waits for any more is logged.

    Args:
        expected: failures that need no word where nobody waits for them.

    Returns:
        what ``work`` returns; its exceptions pass through.
    """
    waiter: Deferred[T] = Deferred()
    running = Deferred.fromCoroutine(work)

    def settled(result: T | Failure) -> None:
        if not waiter.called:
            waiter.callback(result)  # a Failure starts the errbacks
        elif isinstance(result, Failure) and not isinstance(result.value, (CancelledError, *expected)):
            log.failure("Shielded work failed after its caller had left", failure=result)

    running.addBoth(settled)
    return await waiter


class TookTooLong(Exception):
    """A computation goes on, but whoever waits for it has waited long enough."""


@define(eq=False)
class Computation(Generic[T]):
    """One computation under way, and those who wait for it; it belongs to none of them.

    Attributes:
        number: of the computations begun before it.
    """

    number: int
    _waiters: list[Deferred[T]] = field(factory=list, init=False)
    _outcome: T | Failure | None = field(default=None, init=False)

    async def result(self, patience: float, clock: Any) -> T:
        """What comes out, or what is raised.

        Raises:
            TookTooLong: nothing within ``patience`` seconds; the computation goes on.
        """
        waiter: Deferred[T] = Deferred(lambda _: None)
        if self._outcome is not None:
            waiter.callback(self._outcome)
        else:
            self._waiters.append(waiter)
            waiter.addTimeout(patience, clock, _too_long)
        return await waiter

    def settle(self, outcome: T | Failure) -> None:
        """It is over: tell all who wait, and whoever asks later."""
        self._outcome = outcome
        waiters, self._waiters = [one for one in self._waiters if not one.called], []
        for waiter in waiters:
            waiter.callback(outcome)  # a Failure starts the errbacks


@define(eq=False, repr=False)
class Coalescer(Generic[T]):
    """Runs one computation per key at a time.

    Attributes:
        joined: how many found the computation they wanted under way, so far.
        begun: computations, so far.
    """

    joined: int = field(default=0, init=False)
    begun: int = field(default=0, init=False)
    _under_way: dict[object, Computation[T]] = field(factory=dict, init=False)

    def __repr__(self) -> str:
        return f"<Coalescer {len(self._under_way)} under way, {self.joined} joined>"

    def under_way(self, key: object) -> Computation[T] | None:
        """The computation for this key, if there is one; counts who joins it."""
        found = self._under_way.get(key)
        self.joined += found is not None
        return found

    def start(self, key: object, make: Callable[[], Awaitable[T]]) -> Computation[T]:
        """Begin to compute."""
        computation: Computation[T] = Computation(self.begun)
        self.begun += 1
        self._under_way[key] = computation

        async def run() -> T:
            return await make()

        def over(result: T | Failure) -> None:
            if self._under_way.get(key) is computation:
                del self._under_way[key]
            computation.settle(result)

        Deferred.fromCoroutine(run()).addBoth(over)
        return computation

    async def anew(self, key: object, make: Callable[[], Awaitable[T]], patience: float, clock: Any) -> T:
        """What comes out of a computation that was begun after this call.

        One that was under way may not have seen what the caller knows; all who find it so share the next.

        Raises:
            TookTooLong: nothing within ``patience`` seconds, of either.
            Exception: what that computation raised.
        """
        begun = self.begun
        while True:
            computation = self.under_way(key) or self.start(key, make)
            try:
                result = await computation.result(patience, clock)
            except TookTooLong:
                raise
            except Exception:
                if computation.number >= begun:
                    raise
            else:
                if computation.number >= begun:
                    return result


def _too_long(_result: object, seconds: float) -> None:
    raise TookTooLong(f"nothing within {seconds:g} s")
