"""Which recorded requests are asked again: safe ones, of some time, a share of them, at most so many."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from zlib import crc32

from attrs import define, evolve, field

from pypi.shadow.calls import Calls, is_call, is_read_only
from pypi.shadow.lines import Recorded

PARTS = 1_000_000
LONGEST_TARGET = 8192
CUT = 2048
"""Bytes at which our own log cuts a target."""

_SENDABLE = re.compile(r"[!-~]+")
_ABSOLUTE = re.compile(r"https?://[^/?#]*", re.IGNORECASE)


@define(eq=False)
class Choice:
    """Chooses, and counts what is passed over.

    Attributes:
        percent: of the safe requests; which ones follows from their place in the log alone.
        since: the first moment, in the log's own seconds; ``None``: from its beginning.
        until: the moment behind the last.
        limit: requests chosen at most.
        calls: makes read-only calls in place of those whose body no log holds; ``None``: they are passed
            over.
        passed_over: reason → requests.
        chosen: requests so far.
    """

    percent: float = 100.0
    since: float | None = None
    until: float | None = None
    limit: int | None = None
    calls: Calls | None = None
    passed_over: Counter[str] = field(factory=Counter, init=False)
    chosen: int = field(default=0, init=False)

    def of(self, log: Iterable[Recorded]) -> Iterator[Recorded]:
        """Those to be asked again, each with a target that can be sent, in the order of the log."""
        for recorded in log:
            if self.calls is not None:
                self.calls.learn(recorded)
            found = self._considered(recorded)
            if isinstance(found, str):
                self.passed_over[found] += 1
                continue
            if self.limit is not None and self.chosen >= self.limit:
                return
            self.chosen += 1
            yield found

    def _considered(self, recorded: Recorded) -> Recorded | str:
        """The request as it is asked, or why it is not."""
        at = recorded.at
        if (self.since is not None and at < self.since) or (self.until is not None and at >= self.until):
            return "of another time"
        safe = self._safe(recorded)
        if isinstance(safe, Recorded) and not self._is_in_share(recorded.number):
            return "not in the share"
        return safe

    def _safe(self, recorded: Recorded) -> Recorded | str:
        if recorded.method == "POST":
            return self._call(recorded)
        if not recorded.method:
            return "no request"
        if recorded.method not in ("GET", "HEAD"):
            return "not safe"
        target = sendable(recorded.target)
        if target is None:
            return "cannot be sent"
        return recorded if target == recorded.target else evolve(recorded, target=target)

    def _call(self, recorded: Recorded) -> Recorded | str:
        """XML-RPC."""
        if recorded.body:
            return recorded if is_read_only(recorded.body) else "not safe"
        if not is_call(recorded):
            return "not safe"
        return "a call without its body" if self.calls is None else self.calls.instead_of(recorded)

    def _is_in_share(self, number: int) -> bool:
        return crc32(b"%d" % number) % PARTS < self.percent / 100 * PARTS


def sendable(target: str) -> str | None:
    """The target as a server is asked for it: without scheme and host, as a proxy adds them.

    Returns:
        ``None`` if it cannot stand in a request, or was cut by the log.
    """
    if not target.startswith("/"):
        found = _ABSOLUTE.match(target)
        if found is None:
            return None
        target = target[found.end() :]
        target = target if target.startswith("/") else f"/{target}"
    fits = _SENDABLE.fullmatch(target) and len(target) <= LONGEST_TARGET and len(target) != CUT
    return target if fits else None
