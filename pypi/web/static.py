"""Answers with static files, which are kept for ever."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import evolve, frozen

from caching.policy import DAY, FOR_EVER
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.web.assets import Assets

STATIC = evolve(FOR_EVER, edge=365 * DAY, keep=DAY, stale_if_error=365 * DAY)


@frozen(kw_only=True, eq=False)
class StaticFiles:
    """Answers ``/static/``."""

    router: ClassVar[Router] = Router()
    assets: Assets

    @router.get("/static/<name>", policy=STATIC)
    async def static(self, request: Any, name: str) -> Answer:
        """A static file, under the name of its content and no other."""
        return self.assets.served(name).answer()
