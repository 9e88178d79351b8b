"""Answers with static files, which are kept for ever."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import evolve, frozen

from caching.policy import DAY, FOR_EVER, Policy
from pypi.http.answer import Answer, redirect
from pypi.http.router import Router
from pypi.http.terms import ALWAYS
from pypi.web.assets import Assets

STATIC = evolve(FOR_EVER, edge=365 * DAY, keep=DAY, stale_if_error=365 * DAY)
MOVED = Policy(browser=60, edge=60)


@frozen(kw_only=True, eq=False)
class StaticFiles:
    """Answers ``/static/``."""

    router: ClassVar[Router] = Router()
    assets: Assets

    @router.get("/static/<name>", policy=STATIC, terms=ALWAYS)
    async def static(self, request: Any, name: str) -> Answer:
        """A static file, under the name of its content.

        A page that was kept by somebody may name one of another version: it keeps its looks, more or less.
        """
        found = self.assets.served(name)
        if found.name != name:
            return evolve(redirect(f"/static/{found.name}", 302), policy=MOVED)
        return found.answer()
