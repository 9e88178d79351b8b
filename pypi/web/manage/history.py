"""``/manage/<name>/history/``: what happened to a project, when, and by whom."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from attrs import frozen

from pypi.domain.permissions import Permission
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.urls import user_path
from pypi.index.managed import Managing
from pypi.index.past import Past
from pypi.web.manage.desk import SEEING, Desk, manage_path, permit
from pypi.web.personal import PERSONAL, given


@frozen(kw_only=True, eq=False)
class ManagedHistory:
    """Tells it to those who look after the project."""

    router: ClassVar[Router] = Router()
    managing: Managing
    past: Past
    desk: Desk

    @router.get("/manage/<name>/history/", policy=PERSONAL, terms=SEEING)
    async def history(self, request: Any, name: str) -> Answer:
        """The last first, a page of it."""
        held = await self.managing.project(request.identity, name)
        permit(request, held, Permission.UPLOAD)
        before = given(request, "before")
        page = await self.past.of_project(held.normalized, before=before)
        path = manage_path(held.name, "history")
        return self.desk.page(
            request,
            "history",
            held,
            "history",
            before=before,
            first=path,
            following=f"{path}?{urlencode({'before': page.next})}" if page.next else "",
            page=page,
            user_path=user_path,
        )
