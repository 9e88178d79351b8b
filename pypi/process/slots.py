"""A place for one worker of a generation: when its process dies, another takes its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.logger import Logger

from pypi.process.backoff import Backoff
from pypi.process.child import Child, Report
from pypi.process.orders import Orders
from pypi.process.picture import State
from pypi.process.sockets import Sockets

log = Logger()

MODULE = "pypi.process.worker"

SILENCE = 30
"""Looks without a report from one to the next after which a worker counts as hung, and is ended. They are
counted, not timed: while the machine sleeps nobody looks."""


@define(eq=False)
class Slot:
    """One place.

    Attributes:
        reactor: where processes are started and time passes.
        sockets: what its workers listen on.
        changed: called whenever its state did.
        state: what is known of its worker.
        failure: why the last one could not start, if it said so.
    """

    reactor: Any = field(repr=False)
    sockets: Sockets = field(repr=False)
    changed: Callable[[Slot], object] = field(repr=False)
    state: State
    failure: str = field(default="", init=False)
    _orders: Orders | None = field(default=None, init=False, repr=False)
    _child: Child | None = field(default=None, init=False, repr=False)
    _backoff: Backoff = field(factory=Backoff, init=False, repr=False)
    _next: Any = field(default=None, init=False, repr=False)
    _looks: int = field(default=0, init=False)
    _leaving: bool = field(default=False, init=False)

    @property
    def is_ready(self) -> bool:
        """Whether its worker serves."""
        return self.state.state == "ready"

    @property
    def is_empty(self) -> bool:
        """Whether it is left for good, and its process is gone."""
        return self._leaving and self._child is None

    @property
    def pid(self) -> int:
        """The process that works here now; 0 if none does."""
        return self._child.pid if self._child else 0

    def start(self) -> None:
        """Start a process; it imports what it needs, and waits for orders."""
        self._next = None
        self._looks = 0
        self._backoff.born(self.reactor.seconds())
        name = f"worker {self.state.slot}.{self.state.generation}"
        self._child = child = Child(name, self.reactor, self._reported, self._ended)
        child.start(
            MODULE,
            [str(self.state.slot), str(self.state.generation)],
            [self.sockets.index.fileno(), self.sockets.operator.fileno()],
        )
        self.state.pid = child.pid
        self.state.state = "starting"
        if self._orders is not None:
            self.serve(self._orders)

    def serve(self, orders: Orders) -> None:
        """Tell it, and all that follow in its place, what to serve."""
        self._orders = orders
        if self._child is not None:
            self._child.tell("serve", **orders.packed())

    def leave(self, seconds: float, idle: float = 0.0) -> None:
        """Let it drain, and start no other."""
        self._leaving = True
        self._forget_next()
        if self._child is None:
            return
        if self._orders is None:
            self._child.kill()  # it has not even begun
        else:
            self._child.tell("drain", seconds=seconds, idle=idle)

    def hurry(self) -> None:
        """Let a drain end now."""
        if self._child is not None:
            self._child.tell("end")

    def kill(self) -> None:
        """End its process at once, and start no other."""
        self._leaving = True
        self._forget_next()
        if self._child is not None:
            self._child.kill()

    def look(self) -> None:
        """End a process that has not reported for long: it hangs. Called at regular times."""
        self._looks += 1
        if self._child is not None and self._looks > SILENCE:
            self._looks = 0
            log.error("Worker {slot} does not answer; ending it", slot=self.state.slot)
            self._child.kill()

    def _reported(self, report: Report) -> None:
        was = self.state.state
        self._looks = 0
        for name in ("state", "memory", "connections", "lag", "dropped"):
            if name in report:
                setattr(self.state, name, report[name])
        if report["state"] == "failed":
            self.failure = report["sentence"]
            log.error("Worker {slot} cannot start: {why}", slot=self.state.slot, why=self.failure)
        elif report["state"] == "ready":
            self.failure = ""
        if self.state.state != was:
            self.changed(self)

    def _ended(self, sentence: str) -> None:
        served = self.is_ready
        self._child = None
        self.state.state, self.state.pid = "dead", 0
        self.state.connections = self.state.memory = 0
        if not self._leaving:
            self.failure = self.failure or f"Worker {self.state.slot} ended before it was ready."
            self.state.restarts += 1
            pause = self._backoff.died(self.reactor.seconds(), served=served)
            log.error(
                "Worker {slot} is gone; another follows in {pause:.1f} s", slot=self.state.slot, pause=pause
            )
            self._next = self.reactor.callLater(pause, self.start)
        self.changed(self)

    def _forget_next(self) -> None:
        if self._next is not None:
            self._next.cancel()
            self._next = None
