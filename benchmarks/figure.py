"""What a figure is: rows of numbers, ours and a peer's, one for each run, and the bar they have to take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median

from attrs import frozen


class BenchmarkFailed(Exception):
    """A figure could not be measured; ``str()`` says why."""


@frozen
class Bar:
    """What a row has to reach.

    Attributes:
        limit: in the row's unit, or times the peer.
        of_ratio: whether it is about how many times better than the peer we are.
        is_floor: whether reaching means at least, not at most.
    """

    limit: float
    of_ratio: bool = False
    is_floor: bool = True

    def __str__(self) -> str:
        sign = "≥" if self.is_floor else "≤"
        return f"{sign} {self.limit:g}{' ×' if self.of_ratio else ''}"

    def is_met(self, reached: float) -> bool:
        """Whether a number takes the bar."""
        return reached >= self.limit if self.is_floor else reached <= self.limit


def times_better(limit: float) -> Bar:
    """At least so many times better than the peer."""
    return Bar(limit, of_ratio=True)


def times_as_much(limit: float) -> Bar:
    """At most so many times what the peer takes; for rows that are compared ``as_is``."""
    return Bar(limit, of_ratio=True, is_floor=False)


def at_least(limit: float) -> Bar:
    """At least so much."""
    return Bar(limit)


def at_most(limit: float) -> Bar:
    """At most so much."""
    return Bar(limit, is_floor=False)


@frozen(kw_only=True)
class Row:
    """One measure.

    Attributes:
        unit: of ``ours`` and ``peer``.
        ours: one number for each run.
        peer: the peer's, run by run; empty without a peer.
        more_is_better: a rate, not a time or a size.
        as_is: the ratio is ours to the peer's, not how many times better we are.
        note: what has to be known to read it.
    """

    measure: str
    unit: str
    ours: Sequence[float]
    peer: Sequence[float] = ()
    more_is_better: bool = False
    as_is: bool = False
    bar: Bar | None = None
    note: str = ""

    @property
    def value(self) -> float:
        """Our median."""
        return median(self.ours)

    @property
    def peer_value(self) -> float | None:
        """The peer's median."""
        return median(self.peer) if self.peer else None

    @property
    def ratios(self) -> list[float]:
        """How many times better than the peer we were, run by run; ``as_is``, ours to the peer's."""
        pairs = zip(self.ours, self.peer, strict=bool(self.peer))
        if self.more_is_better or self.as_is:
            return [ours / peer for ours, peer in pairs]
        return [peer / ours for ours, peer in pairs]

    @property
    def is_met(self) -> bool | None:
        """Whether the medians take the bar; ``None`` without one."""
        if self.bar is None:
            return None
        return self.bar.is_met(median(self.ratios) if self.bar.of_ratio else self.value)


@frozen(kw_only=True)
class Setting:
    """What a figure is measured with.

    Attributes:
        runs: of each subject.
        seconds: of load in each run, where a run is a load for some time.
        folder: empty, removed afterwards.
        say: tells whoever waits what is going on.
    """

    runs: int
    seconds: int
    folder: Path
    say: Callable[[str], None]


@frozen(kw_only=True)
class Figure:
    """One figure.

    Attributes:
        name: on the command line.
        question: what it answers, in a sentence.
        peer: what we are compared with; empty for nobody.
        measure: yields its rows.
        runs: of each subject, unless somebody says otherwise.
    """

    name: str
    question: str
    peer: str = ""
    measure: Callable[[Setting], Iterator[Row]]
    runs: int = 3
