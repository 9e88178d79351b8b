"""Cache policies: what may keep an answer, for how long, and what it varies with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b

from attrs import frozen

Chooser = Callable[[str | None, Mapping[str, str]], str]
"""(Accept header or ``None``, parameters of ``Policy.query``) → name of the representation; pure."""

Asker = Callable[[Mapping[str, Sequence[str]]], Mapping[str, Sequence[str]]]
"""Parameters of ``Policy.query`` with all their values → those that count, spelled as all who mean the same
share them; pure, and refuses nothing."""

Speller = Callable[[str], str]
"""Decoded path → the one spelling of it under which all others share an answer; pure."""

DAY = 24 * 3600
"""Seconds."""

LONGEST_TAG = 200
"""Bytes of a tag as edges are told it; a longer one is told by its hash."""

LONGEST_TAGS = 7000
"""Bytes of all tags of an answer: with more, it is not for the edge to keep. Varnish takes 8 KiB a line."""


@frozen(kw_only=True)
class Policy:
    """How an answer may be kept; a value that stands beside its route.

    A route that is kept (``keep``) says that its answer is the same for everybody, and depends on nothing of
    the request but its path, ``query`` and ``variant``; and of the path no more than ``spelled`` leaves.

    Attributes:
        browser: seconds the client may use it unasked; 0: it asks each time, with its ETag.
        edge: seconds a CDN that is told of changes may use it unasked.
        keep: seconds our own caches use it unless a change touches it first; 0: they do not keep it.
        local: whether memory alone keeps it, and everybody who asks first has it made: where that costs less
            than to fetch it or to wait for others. Whoever makes it bounds its time.
        stale_while_revalidate: seconds an edge may use it beyond ``edge`` while it asks anew.
        stale_if_error: seconds it may be used beyond that when what it is made from does not answer.
        shared: whether caches between us and the client may keep it.
        store: whether anybody may keep it at all.
        immutable: whether it never changes while it is fresh (RFC 8246).
        vary: request headers the answer depends on.
        variant: which of several representations is meant; ``None`` where there is but one.
        query: parameters the answer depends on; the route does not get to see any others, and of these only
            their first values.
        meant: where parameters count more than once, or several questions have one answer: what the route
            gets to see in their place, and what the answer is kept under.
        spelled: where several paths have one answer, which of them it is kept under.
        cors: whether pages of other origins may read it.
    """

    browser: int = 0
    edge: int = 0
    keep: int = 0
    local: bool = False
    stale_while_revalidate: int = 0
    stale_if_error: int = 0
    shared: bool = True
    store: bool = True
    immutable: bool = False
    vary: tuple[str, ...] = ()
    variant: Chooser | None = None
    query: tuple[str, ...] = ()
    meant: Asker | None = None
    spelled: Speller | None = None
    cors: bool = False

    def headers(self) -> Iterator[tuple[str, str]]:
        """The response headers that say all this to clients (RFC 9111 §5.2.2); ``Vary`` is the writer's."""
        yield "Cache-Control", self._cache_control()
        if self.cors:
            yield "Access-Control-Allow-Origin", "*"
            yield "Access-Control-Allow-Methods", "GET"
            yield "Access-Control-Expose-Headers", "X-PyPI-Last-Serial"
            yield "Access-Control-Max-Age", "86400"

    def _cache_control(self) -> str:
        if not self.store:
            return "private, no-store"
        parts = [f"max-age={self.browser}", "public" if self.shared else "private"]
        if self.immutable:
            parts.append("immutable")
        elif self.browser == 0:
            parts.append("must-revalidate")
        return ", ".join(parts)


NO_STORE = Policy(store=False)
"""For what is personal, or is the answer to a write."""

FOR_EVER = Policy(browser=365 * DAY, immutable=True)
"""For what is addressed by its content."""


@frozen
class Dialect:
    """The headers in which one kind of edge is told what it may keep, and under which tags.

    Attributes:
        control: header for times, in the words of ``Cache-Control`` (RFC 9213, or Surrogate-Control).
        tags: header for tags.
        separator: between tags.
    """

    control: str
    tags: str
    separator: str

    def headers(self, policy: Policy, tags: Iterable[str]) -> Iterator[tuple[str, str]]:
        """What the edge is told of an answer; it takes these headers off before a client sees them."""
        if not (policy.edge and policy.shared and policy.store):
            return
        told = self.separator.join(map(edge_tag, tags))
        if len(told) > LONGEST_TAGS:
            return
        parts = [f"max-age={policy.edge}"]
        if policy.stale_while_revalidate:
            parts.append(f"stale-while-revalidate={policy.stale_while_revalidate}")
        if policy.stale_if_error:
            parts.append(f"stale-if-error={policy.stale_if_error}")
        yield self.control, ", ".join(parts)
        if told:
            yield self.tags, told


FASTLY = Dialect("Surrogate-Control", "Surrogate-Key", " ")
VARNISH = Dialect("Surrogate-Control", "xkey", " ")
STANDARD = Dialect("CDN-Cache-Control", "Cache-Tag", ",")


def edge_tag(tag: str) -> str:
    """A tag as an edge is told it: printable ASCII without separators, of bounded length."""
    if len(tag) <= LONGEST_TAG and tag.isascii() and tag.isprintable() and not set(tag) & {" ", ","}:
        return tag
    return "hash/" + blake2b(tag.encode(), digest_size=16).hexdigest()
