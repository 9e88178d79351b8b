"""The front page."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import evolve, frozen

from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.index.statistics import Statistics
from pypi.web.pages.connect import Here
from pypi.web.templates import PAGE, Templates

HOME = evolve(PAGE, edge=600, keep=600)
"""Of a large index its counts are minutes old."""

TAGS = ("journal",)


@frozen(kw_only=True, eq=False)
class Pages:
    """What people see first.

    Attributes:
        tagline: what the operator says that this index is.
    """

    router: ClassVar[Router] = Router()
    statistics: Statistics
    templates: Templates
    here: Here
    tagline: str

    @router.get("/", policy=HOME, tags=TAGS)
    async def home(self, request: Any) -> Answer:
        """What this is, what is new, and the lines to paste; or, where nothing is, how to begin."""
        news = await self.statistics.news()
        totals = await self.statistics.totals(news.serial)
        page = self.templates.page(
            "pages/home.html",
            path="/",
            here=self.here,
            tagline=self.tagline,
            news=news,
            totals=totals,
            serial=news.serial,
        )
        return evolve(page, tags=TAGS)
