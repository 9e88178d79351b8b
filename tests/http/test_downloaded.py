"""Counting downloads in a worker's memory: bounded, by the day, and nothing lost that is given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from attrs import define, field

from pypi.http import downloaded
from pypi.http.downloaded import Downloaded, Sum

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@define
class Counting:
    """Counts at some moment."""

    now: datetime = NOON
    downloaded: Downloaded = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.downloaded = Downloaded(lambda: self.now)

    def count(self, *digests: str) -> None:
        """Files are sent, and somebody looks."""
        for one in digests:
            self.downloaded.count(one)
        self.downloaded.settle()

    @property
    def figures(self) -> dict[str, float]:
        """What is shown."""
        return {one.name: one.samples[0][1] for one in self.downloaded.figures()}  # type: ignore[misc]


@pytest.fixture
def counting() -> Counting:
    return Counting()


def test_by_file_and_day(counting: Counting) -> None:
    """Each file has a sum for each day; what is taken is taken once."""
    counting.count("a", "b", "a")
    counting.count("a")
    counting.now += timedelta(days=1)
    counting.count("a")
    assert counting.downloaded.take() == [
        Sum("2026-11-21", "a", 3),
        Sum("2026-11-21", "b", 1),
        Sum("2026-11-22", "a", 1),
    ]
    assert counting.downloaded.take() == []
    assert counting.figures == {"downloads": 5, "downloads_dropped": 0}


def test_given_back(counting: Counting) -> None:
    """What could not be kept is taken again, with what came meanwhile."""
    counting.count("a", "b")
    taken = counting.downloaded.take()
    counting.count("a")
    counting.downloaded.give_back(taken)
    assert counting.downloaded.take() == [Sum("2026-11-21", "a", 2), Sum("2026-11-21", "b", 1)]


def test_in_batches(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is taken some at a time, the oldest first."""
    monkeypatch.setattr(downloaded, "MOST_TAKEN", 2)
    counting.count("a", "b", "c")
    assert [[one.blake2_256 for one in counting.downloaded.take()] for _ in range(3)] == [
        ["a", "b"],
        ["c"],
        [],
    ]


def test_many_files(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files beyond a number are not counted one by one, but it is told how many downloads that were."""
    monkeypatch.setattr(downloaded, "MOST_FILES", 2)
    counting.count("a", "b", "c", "a", "c", "d")
    assert [(one.blake2_256, one.count) for one in counting.downloaded.take()] == [("a", 2), ("b", 1)]
    assert counting.figures == {"downloads": 6, "downloads_dropped": 3}


def test_nobody_takes(counting: Counting, monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits while nothing can be kept is bounded; files that wait already go on being counted."""
    monkeypatch.setattr(downloaded, "MOST_WAITING", 2)
    counting.count("a", "b")
    counting.count("a", "c", "c")
    assert [(one.blake2_256, one.count) for one in counting.downloaded.take()] == [("a", 2), ("b", 1)]
    assert counting.figures == {"downloads": 5, "downloads_dropped": 2}
    assert repr(counting.downloaded) == "<Downloaded 5 times, 0 sums waiting>"
