"""Purges in general: how tags are gathered into calls, and how long a failed one rests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caching.purge import LARGEST_BATCH, LONGEST_PAUSE, batches, pause


@given(st.lists(st.text("abc/", min_size=1, max_size=30)), st.integers(1, 200))
def test_batches(tags: list[str], longest: int) -> None:
    """Every tag stands in one call, in order; no call is larger than it may be, but for a single tag."""
    calls = list(batches(tags, longest=longest))
    assert [tag for call in calls for tag in call] == list(dict.fromkeys(tags))
    assert all(0 < len(call) <= LARGEST_BATCH for call in calls)
    assert all(len(call) == 1 or sum(len(tag) + 1 for tag in call) <= longest for call in calls)


def test_largest_batch() -> None:
    """However short tags are, a call has only so many."""
    assert [len(call) for call in batches(map(str, range(600)), longest=1 << 20)] == [256, 256, 88]


@given(
    st.integers(0, 10**9),
    st.floats(0, 1),
    st.none() | st.floats(0, 1e9, allow_nan=False, allow_infinity=False),
)
def test_pause_is_bounded(attempts: int, jitter: float, asked: float | None) -> None:
    """A pause is never nothing, and never longer than the longest."""
    assert 0.5 <= pause(attempts, jitter=jitter, retry_after=asked) <= LONGEST_PAUSE


@pytest.mark.parametrize(
    ("attempts", "jitter", "asked", "seconds"),
    [
        (0, 1, None, 1),
        (0, 0, None, 0.5),
        (3, 1, None, 8),
        (3, 0.5, None, 6),
        (9, 1, None, 60),
        (0, 1, 20, 20),
    ],
)
def test_pause(attempts: int, jitter: float, asked: float | None, seconds: float) -> None:
    """A pause is twice the one before, up to half of it left to chance, and no less than was asked for."""
    assert pause(attempts, jitter=jitter, retry_after=asked) == seconds
