"""Varnish: each instance is asked to purge by xkey, in the way ``vcl/cheeseshop.vcl`` understands."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.resources import files

from attrs import field, frozen
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults

from caching.client import Client, NoReply
from caching.policy import edge_tag
from caching.purge import PurgeFailed, batches, retry_after

EVERYTHING = "everything"
"""The tag our VCL gives every answer."""

LONGEST_CALL = 6 * 1024
"""Bytes of the tags of one call: Varnish takes 8 KiB for a header unless it is told otherwise."""

AT_ONCE = 4
"""Instances that are asked at once."""


@frozen(kw_only=True, eq=False)
class Varnish:
    """All instances that stand before the index; a purge is done when every one of them has acknowledged.

    Attributes:
        urls: of the instances, as this process reaches them.
        secret: what they know it by, besides its address; empty for none.
        clock: POSIX seconds, to which a date in ``Retry-After`` is compared.
    """

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    client: Client = field(repr=False)
    clock: Callable[[], float] = field(default=time.time, repr=False)

    async def purge(self, tags: Sequence[str], *, hard: bool = False) -> None:
        """Purge: what is purged is asked for anew.

        Args:
            hard: whether it is lost; otherwise it is served only while no answer is to be had.

        Raises:
            PurgeFailed: naming every instance that has not acknowledged; the others have.
        """
        calls = list(batches(map(edge_tag, tags), longest=LONGEST_CALL))
        await self._everywhere(calls, hard=hard)

    async def purge_all(self) -> None:
        """The same for all that is there, softly.

        Raises:
            PurgeFailed: naming every instance that has not acknowledged.
        """
        await self._everywhere([[EVERYTHING]])

    async def _everywhere(self, calls: Sequence[Sequence[str]], *, hard: bool = False) -> None:
        room = DeferredSemaphore(AT_ONCE)

        def begin(url: str) -> Deferred[PurgeFailed | None]:
            return Deferred.fromCoroutine(self._attempt(url, calls, hard))

        failures = [one for one in await gatherResults([room.run(begin, url) for url in self.urls]) if one]
        if failures:
            hints = [one.retry_after for one in failures if one.retry_after is not None]
            raise PurgeFailed("; ".join(map(str, failures)), max(hints, default=None))

    async def _attempt(self, url: str, calls: Sequence[Sequence[str]], hard: bool) -> PurgeFailed | None:
        """One instance; the others are asked whatever becomes of it."""
        try:
            for tags in calls:
                await self._ask(url, tags, hard)
        except PurgeFailed as failure:
            return failure
        return None

    async def _ask(self, url: str, tags: Sequence[str], hard: bool) -> None:
        headers = {"xkey": " ".join(tags)}
        if hard:
            headers["Purge-Mode"] = "hard"
        if self.secret:
            headers["Purge-Secret"] = self.secret
        try:
            reply = await self.client.ask("PURGE", f"{url}/", headers)
        except NoReply as reason:
            raise PurgeFailed(str(reason)) from None
        # Whatever else answers there, such as an index without a Varnish before it, has purged nothing.
        if reply.status != 200 or "purged-objects" not in reply.headers:
            raise PurgeFailed(
                f"{url} answered {reply.status}, without acknowledging",
                retry_after(reply.headers, self.clock()),
            )


def vcl() -> str:
    """The VCL that understands these calls, for ``include`` in a site's own."""
    return (files("caching") / "vcl" / "cheeseshop.vcl").read_text(encoding="utf-8")
