"""From figures to text: every name begins ``cheeseshop_``, and every sample says which worker it is of."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

from attrs import define, field, frozen
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.utils import floatToGoString
from twisted.logger import Logger

from caching.figures import Figure, Histogram, Shows, gauge

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
    _process: CollectorRegistry = field(init=False)

    def __attrs_post_init__(self) -> None:
        # Not the global one: a process may hold several indexes, as tests do.
        self._process = CollectorRegistry(auto_describe=False)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._process)

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
        encode, content_type = choose_encoder(accept or "")
        return encode(_registry(_Collected(self.worker, self._process, tuple(figures)))), content_type

    def _build(self) -> Figure:
        labels = {"version": self.version, "python": platform.python_version()}
        return gauge("build_info", "Always 1; its labels say what runs.", 1, **labels)


@frozen(eq=False)
class _Collected:
    """A collector of what was collected before."""

    worker: str
    process: CollectorRegistry
    figures: tuple[Figure, ...]

    def collect(self) -> Iterator[Metric]:
        for figure in self.figures:
            yield _family(figure, {WORKER: self.worker})
        for family in self.process.collect():
            samples = [one._replace(labels={**one.labels, WORKER: self.worker}) for one in family.samples]
            labelled = Metric(family.name, family.documentation, family.type, family.unit)
            labelled.samples = samples
            yield labelled


def _registry(collector: Any) -> CollectorRegistry:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(collector)
    return registry


_FAMILIES: dict[str, Callable[[str, str], Metric]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
    "histogram": HistogramMetricFamily,
}


def _family(figure: Figure, more: dict[str, str]) -> Metric:
    name = PREFIX + figure.name
    family = _FAMILIES[figure.kind](name, figure.about)
    for labels, value in figure.samples:
        labels = {**labels, **more}
        if isinstance(value, Histogram):
            _add_histogram(family, labels, value)
        else:
            family.add_sample(name + ("_total" if figure.kind == "counter" else ""), labels, value)
    return family


def _add_histogram(family: Metric, labels: dict[str, str], value: Histogram) -> None:
    bounds = [*map(floatToGoString, value.bounds), "+Inf"]
    sums = list(accumulate(value.counts))
    for bound, count in zip(bounds, sums, strict=True):
        family.add_sample(f"{family.name}_bucket", {**labels, "le": bound}, count)
    family.add_sample(f"{family.name}_count", labels, sums[-1])
    family.add_sample(f"{family.name}_sum", labels, value.sum)


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
