"""Looks through the edge whether it shows what the index says, and purges again what it does not.

Purges are acknowledged, and yet caches have served old pages for months: a shield filled from a stale
parent, an instance nobody told us of, a rule of an operator's. Nothing but looking finds that out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import ClassVar
from urllib.parse import quote

from attrs import define, evolve, field, frozen
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.logger import Logger

from caching.client import Client, NoReply, Reply
from pypi.db.database import Database
from pypi.db.queries import journal
from pypi.db.queries.journal import Expected
from pypi.jobs.purge import Purges

log = Logger()

PAGES = 20
"""Projects that are looked at each time."""

AT_ONCE = 4
"""Pages that are asked for at once."""

SETTLED = timedelta(seconds=10)
"""A change younger than that may still be on its way."""

ACCEPTS = ("text/html", "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html")
"""The representations, each of which an edge keeps for itself; one of them is looked at each time."""


@frozen(kw_only=True)
class Findings:
    """What was found so far by this worker, for metrics.

    Attributes:
        fresh: pages that showed what they should.
        stale: pages that showed something older, or nothing.
        unknown: pages that could not be had, or did not say how old they are.
    """

    fresh: int = 0
    stale: int = 0
    unknown: int = 0


@define(kw_only=True, eq=False)
class Audit:
    """Looks at the projects that were changed last.

    Attributes:
        url: where clients find the edge, without a slash at its end.
    """

    every: ClassVar[float] = 60.0
    database: Database = field(repr=False)
    purges: Purges = field(repr=False)
    client: Client = field(repr=False)
    url: str
    now: Callable[[], datetime] = field(repr=False)
    random: Random = field(factory=Random, repr=False)
    findings: Findings = field(factory=Findings, init=False)

    async def run(self) -> None:
        """Look, and have purged again what is old."""
        before = self.now() - SETTLED
        expected = await self.database.read(journal.changed_last, before=before, limit=PAGES)
        stale = await self._stale(expected)
        if not stale:
            return
        names = [one.project for one in stale]
        log.warn(
            "{count} pages at {url} are older than the index, and are purged again: {names}",
            count=len(names),
            url=self.url,
            names=", ".join(names),
        )
        await self.purges.ask([f"project/{name}" for name in names])

    async def _stale(self, expected: Sequence[Expected]) -> list[Expected]:
        room = DeferredSemaphore(AT_ONCE)

        def begin(one: Expected) -> Deferred[bool]:
            return Deferred.fromCoroutine(self._is_stale(one))

        stale = await gatherResults([room.run(begin, one) for one in expected])
        return [one for one, is_stale in zip(expected, stale, strict=True) if is_stale]

    async def _is_stale(self, expected: Expected) -> bool:
        accept = self.random.choice(ACCEPTS)
        try:
            reply = await self.client.ask(
                "HEAD", f"{self.url}/simple/{quote(expected.project)}/", {"Accept": accept}
            )
        except NoReply as reason:
            log.info("A page could not be had through the edge: {reason}", reason=str(reason))
            return self._found(unknown=1)
        shown = _serial(reply)
        if shown is None:
            return self._found(unknown=1)
        return self._found(stale=1) if shown < expected.serial else self._found(fresh=1)

    def _found(self, *, fresh: int = 0, stale: int = 0, unknown: int = 0) -> bool:
        so_far = self.findings
        self.findings = evolve(
            so_far,
            fresh=so_far.fresh + fresh,
            stale=so_far.stale + stale,
            unknown=so_far.unknown + unknown,
        )
        return bool(stale)


def _serial(reply: Reply) -> int | None:
    """How old a page is, by its serial; 0 for one that is not there yet, ``None`` where it does not say."""
    if reply.status in (404, 410):
        return 0
    given = reply.headers.get("x-pypi-last-serial", "")
    return int(given[:18]) if reply.status == 200 and given.isascii() and given.isdigit() else None
