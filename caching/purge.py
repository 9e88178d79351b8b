"""Purging: telling the edge, by tags, what it must not serve as fresh any longer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from caching.conditional import parse_http_date

SECOND_AFTER = 2.0
"""Seconds until the same purge is sent again: after the first, a stale cache may have filled another."""

SECOND_AFTER_ALL = 30.0
"""The same for a purge of everything."""

LONGEST_PAUSE = 60.0
"""Seconds between two tries, at most."""

LARGEST_BATCH = 256
"""Tags of one call."""


class PurgeFailed(Exception):
    """The edge has not acknowledged; the purge is to be tried again. ``str()`` says what was heard.

    Attributes:
        retry_after: seconds the edge asked to be left alone; ``None`` if it did not say.
    """

    def __init__(self, sentence: str, retry_after: float | None = None) -> None:
        super().__init__(sentence)
        self.retry_after = retry_after


class Purger(Protocol):
    """One kind of edge. Purging again what is purged already is harmless."""

    async def purge(self, tags: Sequence[str], *, hard: bool = False) -> None:
        """Return once the edge has acknowledged that it forgets every answer with any of the tags.

        Args:
            hard: whether for good; otherwise softly: it may still serve one while no other is to be had.

        Raises:
            PurgeFailed: it has not, or not all of it.
        """

    async def purge_all(self) -> None:
        """Return once the edge has acknowledged that it forgets everything.

        Raises:
            PurgeFailed: it has not.
        """


def batches(tags: Iterable[str], *, longest: int) -> Iterator[list[str]]:
    """Tags in calls of at most ``LARGEST_BATCH``, each tag once.

    Args:
        longest: bytes of one call, counting one separator after each tag.
    """
    batch: list[str] = []
    size = 0
    for tag in dict.fromkeys(tags):
        if batch and (len(batch) == LARGEST_BATCH or size + len(tag) + 1 > longest):
            yield batch
            batch, size = [], 0
        batch.append(tag)
        size += len(tag) + 1
    if batch:
        yield batch


def pause(
    attempts: int, *, jitter: float, retry_after: float | None = None, longest: float = LONGEST_PAUSE
) -> float:
    """Seconds until the next try: twice as long each time, half of it at random, never above the longest.

    Args:
        attempts: how often it has failed before this time.
        jitter: a number from 0 to 1.
        retry_after: what the edge asked for.
        longest: what is never exceeded.
    """
    chosen = min(longest, float(2 ** min(attempts, 16))) * (0.5 + 0.5 * jitter)
    return min(longest, max(chosen, retry_after or 0.0))


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds an answer asks to wait, by its ``Retry-After`` (RFC 9110 §10.2.3); ``None`` if it does not.

    Args:
        headers: by their names in lower case.
        now: POSIX seconds.
    """
    given = headers.get("retry-after", "").strip()
    if given.isascii() and given.isdigit():
        return float(given[:9])
    date = parse_http_date(given)
    return None if date is None else max(0.0, date - now)
