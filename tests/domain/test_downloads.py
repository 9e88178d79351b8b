"""Downloads as they are shown."""

from __future__ import annotations

from datetime import date

from pypi.domain.downloads import drawn, first_of, in_a_row

LAST = date(2026, 3, 2)


def test_in_a_row() -> None:
    """Every day has its place, the oldest first; other days have none."""
    counts = {date(2026, 2, 27): 9, date(2026, 2, 28): 3, date(2026, 3, 2): 5}
    assert in_a_row(counts, LAST, 3) == (3, 0, 5)
    assert in_a_row({}, LAST, 2) == (0, 0)


def test_first_of() -> None:
    """The last of so many days is one of them."""
    assert first_of(LAST, 1) == LAST
    assert first_of(LAST, 3) == date(2026, 2, 28)


def test_drawn() -> None:
    """A day that is not over is drawn as soon as it does not look like a fall."""
    assert drawn((3, 5, 4)) == (3, 5)
    assert drawn((3, 5, 5)) == (3, 5, 5)
    assert drawn((7,)) == (7,)
    assert drawn(()) == ()
