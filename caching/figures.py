"""Figures: what a part has to show of itself, in numbers, to whoever collects them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final, Literal, Protocol

from attrs import frozen

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10.0)
"""Bounds for how long a request takes."""


class Histogram:
    """Counts values by size. Adding one costs a look into a short table.

    Attributes:
        bounds: upper bounds, each included, ascending.
        counts: values up to each bound and above the one before; the last is of those above all.
        sum: of all values.
    """

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def __repr__(self) -> str:
        return f"<Histogram of {sum(self.counts)} values>"

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


Labels = Mapping[str, str]


@frozen
class Figure:
    """Something that is counted or measured, as it is now.

    Attributes:
        name: snake_case, with its unit at the end; of a counter without ``_total``.
        kind: a counter only grows while the process lives.
        about: a sentence for operators.
        samples: (labels, value); all with the same names of labels, whose values are bounded in number. A
            histogram's values are ``Histogram``.
    """

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    about: str
    samples: tuple[tuple[Labels, float | Histogram], ...]


class Shows(Protocol):
    """A part that has figures to show."""

    def figures(self) -> Iterable[Figure]:
        """Its figures, read from plain attributes: this never waits for anything."""


def counter(name: str, about: str, value: float, **labels: str) -> Figure:
    """A counter with one sample."""
    return Figure(name, "counter", about, ((labels, value),))


def gauge(name: str, about: str, value: float, **labels: str) -> Figure:
    """A gauge with one sample."""
    return Figure(name, "gauge", about, ((labels, value),))
