"""Servers under the same load, in turns: A B C, C B A, … ; what disturbs is measured with them.

A server has the first processor for itself and wrk the second; with several workers they share all. A turn is
taken again when other work took more than 15 % of a processor meanwhile, a few times; then the least
disturbed counts, and the row says so. It also says when wrk had no time left: then the rate of the faster
server is understated. Processor time is that of the server's own processes, by ``/proc/<pid>/stat``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median

from attrs import define, field, frozen

from benchmarks import machine, wrk
from benchmarks.cache import alone
from benchmarks.figure import Bar, Row, Setting
from benchmarks.wrk import Load, Result

SERVER, CLIENT = "0", "1"
"""The processors of servers and of wrk."""

QUIET = 0.15
"""Of a processor: what other work may take."""

BUSY = 0.95
"""Of its processor: where wrk is at its limit."""

TRIES = 4
WARM_UP = 1


@frozen
class Contender:
    """A server.

    Attributes:
        origin: its URL.
        pids: of the processes whose time counts.
    """

    name: str
    origin: str
    pids: Callable[[], Sequence[int]] = field(repr=False)


@frozen
class Turn:
    """What one turn showed.

    Attributes:
        cpu: seconds of the server's processor time.
        foreign: of one processor, taken by other work.
    """

    result: Result
    cpu: float
    foreign: float

    def busy(self) -> float:
        """Of its processors: what wrk used."""
        return self.result.busy

    def rate(self) -> float:
        """Requests in a second."""
        return self.result.requests / self.result.seconds

    def cost(self) -> float:
        """Microseconds of processor time for a request."""
        return 1e6 * self.cpu / self.result.requests

    def p99(self) -> float:
        """Milliseconds."""
        return 1e3 * self.result.p99

    def speed(self) -> float:
        """MB (1,000,000 bytes) in a second."""
        return self.result.bytes / self.result.seconds / 1e6

    def cost_of_gigabyte(self) -> float:
        """Seconds of processor time for 1,000,000,000 bytes."""
        return 1e9 * self.cpu / self.result.bytes


def turn(contender: Contender, load: Load, seconds: int) -> Turn:
    """Load a server once."""
    foreign, before = machine.Foreign(), machine.cpu_seconds(contender.pids())
    result = wrk.send(contender.origin, load, seconds)
    return Turn(result, machine.cpu_seconds(contender.pids()) - before, foreign.share)


@define
class Heat:
    """All turns of some servers under one load.

    Attributes:
        turns: a server's name → its turns, one for each run.
    """

    turns: dict[str, list[Turn]] = field(factory=dict)

    def note(self, *names: str) -> str:
        """What has to be known of these servers' turns."""
        turns = [one for name in names for one in self.turns[name]]
        disturbed = sum(one.foreign > QUIET for one in turns)
        short = [name for name in names if self.median(name, Turn.busy) > BUSY]
        notes = [f"{disturbed} of {len(turns)} turns disturbed"] if disturbed else []
        return "; ".join(notes + [f"wrk at its limit with {name}" for name in short])

    def row(
        self,
        measure: str,
        unit: str,
        of: Callable[[Turn], float],
        ours: str,
        peer: str = "",
        *,
        bar: Bar | None = None,
        rate: bool = False,
        note: str = "",
    ) -> Row:
        """A measure of one server beside that of another; costs are compared as they are."""
        return Row(
            measure=measure,
            unit=unit,
            ours=[of(one) for one in self.turns[ours]],
            peer=[of(one) for one in self.turns[peer]] if peer else (),
            more_is_better=rate,
            as_is=not rate,
            bar=bar,
            note="; ".join(filter(None, (note, self.note(*filter(None, (ours, peer)))))),
        )

    def median(self, name: str, of: Callable[[Turn], float]) -> float:
        """A server's median."""
        return median(map(of, self.turns[name]))


def heat(setting: Setting, what: str, entries: Sequence[tuple[Contender, Load]]) -> Heat:
    """All servers under their loads, run after run, after a turn each that does not count."""
    takes = {contender.name: partial(turn, contender, load) for contender, load in entries}
    return of_turns(setting, what, takes)


def of_turns(setting: Setting, what: str, takes: Mapping[str, Callable[[int], Turn]]) -> Heat:
    """The same, where what a turn is differs: a name → what takes a turn of so many seconds."""
    found = Heat({name: [] for name in takes})
    with alone():
        for take in takes.values():
            take(WARM_UP)
    for run in range(setting.runs):
        setting.say(f"{what}: run {run + 1} of {setting.runs}")
        order = list(takes.items())
        with alone():
            for name, take in reversed(order) if run % 2 else order:
                found.turns[name].append(_quiet(take, setting))
    return found


def _quiet(take: Callable[[int], Turn], setting: Setting) -> Turn:
    tries: list[Turn] = []
    while len(tries) < (TRIES if setting.runs > 1 else 1):
        tries.append(take(setting.seconds))
        if tries[-1].foreign <= QUIET:
            return tries[-1]
    return min(tries, key=lambda one: one.foreign)
