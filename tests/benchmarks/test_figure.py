"""How numbers are judged."""

from __future__ import annotations

from benchmarks.figure import Figure, Row, at_most, times_as_much, times_better
from benchmarks.report import table


def test_rates_are_held_to_how_much_better_they_are() -> None:
    """The median of the ratios, run by run, takes the bar."""
    row = Row(measure="", unit="/s", ours=[11, 12, 30], peer=[10, 10, 10], more_is_better=True)
    assert row.ratios == [1.1, 1.2, 3.0]
    assert Row(measure="", unit="/s", ours=[12], peer=[10], more_is_better=True, bar=times_better(1.2)).is_met


def test_costs_may_be_held_to_a_share_of_the_peers() -> None:
    """Compared as they are, 8 µs beside 10 µs are 0.8 times as much."""
    row = Row(measure="", unit="µs", ours=[8.0], peer=[10.0], as_is=True, bar=times_as_much(0.85))
    assert row.ratios == [0.8]
    assert row.is_met


def test_the_table_says_what_was_reached() -> None:
    """Beside each bar stands whether it was reached, and what has to be known."""
    rows = [
        Row(measure="a", unit="ms", ours=[1.0], bar=at_most(2)),
        Row(measure="b", unit="ms", ours=[3.0], bar=at_most(2), note="disturbed"),
    ]
    text = table(Figure(name="f", question="how much?", measure=lambda _: iter(rows)), rows, 0.0)
    assert "≤ 2 ms  reached" in text
    assert "≤ 2 ms  NOT REACHED  disturbed" in text
