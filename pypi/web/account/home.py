"""``/account/``: all there is to an account, at a glance; and how its owner connects."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlsplit

from attrs import frozen

from pypi.accounts.sessions import Sessions
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.http.urls import Urls
from pypi.web.personal import PERSONAL, PersonalPages

DONE = {"registered": "Your account is ready, and you are signed in."}


@frozen(kw_only=True, eq=False)
class AccountHome:
    """Leads on.

    Attributes:
        is_private: whether nothing is read here without signing in.
    """

    router: ClassVar[Router] = Router()
    sessions: Sessions
    pages: PersonalPages
    urls: Urls
    is_private: bool

    @router.get("/account/", policy=PERSONAL, terms=personal())
    async def home(self, request: Any) -> Answer:
        """Who is signed in."""
        return self.pages.page(
            request,
            "account/home.html",
            done=DONE,
            since=request.session.created,
            account=await self.sessions.summary(request.session.user_id),
            upload=f"{self.urls.origin}/legacy/",
            host=urlsplit(self.urls.origin).hostname,
            is_private=self.is_private,
        )
