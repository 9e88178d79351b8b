"""Descriptions rendered in processes of their own, so that a hostile one takes time and memory from nobody.

A process (``pypi.publishing.children``) is started when a description comes and ended when none has come for
a while. What does not render within its bounds is shown as plain text; what nobody could try is left for
later. Neither is a reason to refuse a file.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from functools import cached_property
from hashlib import blake2b
from typing import Any

from attrs import define, field, frozen
from twisted.internet.defer import Deferred, TimeoutError
from twisted.logger import Logger

from pypi.publishing.children.confined import Budget
from pypi.publishing.children.pool import Children, ChildrenBusy
from pypi.publishing.children.process import ChildUnavailable, JobLost
from pypi.publishing.rendering import wire
from pypi.publishing.rendering.wire import Job, NotRendered

log = Logger()

MOST_TEXT_BYTES = 1 << 20
MOST_HTML_BYTES = 4 << 20

# The longest description that renders within its time needs less than half of this.
_MEMORY_BYTES = 256 << 20

# A hostile description is over two seconds after it came, on a machine with time to spare.
_CPU_SECONDS = 1.5

# A tenth of a processor that somebody else wants, too: readers go before what is being published.
_NICE = 10

# Raised when ``rendering.markup`` makes other HTML of the same text.
_REVISION = 3
_LIBRARIES = ("comrak", "docutils", "nh3", "pygments", "readme-renderer")


@frozen
class Rendered:
    """What became of a description.

    Attributes:
        html: harmless, for the inside of a page; ``None``: show the text as it was written.
        warnings: sentences for the uploader.
        renderer: who rendered it, or found that it does not render; ``""`` where it is worth another try.
    """

    html: str | None = None
    warnings: tuple[str, ...] = ()
    renderer: str = ""


def installed_renderer() -> str:
    """Name and versions of what renders here: other ones may make other HTML of the same text."""
    # Imported here: most workers render nothing before they have been up for long.
    from importlib.metadata import version

    libraries = (f"{library} {version(library)}" for library in _LIBRARIES)
    return ", ".join((f"cheeseshop {_REVISION}", *libraries))


@define(eq=False)
class _Recent:
    """The results used last, as many as there is room for."""

    most_bytes: int
    _bytes: int = 0
    _results: OrderedDict[bytes, Rendered] = field(factory=OrderedDict)

    def __len__(self) -> int:
        return len(self._results)

    def get(self, key: bytes) -> Rendered | None:
        if key in self._results:
            self._results.move_to_end(key)
        return self._results.get(key)

    def add(self, key: bytes, rendered: Rendered) -> None:
        self._results[key] = rendered
        self._bytes += sys.getsizeof(rendered.html)
        while self._bytes > self.most_bytes:
            _, oldest = self._results.popitem(last=False)
            self._bytes -= sys.getsizeof(oldest.html)


@define(eq=False, repr=False, kw_only=True)
class Renderer:
    """A bounded pool of rendering processes.

    Attributes:
        reactor: starts processes and tells the time.
        processes: at most this many.
        budget: what the operating system grants a process.
        deadline_seconds: for one description, by the clock on the wall.
        patience_seconds: from the question to the answer, waiting for a process included.
        most_waiting: descriptions that may wait for a process.
        idle_seconds: after so long without a description a process is ended.
        remembered_bytes: of HTML; the same text is not rendered again.
        child: module whose ``main`` a process runs.
    """

    reactor: Any
    processes: int = 2
    budget: Budget = field(
        factory=lambda: Budget(memory_bytes=_MEMORY_BYTES, cpu_seconds=_CPU_SECONDS, nice=_NICE)
    )
    deadline_seconds: float = 4.0
    patience_seconds: float = 8.0
    most_waiting: int = 16
    idle_seconds: float = 60.0
    remembered_bytes: int = 8 << 20
    child: str = "pypi.publishing.rendering.child"
    _children: Children[wire.Result] = field(init=False)
    _recent: _Recent = field(init=False)
    _under_way: dict[bytes, list[Deferred[Rendered]]] = field(factory=dict, init=False)

    @cached_property
    def name(self) -> str:
        """Of what renders, with versions."""
        return installed_renderer()

    @_children.default
    def _pool(self) -> Children[wire.Result]:
        return Children(
            reactor=self.reactor,
            module=self.child,
            arguments=(str(MOST_HTML_BYTES),),
            read=wire.read_result,
            budget=self.budget,
            processes=self.processes,
            deadline_seconds=self.deadline_seconds,
            most_waiting=self.most_waiting,
            most_received=MOST_HTML_BYTES + wire.OVERHEAD_BYTES,
            resident_bytes=_MEMORY_BYTES // 2,
            idle_seconds=self.idle_seconds,
        )

    @_recent.default
    def _memory(self) -> _Recent:
        return _Recent(self.remembered_bytes)

    def __repr__(self) -> str:
        return f"<Renderer {self._children}, {len(self._recent)} descriptions remembered>"

    @property
    def is_busy(self) -> bool:
        """Whether somebody waits for a description."""
        return bool(self._under_way)

    async def start(self) -> None:
        """Be ready to start processes."""
        await self._children.start()

    async def stop(self) -> None:
        """End every process; descriptions under way or waiting are left for later."""
        await self._children.stop()

    async def render(self, text: str, content_type: str) -> Rendered:
        """Turn a description into HTML; the same text at most once, as long as it is remembered.

        Args:
            text: as it was written.
            content_type: of the core metadata; ``""`` where it gives none.

        Returns:
            the HTML or why there is none; never raises for anything a text can do.
        """
        if len(text) > MOST_TEXT_BYTES or len(text.encode("utf-8", "replace")) > MOST_TEXT_BYTES:
            return self._plain("is longer than 1 MiB", self.name)
        body = wire.write_job(Job(text, content_type))
        key = blake2b(body, digest_size=32).digest()
        return self._recent.get(key) or await self._once(key, body)

    async def _once(self, key: bytes, body: bytes) -> Rendered:
        """Whoever asks for what is under way gets its result, too."""
        if (others := self._under_way.get(key)) is not None:
            waiter: Deferred[Rendered] = Deferred()
            others.append(waiter)
            return await waiter
        self._under_way[key] = others = []
        rendered = Rendered()
        try:
            rendered = await self._ask(body)
        finally:
            del self._under_way[key]
            for other in others:
                if not other.called:
                    other.callback(rendered)
        if rendered.renderer:
            self._recent.add(key, rendered)
        return rendered

    async def _ask(self, body: bytes) -> Rendered:
        asked = Deferred.fromCoroutine(self._children.ask(body, "a description"))
        try:
            result = await asked.addTimeout(self.patience_seconds, self.reactor)
        except (ChildrenBusy, ChildUnavailable, TimeoutError) as why:
            log.warn("A description is left for later: {why!r}", why=why)
            return Rendered()
        except JobLost as lost:
            # With more time for the same work, a less busy machine may do it.
            return self._plain("takes too long or too much memory to render", "" if lost.late else self.name)
        if isinstance(result, NotRendered):
            return self._plain(result.why, self.name)
        return Rendered(result, (), self.name)

    def _plain(self, why: str, renderer: str) -> Rendered:
        return Rendered(None, (f"The description {why} and will be shown as plain text.",), renderer)
