"""Downloads as they are shown: counts of days in a row, and sums of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from attrs import frozen

RECENT_DAYS = 30
"""Days whose downloads say how popular a project is, today among them."""

SHOWN_DAYS = 90
"""Days that are drawn, today among them."""


@frozen
class Popular:
    """A project, and how often its files were downloaded in the last ``RECENT_DAYS``.

    Attributes:
        name: as displayed.
    """

    name: str
    normalized: str
    recent: int


@frozen
class Totals:
    """Downloads of everything.

    Attributes:
        recent: in the last ``RECENT_DAYS``.
        ever: since they are counted.
        since: the first day of which days are known; ``None`` where nothing was downloaded yet.
    """

    recent: int = 0
    ever: int = 0
    since: date | None = None


def in_a_row(counts: Mapping[date, int], last: date, days: int) -> tuple[int, ...]:
    """The counts of so many days up to ``last``, the oldest first; 0 for a day there is nothing of."""
    return tuple(counts.get(last - timedelta(days=back), 0) for back in range(days - 1, -1, -1))


def first_of(last: date, days: int) -> date:
    """The first of so many days up to ``last``."""
    return last - timedelta(days=days - 1)


def drawn(daily: Sequence[int]) -> Sequence[int]:
    """The counts of days that a line goes through: today is not over, and would only look like a fall."""
    return daily[:-1] if len(daily) > 1 and daily[-1] < daily[-2] else daily
