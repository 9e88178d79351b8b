"""The operator's listener: figures of all workers, whichever of them is asked."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen
from twisted.internet.threads import deferToThread

from caching.figures import Figure, gauge
from caching.policy import NO_STORE
from pypi.http.answer import Answer
from pypi.http.negotiate import joined
from pypi.http.router import Router
from pypi.metrics import Metrics, merged
from pypi.web.metrics_siblings import Siblings


@frozen(kw_only=True, eq=False)
class Scrapes:
    """Answers ``/metrics`` on the operator's port only, in the text format of Prometheus or in OpenMetrics.

    Attributes:
        metrics: of this worker.
        siblings: the other workers; ``None`` where this is the only one.
    """

    router: ClassVar[Router] = Router()
    metrics: Metrics
    siblings: Siblings | None = None

    @router.get("/metrics", policy=NO_STORE)
    async def scrape(self, request: Any) -> Answer:
        """Figures: of all workers, or with ``?worker=self`` of the one that answers."""
        alone = b"self" in request.args.get(b"worker", ())
        text, content_type = await self.text(joined(request, "Accept"), alone=alone)
        return Answer(body=text, content_type=content_type)

    async def text(self, accept: str | None = None, *, alone: bool = False) -> tuple[bytes, str]:
        """Figures in the format that ``accept`` means, and its content type.

        Args:
            alone: of this worker only.
        """
        figures, others = self.metrics.figures(), list[bytes]()
        if self.siblings is not None and not alone:
            others, absent = await self.siblings.metrics(accept)
            figures.append(gauge("workers_absent", "Workers that did not answer this scrape.", absent))
        return await deferToThread(self._written, figures, accept, others)

    def _written(self, figures: list[Figure], accept: str | None, others: list[bytes]) -> tuple[bytes, str]:
        text, content_type = self.metrics.written(figures, accept)
        return merged([text, *others]) if others else text, content_type
