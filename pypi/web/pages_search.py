"""The page that finds projects, by words or by a classifier."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import evolve, frozen

from caching.policy import Policy
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.urls import project_path
from pypi.index.documents import Documents
from pypi.search.find import Search
from pypi.search.query import MOST_CHARACTERS, MOST_HITS, of_text
from pypi.web.pages import Templates

RESULTS = Policy(edge=3600, keep=3600, stale_if_error=3600, query=("q", "c"))
TAGS = ("search",)


@frozen(kw_only=True, eq=False)
class SearchPage:
    """What people find; also where old addresses lead that searched or browsed."""

    router: ClassVar[Router] = Router()
    documents: Documents
    search: Search
    templates: Templates

    @router.get("/search/", policy=RESULTS, tags=TAGS)
    async def results(self, request: Any) -> Answer:
        """The best hits for some words; without any, what has a classifier."""
        words, classifier = _given(request, b"q"), _given(request, b"c")
        found: Any = ()
        if words:
            found = await self.search.find(of_text(words))
        elif classifier:
            found = await self.documents.classified(classifier, limit=MOST_HITS)
        page = self.templates.page(
            "pages/search.html",
            words=words,
            classifier=classifier,
            found=found,
            most=MOST_HITS,
            longest=MOST_CHARACTERS,
            project_path=project_path,
        )
        return evolve(page, tags=TAGS)


def _given(request: Any, name: bytes) -> str:
    return str(request.args.get(name, [b""])[0].decode("utf-8", "replace")).strip()
