"""What caches keep: whole answers, and what the shared store of them promises."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from attrs import field, frozen

Headers = tuple[tuple[str, str], ...]


@frozen(kw_only=True, eq=False)
class Entry:
    """A whole answer.

    Attributes:
        code: HTTP status.
        standing: headers that many entries have alike, ``Content-Type`` and ``Vary`` among them.
        headers: its own ones. Never among either: ``Date``, ``Server``, ``Cache-Status``, ``ETag``,
            ``Content-Encoding``, ``Content-Length``, which are written from what follows.
        body: as it is kept: gzip where ``packed``.
        packed: whether clients that take gzip get ``body``, and others what is inside it.
        etag: strong validator of the bytes inside, quoted; ``None`` for an answer that has none.
        tags: of everything it was made from.
        serial: of a change that its snapshot saw, as it saw all before.
        made: POSIX seconds.
        cost: seconds it took to make.
    """

    code: int
    standing: Headers
    headers: Headers
    body: bytes = field(repr=False)
    packed: bool
    etag: str | None
    tags: tuple[str, ...]
    serial: int
    made: float
    cost: float


class Turn(Enum):
    """Who makes what the shared store does not have."""

    OURS = "nobody else is making it"
    THEIRS = "another process is, and will store it"
    NOBODYS = "the store does not answer"


class Shared(Protocol):
    """A store that several processes share (L2). It never raises: a store that fails has nothing."""

    async def get(self, key: str) -> Entry | Turn:
        """The entry, or whose turn it is to make it."""

    async def put(self, key: str, entry: Entry, seconds: float) -> bool:
        """Keep an entry, unless a change it has not seen touched one of its tags, or a newer one is there.

        Args:
            seconds: it may be of use.

        Returns:
            whether it was kept.
        """

    async def touch(self, serial: int, tags: tuple[str, ...]) -> None:
        """A change touched these tags: nothing older is kept under them from now on."""
