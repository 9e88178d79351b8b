"""``/account/``: where somebody who is signed in finds all there is to their account."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.web.personal import PERSONAL, PersonalPages


@frozen(kw_only=True, eq=False)
class AccountHome:
    """Leads on."""

    router: ClassVar[Router] = Router()
    pages: PersonalPages

    @router.get("/account/", policy=PERSONAL, terms=personal())
    async def home(self, request: Any) -> Answer:
        """Who is signed in."""
        return self.pages.page(request, "account/home.html", since=request.session.created)
