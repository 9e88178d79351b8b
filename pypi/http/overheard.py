"""Who the fast lane answers, told from some of the lines it writes: it counts nothing but requests itself.

How many requests a feature answered is exact; which clients made them is read off lines, all of them while
there are few, and a bounded number of each batch while there are many. Nothing of it is on the lane's way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from attrs import define, field, frozen

from caching.memory import Page
from caching.policy import Chooser
from pypi.domain import clients
from pypi.http.log_lines import Combined, Lines
from pypi.http.noted import feature_of

LOOKED_AT = 32
"""Lines of a batch up to which all are looked at."""

SAMPLED = 8
"""Lines of a longer batch that are looked at; there are at most five hundred batches a second."""

NOW_AND_THEN = 0.1
"""Seconds between batches where there is no access log."""

MOST_SPEAKERS = 16384
MOST_ACCEPTS = 4

family = lru_cache(4096)(clients.family)
"""The family of a client, by its ``User-Agent``; agents repeat."""


class Slow(bytes):
    """A line of the access log that the lane did not write."""

    __slots__ = ()


@frozen
class Speaker:
    """Clients for whom the log says the same.

    Attributes:
        family: which they are.
        accepts: what they have said in ``Accept``; the log has none of that.
    """

    family: str
    accepts: tuple[str | None, ...] = ()

    def saying(self, accept: str | None) -> Speaker:
        """With one more ``Accept``."""
        if accept in self.accepts or len(self.accepts) >= MOST_ACCEPTS:
            return self
        return Speaker(self.family, (*self.accepts, accept))


@define(eq=False)
class Overheard:
    """Listens to the lane.

    Attributes:
        lines: the format of what it writes.
        pages: those it answers with (``caching.memory.Memory.pages``).
        heard: feature → family → lines, since somebody last took them.
    """

    lines: Lines
    pages: Mapping[bytes, Page] = field(factory=dict, repr=False)
    heard: dict[str, dict[str, int]] = field(factory=dict, init=False)
    _speakers: dict[bytes, Speaker] = field(factory=dict, init=False, repr=False)
    _turn: int = field(default=0, init=False)

    def speaks(self, suffix: bytes, agent: bytes | None, accept: str | None) -> None:
        """A kind of client speaks to the lane for the first time, or again after a while.

        Args:
            suffix: what the log says of it.
            agent: value of ``User-Agent``.
            accept: value of ``Accept``.
        """
        known = self._speakers.pop(suffix, None) or Speaker(family(agent))
        self._speakers[suffix] = known.saying(accept)
        if len(self._speakers) > MOST_SPEAKERS:
            del self._speakers[next(iter(self._speakers))]

    def listen(self, lines: Sequence[bytes]) -> None:
        """Look at some of a batch of lines."""
        step = 1 if len(lines) <= LOOKED_AT else -(-len(lines) // SAMPLED)
        self._turn += 1
        for line in lines[self._turn % step :: step] if step > 1 else lines:
            if type(line) is bytes:
                self._hear(line)

    def take(self) -> dict[str, dict[str, int]]:
        """What was heard, once."""
        heard, self.heard = self.heard, {}
        return heard

    def _hear(self, line: bytes) -> None:
        target, suffix = self.lines.parts(line)
        page = self.pages.get(target)
        if page is None:
            return
        speaker = self._speakers.pop(suffix, None)
        if speaker is None:
            return
        self._speakers[suffix] = speaker  # now the youngest
        for feature in {_meant(page, accept) for accept in speaker.accepts} - {""}:
            families = self.heard.setdefault(feature, {})
            families[speaker.family] = families.get(speaker.family, 0) + 1


def _meant(page: Page, accept: str | None) -> str:
    kept = page.kept.get("" if page.chooser is None else _variant(page.chooser, accept))
    return feature_of(kept.stats) if kept is not None else ""


@lru_cache(1024)
def _variant(chooser: Chooser, accept: str | None) -> str:
    return chooser(accept, {})


@define(eq=False)
class Murmur:
    """What the lane writes to where there is no access log: its last lines, for a listener alone.

    Attributes:
        reactor: ``IReactorTime``.
        listener: is given some of them.
        lines: a format.
        stamp: of no moment.
        append: takes a line.
    """

    reactor: Any = field(repr=False)
    listener: Callable[[Sequence[bytes]], object] = field(repr=False)
    lines: Lines = field(factory=Combined)
    stamp: bytes = b'"'
    append: Callable[[bytes], None] = field(init=False, repr=False)
    _last: deque[bytes] = field(factory=lambda: deque(maxlen=LOOKED_AT), init=False, repr=False)
    _next: Any = field(default=None, init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        self.append = self._last.append

    async def start(self) -> None:
        """Begin to listen now and then."""
        self._flush_again()

    async def stop(self) -> None:
        """Leave nothing in the reactor."""
        self._next.cancel()
        self.flush()

    def flush(self) -> None:
        """Listen to what was written last."""
        lines = tuple(self._last)
        self._last.clear()
        self.listener(lines)

    def _flush_again(self) -> None:
        self.flush()
        self._next = self.reactor.callLater(NOW_AND_THEN, self._flush_again)


def last_header(request: Any, name: bytes) -> bytes | None:
    """The last value of a header, as the log tells it."""
    values = request.requestHeaders.getRawHeaders(name)
    return values[-1] if values else None
