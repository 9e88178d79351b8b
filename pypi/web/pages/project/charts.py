"""Small charts as numbers: what a template draws as SVG, and says in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from attrs import frozen

MOST_BARS = 48
"""Of a chart that is still read on a telephone."""

HEIGHT = 100
GAP = 0.2
"""Between bars, as a part of their width."""


@frozen
class Bar:
    """One bar; lengths are in units of the drawing, which is ``Chart.width`` wide and ``HEIGHT`` high."""

    label: str
    count: int
    x: float
    y: float
    width: float
    height: float


@frozen
class Chart:
    """How many there were in each of several equal times.

    Attributes:
        unit: ``month``, ``quarter`` or ``year``.
        bars: the earliest first; also where nothing was.
    """

    unit: str
    width: int
    bars: tuple[Bar, ...]

    @property
    def most(self) -> Bar:
        """The highest bar, the latest of several."""
        return max(reversed(self.bars), key=lambda bar: bar.count)


MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

Unit = tuple[str, int, Callable[[int], str]]
"""(Its word, months in it, its number → a label.)"""

UNITS: Sequence[Unit] = (
    ("month", 1, lambda number: f"{MONTHS[number % 12]} {number // 12}"),
    ("quarter", 3, lambda number: f"Q{number % 4 + 1} {number // 4}"),
    ("year", 12, str),
)


def over_time(days: Iterable[date]) -> Chart | None:
    """Count days by months, quarters or years, whichever gives the most bars that can be read.

    Returns:
        the chart; ``None`` where there would be next to nothing to see.
    """
    months = Counter(day.year * 12 + day.month - 1 for day in days)
    if not months:
        return None
    first, last = min(months), max(months)
    fitting = [unit for unit in UNITS if last // unit[1] - first // unit[1] < MOST_BARS]
    word, length, label = fitting[0] if fitting else UNITS[-1]
    counts: Counter[int] = Counter()
    for month, count in months.items():
        counts[month // length] += count
    numbers = range(max(first // length, last // length - MOST_BARS + 1), last // length + 1)
    if len(numbers) < 3:
        return None
    heights = [(label(number), counts[number]) for number in numbers]
    return Chart(word, 10 * len(heights), _bars(heights))


def _bars(counts: Sequence[tuple[str, int]]) -> tuple[Bar, ...]:
    highest = max(count for _, count in counts)
    made = []
    for place, (label, count) in enumerate(counts):
        # What is there at all is seen.
        height = max(4.0, round(HEIGHT * count / highest, 1)) if count else 0.0
        x, width = round(10 * (place + GAP / 2), 1), round(10 * (1 - GAP), 1)
        made.append(Bar(label, count, x, round(HEIGHT - height, 1), width, height))
    return tuple(made)
