"""The figures of one worker, collected; ``text`` writes them, and several texts become one."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from functools import cached_property
from typing import TYPE_CHECKING

from attrs import define, field
from twisted.logger import Logger

from caching.figures import Figure, Shows, gauge

if TYPE_CHECKING:
    from pypi.metrics.text import Text

log = Logger()

PREFIX = "cheeseshop_"
WORKER = "worker"


@define(eq=False, repr=False)
class Metrics:
    """Collects the figures of one worker.

    Attributes:
        version: of Cheeseshop.
        worker: which of the workers this is.
        parts: what has figures to show.
    """

    version: str
    worker: str = "0"
    parts: list[Shows] = field(factory=list)

    def __repr__(self) -> str:
        return f"<Metrics of {len(self.parts)} parts>"

    def add(self, *parts: Shows) -> None:
        """Show the figures of these, too."""
        self.parts.extend(parts)

    def figures(self) -> list[Figure]:
        """All figures, as they are now; a part that fails to show its own is left out and counted."""
        found, failed = [self._build()], 0
        for part in self.parts:
            try:
                found.extend(part.figures())
            except Exception:
                failed += 1
                log.failure("The figures of a part cannot be read: {part}", part=part)
        found.append(gauge("silent_parts", "Parts whose figures could not be read.", failed))
        return found

    def written(self, figures: Iterable[Figure], accept: str | None) -> tuple[bytes, str]:
        """Figures, and those of the process, as text. Takes milliseconds: work for a thread.

        Args:
            accept: which of the formats is wanted; the value of ``Accept``.

        Returns:
            the text and its content type.
        """
        return self._text.written(figures, accept)

    @cached_property
    def _text(self) -> Text:
        # Imported here, in the thread that writes: the library is only for who looks at figures.
        from pypi.metrics.text import Text

        return Text(self.worker)

    def _build(self) -> Figure:
        labels = {"version": self.version, "python": platform.python_version()}
        return gauge("build_info", "Always 1; its labels say what runs.", 1, **labels)


_FAMILY = re.compile(rb"^# HELP (\S+) .*\n(?:# (?:TYPE|UNIT) .*\n)*", re.MULTILINE)
_END = b"# EOF\n"


def merged(texts: Iterable[bytes]) -> bytes:
    """Several such texts of one format as one: each family once, with the samples of all."""
    families: dict[bytes, list[bytes]] = {}
    ended = False
    for text in texts:
        ended |= text.endswith(_END)
        body = text.removesuffix(_END)
        heads = list(_FAMILY.finditer(body))
        ends = [*(head.start() for head in heads[1:]), len(body)]
        for head, end in zip(heads, ends, strict=False):
            pieces = families.setdefault(head[1], [head[0]])
            pieces.append(body[head.end() : end])
    whole = b"".join(piece for pieces in families.values() for piece in pieces)
    return whole + _END if ended else whole
