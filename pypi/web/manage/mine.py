"""``/manage/``: the projects somebody has a role in, and what they are offered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar

from attrs import frozen
from wtforms import Form

from pypi.accounts.audit import Kind
from pypi.domain.errors import NoSuchProject
from pypi.domain.permissions import Permission
from pypi.http.answer import Answer, redirect
from pypi.http.refused import status_of
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.index.managed import Managing
from pypi.publishing.holding import MayNotManage
from pypi.publishing.role_errors import NotInvited
from pypi.publishing.roles import Roles
from pypi.web.manage.desk import DONE, MINE, SEEING, manage_path, numbered, wrong
from pypi.web.personal import PERSONAL, PersonalPages, after, page_number


@frozen(kw_only=True, eq=False)
class YourProjects:
    """Lists them; offers are accepted and declined here."""

    router: ClassVar[Router] = Router()
    managing: Managing
    roles: Roles
    pages: PersonalPages

    @router.get(MINE, policy=PERSONAL, terms=personal())
    async def mine(self, request: Any) -> Answer:
        """All of them, by name."""
        return await self._page(request, Form())

    @router.get("/manage/<name>/", policy=PERSONAL, terms=SEEING)
    async def project(self, request: Any, name: str) -> Answer:
        """Where one begins with a project."""
        held = await self.managing.project(request.identity, name)
        return redirect(manage_path(held.name, "releases"), 302)

    @router.post(
        "/manage/<name>/invitation/accept/",
        terms=personal(Permission.ACCOUNT, audit=Kind.ROLE_GIVEN.event),
    )
    async def accept(self, request: Any, name: str) -> Answer:
        """Take the role that is offered."""
        return await self._answer(request, name, self.roles.accept, "accepted")

    @router.post(
        "/manage/<name>/invitation/decline/",
        terms=personal(Permission.ACCOUNT, audit=Kind.ROLE_INVITATION_ENDED.event),
    )
    async def decline(self, request: Any, name: str) -> Answer:
        """Do not want it."""
        return await self._answer(request, name, self.roles.decline, "declined")

    async def _answer(
        self, request: Any, name: str, act: Callable[..., Awaitable[object]], done: str
    ) -> Answer:
        try:
            await act(request.identity, name, address=request.caller.address)
        except (NoSuchProject, NotInvited, MayNotManage):
            # Whether there is such a project at all is not told to who has nothing to do with it.
            refusal = NotInvited(request.identity.name, name)
            form = Form()
            wrong(form, str(refusal))
            return await self._page(request, form, status_of(refusal))
        return after(MINE, done)

    async def _page(self, request: Any, form: Form, code: int = 200) -> Answer:
        mine = await self.managing.mine(request.identity, page_number(request))
        return self.pages.page(
            request,
            "manage/mine.html",
            code=code,
            done=DONE,
            form=form,
            manage_path=manage_path,
            mine=mine,
            page_path=lambda page: numbered(MINE, page),
        )
