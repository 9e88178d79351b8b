"""Cache policies: what may keep an answer, for how long, and under which request headers it varies."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen


@frozen(kw_only=True)
class Policy:
    """How an answer may be kept; a value that stands beside its route.

    Attributes:
        browser: seconds the client may use it unasked; 0: it asks each time, with its ETag.
        shared: whether caches between us and the client may keep it.
        store: whether anybody may keep it at all.
        immutable: whether it never changes while it is fresh (RFC 8246).
        vary: request headers the answer depends on.
        cors: whether pages of other origins may read it.
    """

    browser: int = 0
    shared: bool = True
    store: bool = True
    immutable: bool = False
    vary: tuple[str, ...] = ()
    cors: bool = False

    def headers(self) -> Iterator[tuple[str, str]]:
        """The response headers that say all this (RFC 9111 §5.2.2); ``Vary`` is the writer's."""
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

FOR_EVER = Policy(browser=365 * 24 * 3600, immutable=True)
"""For what is addressed by its content."""
