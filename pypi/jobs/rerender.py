"""Renders descriptions anew when what renders them has changed, and those that were left for later.

The newest releases come first. A few at a time are kept in one transaction, with all that has to be forgotten
because of them; whoever is killed in between has done what he has done, and the next run finds what is left
by the names of those who rendered it. Descriptions of uploads go first: this waits while there are any, and
takes no more than half of the time of one process.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, ClassVar

from attrs import define, field
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.logger import Logger

from caching.figures import Figure, counter, gauge
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import descriptions
from pypi.db.queries.descriptions import Anew
from pypi.domain.changes import DescriptionsRendered
from pypi.failpoints import failpoint
from pypi.publishing.descriptions import Renderer
from pypi.publishing.record import Recorded, conclude

log = Logger()

BATCH = 20
"""Descriptions kept in one transaction at most."""

BATCH_CHARACTERS = 4 << 20
"""Characters of HTML from which a batch is kept before it is full."""

LONGEST = 240.0
"""Seconds of a run after which it leaves the rest to the next one."""

YIELD = 0.2
"""Seconds between looks whether the renderer has time."""

MOST_COUNTED = 100_000
"""Of what is left; nobody needs to know it better."""


@define(kw_only=True, eq=False)
class Rerender:
    """Brings descriptions up to date.

    Attributes:
        announce: told of a committed change: (serial, tags).
        rendered: descriptions rendered anew so far.
        changed: projects that look different for that.
        left: descriptions that were to be rendered when the last run began; counted up to ``MOST_COUNTED``.
    """

    every: ClassVar[float] = 300.0
    database: Database = field(repr=False)
    renderer: Renderer = field(repr=False)
    reactor: Any = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)
    rendered: int = field(default=0, init=False)
    changed: int = field(default=0, init=False)
    left: int = field(default=0, init=False)
    _running: Deferred[None] | None = field(default=None, init=False, repr=False)
    _stopped: bool = field(default=False, init=False, repr=False)

    def figures(self) -> Iterator[Figure]:
        """What is done, and what is to be done."""
        yield gauge("descriptions_outdated", "Descriptions to be rendered anew, of all workers.", self.left)
        yield counter("descriptions_rendered_anew", "Descriptions this worker rendered anew.", self.rendered)
        yield counter("descriptions_changed", "Projects that look different for that.", self.changed)

    async def start(self) -> None:
        """Be ready to run."""
        self._stopped = False

    async def stop(self) -> None:
        """Break off; what was not kept is rendered again."""
        self._stopped = True
        if self._running is not None:
            self._running.cancel()

    async def run(self) -> None:
        """Render what others have rendered, for as long as a run may take."""
        if self._stopped:
            return
        self._running = Deferred.fromCoroutine(self._run())
        try:
            await self._running
        except CancelledError:
            if not self._stopped:
                raise
        finally:
            self._running = None

    async def _run(self) -> None:
        ends = self.reactor.seconds() + LONGEST
        others = await self.database.read(descriptions.other_renderers, self.renderer.name)
        self.left = await self.database.read(descriptions.count, others, most=MOST_COUNTED) if others else 0
        if self.left:
            log.info(
                "{count} descriptions are to be rendered anew by {renderer}",
                count=self.left,
                renderer=self.renderer.name,
            )
        for other in others:
            before = descriptions.NEWEST
            while before and self.reactor.seconds() < ends:
                before = await self._batch(other, before)

    async def _batch(self, other: str, before: int) -> int:
        """Render the next few of those that ``other`` has rendered; where to go on, 0 for nowhere."""
        found = await self.database.read(descriptions.rendered_by, other, before=before, limit=BATCH)
        anew: list[Anew] = []
        for release_id in found:
            if (one := await self._anew(release_id, other)) is not None:
                anew.append(one)
            before = release_id
            if sum(len(one.html or "") for one in anew) > BATCH_CHARACTERS:
                break
        if anew:
            await self._keep(anew)
        return before if found else 0

    async def _anew(self, release_id: int, other: str) -> Anew | None:
        """One description, rendered; ``None`` if it is gone, or for another time."""
        while self.renderer.is_busy:
            await deferLater(self.reactor, YIELD)
        written = await self.database.read(descriptions.written, release_id)
        if written is None:
            return None
        began = self.reactor.seconds()
        rendered = await self.renderer.render(written.raw, written.content_type)
        await deferLater(self.reactor, self.reactor.seconds() - began)
        if not rendered.renderer:
            return None
        self.rendered += 1
        return Anew(release_id, other, rendered.html, rendered.renderer)

    async def _keep(self, anew: Sequence[Anew]) -> None:
        recorded = await self.database.transact(_replace, anew, now=self.now())
        if recorded is not None:
            self.changed += len(recorded.tags)
            await self.announce(recorded.serial, recorded.tags)


async def _replace(cursor: Cursor, anew: Sequence[Anew], *, now: datetime) -> Recorded | None:
    """Keep them, and say whose pages look different; ``None`` where none does."""
    failpoint("rerender.before-replace")
    projects = await descriptions.replace(cursor, anew)
    if not projects:
        return None
    recorded = await conclude(cursor, [DescriptionsRendered(projects=tuple(projects))], now=now)
    failpoint("rerender.before-commit")
    return recorded
