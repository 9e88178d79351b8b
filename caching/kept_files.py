"""Files that the fast lane hands out: what is said of each, and how to have it without waiting for a disk."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from attrs import define, field, frozen

from caching.kept import NOT_IN_304, lines
from caching.store import Headers

MOST = 1024
"""Most files remembered; those that were remembered first are forgotten first."""

OF_THE_MOMENT = frozenset({"server", "date", "connection"})
"""Headers that are not a file's, but of whoever sends it, and when, and to whom."""


AtHand = Callable[[], AbstractContextManager[int] | None]
Sent = Callable[[], object]


def untold() -> None:
    """Nobody wants to know what was sent."""


@frozen(eq=False)
class KeptFile:
    """What is said of a file that is sent whole.

    Attributes:
        own: header lines behind the date, also those of a 304.
        end: the lines that describe the body, and the empty line.
        etag: quoted.
        size: bytes.
        cache: value of its ``Cache-Status``.
        stats: of its route.
        at_hand: the file open to be read, as a descriptor that is good within the context; ``None`` where it
            has to be looked for. What goes wrong within makes the next one look.
        sent: is called when all of it was sent.
    """

    own: bytes
    end: bytes
    etag: bytes
    size: int
    cache: bytes
    stats: Any
    at_hand: AtHand
    sent: Sent = untold

    def __repr__(self) -> str:
        return f"<KeptFile {self.etag.decode('latin-1')}, {self.size} bytes>"


@define(eq=False, repr=False)
class KeptFiles:
    """Files by the paths they were asked for.

    Attributes:
        found: path → file.
    """

    found: dict[bytes, KeptFile] = field(factory=dict, init=False)

    def __repr__(self) -> str:
        return f"<KeptFiles {len(self.found)}>"

    def put(self, path: bytes, file: KeptFile) -> None:
        """Remember a file; a path says the same of it until it is forgotten."""
        self.found.pop(path, None)
        if len(self.found) >= MOST:
            del self.found[next(iter(self.found))]
        self.found[path] = file

    def forget_all(self) -> None:
        """Nobody gets any of them by the lane until it was sent the long way again."""
        self.found.clear()


def kept_file(headers: Headers, stats: Any, at_hand: AtHand, sent: Sent = untold) -> KeptFile | None:
    """A file as the lane needs it; ``None`` if what was said of it cannot be said again by lines alone.

    Args:
        headers: of a 200 with the whole file, in the order they were sent.
    """
    said = [one for one in headers if one[0].lower() not in OF_THE_MOMENT]
    own = tuple(one for one in said if one[0].lower() not in NOT_IN_304)
    end = tuple(said[len(own) :])
    values = {name.lower(): value for name, value in said}
    if (*own, *end) != tuple(said) or len(values) != len(said) or "etag" not in values:
        return None
    return KeptFile(
        own=lines(own),
        end=lines(end) + b"\r\n",
        etag=values["etag"].encode("latin-1"),
        size=int(values["content-length"]),
        cache=values.get("cache-status", "").encode("latin-1"),
        stats=stats,
        at_hand=at_hand,
        sent=sent,
    )
