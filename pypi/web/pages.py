"""Pages for people with a browser."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import evolve, frozen

from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.index.database import DatabaseIndex
from pypi.web.templates import PAGE as PAGE
from pypi.web.templates import Templates as Templates


@frozen(kw_only=True, eq=False)
class Pages:
    """The public pages.

    Attributes:
        origin: this index's URL, for the lines people paste.
    """

    router: ClassVar[Router] = Router()
    index: DatabaseIndex
    templates: Templates
    origin: str

    @router.get("/", policy=PAGE, tags=("journal",))
    async def home(self, request: Any) -> Answer:
        """What this is, and the lines to paste."""
        projects, serial = await self.index.counts()
        page = self.templates.page("pages/home.html", origin=self.origin, projects=projects, serial=serial)
        return evolve(page, tags=("journal",))
