"""How often each file was downloaded: noted where its last byte is sent, and of nobody but the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from attrs import define, field, frozen

from caching.figures import Figure, counter

MOST_FILES = 20_000
"""Files that may have been downloaded since somebody last looked."""

MOST_WAITING = 40_000
"""Sums that wait to be kept, of all days."""

MOST_TAKEN = 1000
"""Of them, those that are taken at once."""


@frozen(order=True)
class Sum:
    """How often a file was downloaded on one day.

    Attributes:
        day: in UTC, as ISO 8601.
        blake2_256: of the file, hexadecimal.
    """

    day: str
    blake2_256: str
    count: int


@define(eq=False, repr=False)
class Downloaded:
    """Counts; what it has counted is taken from it now and then, to be kept.

    Attributes:
        now: aware, UTC.
        counted: downloads; it only grows.
        dropped: those of them that are in no sum, since too many waited.
    """

    now: Callable[[], datetime]
    counted: int = field(default=0, init=False)
    dropped: int = field(default=0, init=False)
    _counts: dict[str, int] = field(factory=dict, init=False)
    _waiting: dict[tuple[str, str], int] = field(factory=dict, init=False)

    def __repr__(self) -> str:
        return f"<Downloaded {self.counted} times, {len(self._counts) + len(self._waiting)} sums waiting>"

    def count(self, blake2_256: str) -> None:
        """All of a file was sent."""
        counts = self._counts
        self.counted += 1
        if blake2_256 in counts:
            counts[blake2_256] += 1
        elif len(counts) < MOST_FILES:
            counts[blake2_256] = 1
        else:
            self.dropped += 1

    def settle(self) -> None:
        """Have wait what was counted since the last time."""
        counts, self._counts = self._counts, {}
        day = self.now().date().isoformat()
        for digest, count in counts.items():
            self._wait((day, digest), count)

    def take(self) -> list[Sum]:
        """Some of what waits to be kept, the oldest first; whoever takes it keeps it, or gives it back."""
        keys = [key for key, _ in zip(self._waiting, range(MOST_TAKEN), strict=False)]
        return [Sum(*key, self._waiting.pop(key)) for key in keys]

    def give_back(self, taken: Iterable[Sum]) -> None:
        """It could not be kept."""
        for one in taken:
            self._wait((one.day, one.blake2_256), one.count)

    def figures(self) -> Iterator[Figure]:
        """Downloads, and those that will be in no sum."""
        yield counter("downloads", "Files that were sent to their end.", self.counted)
        about = "Of those, downloads that no record is kept of: too many files, or the database was away."
        yield counter("downloads_dropped", about, self.dropped)

    def _wait(self, key: tuple[str, str], count: int) -> None:
        known = self._waiting.get(key)
        if known is None and len(self._waiting) >= MOST_WAITING:
            self.dropped += count
        else:
            self._waiting[key] = (known or 0) + count
