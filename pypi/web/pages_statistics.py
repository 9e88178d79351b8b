"""``/stats/``: the index in figures, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from attrs import evolve, frozen

from pypi.http.answer import Answer
from pypi.http.negotiate import best, joined
from pypi.http.router import Router
from pypi.index.statistics import Statistics, Summary
from pypi.web.templates import PAGE, Templates, shown_count, shown_size

HTML = "text/html"
JSON = "application/json"
TAGS = ("journal",)


def representation(accept: str | None, given: Mapping[str, str]) -> str:
    """JSON for who likes it better than HTML."""
    return best(accept, (HTML, JSON)) or HTML


STATISTICS = evolve(PAGE, edge=600, keep=600, vary=("Accept",), variant=representation)
"""Of a large index figures are minutes old; and months end where nothing is changed, too."""


@frozen(kw_only=True, eq=False)
class StatisticsPage:
    """How much there is of what."""

    router: ClassVar[Router] = Router()
    statistics: Statistics
    templates: Templates

    @router.get("/stats/", policy=STATISTICS, tags=TAGS)
    async def page(self, request: Any) -> Answer:
        """Totals, releases by month, the largest projects."""
        summary = await self.statistics.summary()
        if representation(joined(request, "Accept"), {}) == JSON:
            return Answer(body=document(summary), content_type=JSON, tags=TAGS)
        return evolve(self._page(summary), tags=TAGS)

    def _page(self, summary: Summary) -> Answer:
        totals = summary.totals
        return self.templates.page(
            "pages/statistics.html",
            summary=summary,
            figures=(
                ("Projects", shown_count(totals.projects)),
                ("Releases", shown_count(totals.releases)),
                ("Files", shown_count(totals.files)),
                ("of them wheels", shown_count(totals.wheels)),
                ("In all", shown_size(totals.size)),
            ),
            most_in_month=max(1, *(month.releases for month in summary.months)),
            serial=totals.serial,
        )


def document(summary: Summary) -> bytes:
    """The figures as the public index prints them, and ours beside them; sizes in bytes."""
    totals = summary.totals
    return json.dumps(
        {
            "total_packages_size": totals.size,
            "top_packages": {one.name: {"size": one.size} for one in summary.largest},
            "projects": totals.projects,
            "releases": totals.releases,
            "files": totals.files,
            "serial": totals.serial,
        },
        separators=(",", ":"),
    ).encode()
