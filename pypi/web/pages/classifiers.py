"""The page that shows all classifiers, and how many projects have each."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import evolve, frozen

from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.urls import search_path
from pypi.index.classifiers import ClassifierTree
from pypi.web.templates import PAGE, Templates

TAGS = ("classifiers", "search")


@frozen(kw_only=True, eq=False)
class ClassifierPage:
    """Where people browse who do not know yet what they look for."""

    router: ClassVar[Router] = Router()
    classifiers: ClassifierTree
    templates: Templates

    @router.get("/classifiers/", policy=PAGE, tags=TAGS)
    async def classifiers_page(self, request: Any) -> Answer:
        """The tree of all classifiers; each leads to the projects that have it."""
        page = self.templates.page(
            "pages/classifiers.html",
            path="/classifiers/",
            roots=await self.classifiers.roots(),
            deprecated=self.classifiers.deprecated,
            search_path=search_path,
        )
        return evolve(page, tags=TAGS)
