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
    """

    measure: str
    unit: str
    ours: Sequence[float]
    peer: Sequence[float] = ()
    more_is_better: bool = False
    bar: Bar | None = None

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
        """How many times better than the peer we were, run by run."""
        pairs = zip(self.ours, self.peer, strict=bool(self.peer))
        if self.more_is_better:
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
        folder: empty, removed afterwards.
        say: tells whoever waits what is going on.
    """

    runs: int
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
    """

    name: str
    question: str
    peer: str = ""
    measure: Callable[[Setting], Iterator[Row]]
