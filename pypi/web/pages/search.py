"""The page that finds projects, by words and by what they can be narrowed to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from attrs import evolve, frozen

from caching.policy import Policy
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.search import inquiry as asked
from pypi.search.find import Search
from pypi.search.inquiry import MOST_CHARACTERS, PARAMETERS, BadInquiry, Inquiry, of_parameters
from pypi.search.results import Results
from pypi.web.pages import search_choices as choices
from pypi.web.templates import Templates

TAGS = ("search",)

FORGIVEN = frozenset({"wheels", "o", "page"})
"""Parameters that say how something is shown, more than what; values they cannot have count for nothing."""

OLD_ORDERS = {"-created": "date", "-zscore": "downloads"}
"""Orders in the words of old addresses."""


def meant(given: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
    """As ``inquiry.meant``, understanding the words of old addresses, and forgiving."""
    orders = [OLD_ORDERS.get(one, one) for one in given.get("o", ())]
    return asked.meant({**given, "o": orders}, FORGIVEN)


RESULTS = Policy(edge=3600, keep=3600, stale_if_error=3600, query=PARAMETERS, meant=meant)


@frozen(kw_only=True, eq=False)
class SearchPage:
    """What people find; also where old addresses lead that searched or browsed."""

    router: ClassVar[Router] = Router()
    search: Search
    templates: Templates

    @router.get("/search/", policy=RESULTS, tags=TAGS)
    async def results(self, request: Any) -> Answer:
        """What is found for some words, or has some classifiers, or both; a page at a time."""
        try:
            inquiry = of_parameters(request.args)
        except BadInquiry as bad:
            words = request.args.get(b"q", [b""])[0].decode("utf-8", "replace")[:MOST_CHARACTERS]
            return self._page(Inquiry(text=words), Results(), bad)
        return evolve(self._page(inquiry, await self.search.page(inquiry)), tags=TAGS)

    def _page(self, inquiry: Inquiry, results: Results, bad: BadInquiry | None = None) -> Answer:
        return self.templates.page(
            "pages/search.html",
            code=400 if bad else 200,
            path=choices.path(inquiry),
            words=inquiry.text,
            inquiry=inquiry,
            results=results,
            bad=bad,
            longest=MOST_CHARACTERS,
            chosen=choices.chosen(inquiry),
            orders=choices.orders(inquiry),
            branches=choices.branches(inquiry, results),
            unfiltered=choices.path(Inquiry(text=inquiry.text, order=inquiry.order)),
            page_path=lambda number: choices.path(evolve(inquiry, page=number)),
        )
