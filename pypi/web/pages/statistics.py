"""``/stats/``: the index in figures, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from attrs import evolve, frozen

from pypi.http.answer import Answer
from pypi.http.negotiate import best, joined
from pypi.http.router import Router
from pypi.index.downloads import Popular, Popularity, Totals
from pypi.index.statistics import Statistics, Summary
from pypi.web.templates import PAGE, Templates, shown_count, shown_size

HTML = "text/html"
JSON = "application/json"
TAGS = ("journal",)


def representation(accept: str | None, given: Mapping[str, str]) -> str:
    """JSON for who likes it better than HTML."""
    return best(accept, (HTML, JSON)) or HTML


STATISTICS = evolve(PAGE, edge=600, keep=600, vary=("Accept",), variant=representation)
"""Of a large index figures are minutes old, and nobody tells when something was downloaded."""

MOST_DOWNLOADED = 25
"""Projects in the list of those."""


@frozen(kw_only=True, eq=False)
class StatisticsPage:
    """How much there is of what."""

    router: ClassVar[Router] = Router()
    statistics: Statistics
    popularity: Popularity
    templates: Templates

    @router.get("/stats/", policy=STATISTICS, tags=TAGS)
    async def page(self, request: Any) -> Answer:
        """Totals, the most downloaded and the largest projects, releases by month."""
        summary = await self.statistics.summary()
        downloads = await self.popularity.totals()
        if representation(joined(request, "Accept"), {}) == JSON:
            return Answer(body=document(summary, downloads), content_type=JSON, tags=TAGS)
        top = await self.popularity.top(MOST_DOWNLOADED)
        return evolve(self._page(summary, downloads, top), tags=TAGS)

    def _page(self, summary: Summary, downloads: Totals, top: Sequence[Popular]) -> Answer:
        return self.templates.page(
            "pages/statistics.html",
            path="/stats/",
            summary=summary,
            figures=tuple(_figures(summary, downloads)),
            top=top,
            most_in_month=max(1, *(month.releases for month in summary.months)),
            serial=summary.totals.serial,
        )


def _figures(summary: Summary, downloads: Totals) -> Iterator[tuple[str, str]]:
    totals = summary.totals
    yield "projects", shown_count(totals.projects)
    yield "releases", shown_count(totals.releases)
    yield "files", shown_count(totals.files)
    yield "of them wheels", shown_count(totals.wheels)
    yield "in all", shown_size(totals.size)
    if downloads.ever:
        yield "downloads in 30 days", shown_count(downloads.recent)


def document(summary: Summary, downloads: Totals) -> bytes:
    """The figures as the public index prints them, and ours beside them; sizes in bytes."""
    totals = summary.totals
    return json.dumps(
        {
            "total_packages_size": totals.size,
            "top_packages": {one.name: {"size": one.size} for one in summary.largest},
            "projects": totals.projects,
            "releases": totals.releases,
            "files": totals.files,
            "downloads": {"last_30_days": downloads.recent, "ever": downloads.ever},
            "serial": totals.serial,
        },
        separators=(",", ":"),
    ).encode()
