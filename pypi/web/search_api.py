"""Searches for programs, and what search boxes offer as one types, in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson
from attrs import frozen

from caching.policy import DAY, Policy
from pypi.http.answer import Answer
from pypi.http.router import ALLOWED_HEADERS, Router
from pypi.http.urls import Urls
from pypi.search.find import Search
from pypi.search.inquiry import PARAMETERS, BadInquiry, Inquiry, meant, of_parameters
from pypi.search.results import Marked, Project, Results, Suggestion
from pypi.web.search_described import SEARCH, SUGGEST

JSON = "application/json"
CORS = ("Access-Control-Allow-Headers", ALLOWED_HEADERS)
TAGS = ("search",)


RESULTS = Policy(edge=3600, keep=3600, stale_if_error=DAY, query=PARAMETERS, meant=meant, cors=True)
SUGGESTIONS = Policy(edge=3600, keep=3600, stale_if_error=DAY, query=("q",), meant=meant, cors=True)


@frozen(kw_only=True, eq=False)
class SearchApi:
    """Answers ``/api/search``: the same as the page for people, without the page."""

    router: ClassVar[Router] = Router()
    search: Search
    urls: Urls

    @router.get("/api/search", policy=RESULTS, tags=TAGS, about=SEARCH)
    async def results(self, request: Any) -> Answer:
        """A page of what is found."""
        try:
            inquiry = of_parameters(request.args)
        except BadInquiry as bad:
            return _refused(bad)
        found = await self.search.page(inquiry)
        return _answer(_document(inquiry, found, self.urls))

    @router.get("/api/search/suggest", policy=SUGGESTIONS, tags=TAGS, about=SUGGEST)
    async def suggest(self, request: Any) -> Answer:
        """Projects whose name somebody may be typing."""
        try:
            inquiry = of_parameters({b"q": request.args.get(b"q", ())})
        except BadInquiry as bad:
            return _refused(bad)
        found = await self.search.suggest(inquiry.text)
        return _answer({"q": inquiry.text, "suggestions": [_suggestion(one, self.urls) for one in found]})


def _answer(document: Mapping[str, Any]) -> Answer:
    return Answer(body=orjson.dumps(document), content_type=JSON, headers=(CORS,), tags=TAGS)


def _refused(bad: BadInquiry) -> Answer:
    body = {"message": str(bad), "field": bad.field, "code": "400 Bad Request", "title": "Bad Request"}
    return Answer(code=400, body=orjson.dumps(body), content_type=JSON, headers=(CORS,))


def _document(inquiry: Inquiry, results: Results, urls: Urls) -> dict[str, Any]:
    return {
        "query": {
            "q": inquiry.text,
            "c": inquiry.classifiers,
            "python": inquiry.python or None,
            "wheels": inquiry.wheels,
            "o": inquiry.order.value,
        },
        "total": results.total,
        "more": results.more,
        "loose": results.is_loose,
        "page": results.page,
        "pages": results.last,
        "hits": [_hit(hit, urls) for hit in results.hits],
        "counted": results.counted,
        "classifiers": dict(results.classifiers),
        "pythons": dict(results.pythons),
        "wheels": results.with_wheels,
        "near": results.near,
    }


def _hit(hit: Project, urls: Urls) -> dict[str, Any]:
    return {
        "name": hit.name,
        "normalized": hit.normalized,
        "version": hit.version,
        "summary": hit.summary,
        "created": hit.created.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "downloads": hit.downloads,
        "url": urls.project(hit.name),
        "matched": hit.matched,
        "marks": {"name": _marks(hit.marked_name), "summary": _marks(hit.marked_summary)},
    }


def _marks(marked: Marked) -> list[tuple[int, int]]:
    """Where what was looked for begins and ends, in characters."""
    found, at = [], 0
    for text, is_sought in marked:
        if is_sought:
            found.append((at, at + len(text)))
        at += len(text)
    return found


def _suggestion(one: Suggestion, urls: Urls) -> dict[str, str]:
    return {"name": one.name, "summary": one.summary, "url": urls.project(one.name)}
