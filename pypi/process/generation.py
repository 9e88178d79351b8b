"""The workers that were started together, on one configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from pypi.process.orders import Orders
from pypi.process.picture import State
from pypi.process.slots import Slot
from pypi.process.sockets import Sockets, StartFailed

LOOK = 0.02
OVERTIME = 10.0
"""Seconds a worker may take to end when the time for its clients is over; then it is killed."""


@define(eq=False)
class Generation:
    """So many workers.

    Attributes:
        number: of this generation, from 1.
        size: how many.
        sockets: what they listen on.
        changed: called whenever something did.
    """

    reactor: Any = field(repr=False)
    number: int
    size: int
    sockets: Sockets = field(repr=False)
    changed: Callable[[], object] = field(repr=False)
    slots: tuple[Slot, ...] = field(init=False, repr=False)
    _failed: set[int] = field(factory=set, init=False)
    _leaving: bool = field(default=False, init=False)
    _first_start: Deferred[None] = field(factory=Deferred, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.slots = tuple(
            Slot(self.reactor, self.sockets, self._slot_changed, State(slot=place, generation=self.number))
            for place in range(1, self.size + 1)
        )

    @property
    def states(self) -> list[State]:
        """Of all its workers."""
        return [slot.state for slot in self.slots]

    def start(self) -> None:
        """Start every process; each waits for orders."""
        for slot in self.slots:
            slot.start()

    async def serve(self, orders: Orders) -> None:
        """Tell all what to serve; returns when every one is ready.

        Raises:
            StartFailed: not one of them could start.
        """
        for slot in self.slots:
            slot.serve(orders)
        await self._first_start

    async def leave(self, seconds: float, idle: float = 0.0) -> None:
        """Let all drain; returns when no process is left."""
        self._leaving = True
        for slot in self.slots:
            slot.leave(seconds, idle)
        await self._emptied(seconds + OVERTIME)

    def hurry(self) -> None:
        """Let a drain end now."""
        for slot in self.slots:
            slot.hurry()

    async def kill(self) -> None:
        """End all at once."""
        self._leaving = True
        await self._emptied(0)

    def look(self) -> None:
        """End what hangs."""
        for slot in self.slots:
            slot.look()

    async def _emptied(self, seconds: float) -> None:
        ends = self.reactor.seconds() + seconds
        while not all(slot.is_empty for slot in self.slots):
            if self.reactor.seconds() >= ends:
                for slot in self.slots:
                    slot.kill()
            await deferLater(self.reactor, LOOK)

    def _slot_changed(self, slot: Slot) -> None:
        if slot.state.state == "dead":
            self._failed.add(slot.state.slot)
        if not (self._leaving or self._first_start.called):
            if all(one.is_ready for one in self.slots):
                self._first_start.callback(None)
            elif len(self._failed) == self.size and not any(one.is_ready for one in self.slots):
                self._first_start.errback(StartFailed(slot.failure))
        self.changed()
