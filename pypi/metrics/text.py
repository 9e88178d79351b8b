"""From figures to text: every name begins ``cheeseshop_``, and every sample says which worker it is of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from typing import Any

from attrs import define, field, frozen
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.utils import floatToGoString

from caching.figures import Figure, Histogram
from pypi.metrics.exposition import PREFIX, WORKER


@define(eq=False)
class Text:
    """Writes figures, and those of the process, in the formats Prometheus reads.

    Attributes:
        worker: which of the workers they are of.
    """

    worker: str
    _process: CollectorRegistry = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        # Not the global one: a process may hold several indexes, as tests do.
        self._process = CollectorRegistry(auto_describe=False)
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._process)

    def written(self, figures: Iterable[Figure], accept: str | None) -> tuple[bytes, str]:
        """The text, and its content type.

        Args:
            accept: which of the formats is wanted; the value of ``Accept``.
        """
        encode, content_type = choose_encoder(accept or "")
        return encode(_registry(_Collected(self.worker, self._process, tuple(figures)))), content_type


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
