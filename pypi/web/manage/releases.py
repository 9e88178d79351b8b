"""``/manage/<name>/releases/``: all releases of a project, to be yanked, many at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.domain.permissions import Permission
from pypi.http.answer import Answer, redirect
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.index.managed import Managing
from pypi.publishing.yank import Yanks
from pypi.web.manage.desk import SEEING, Desk, ReasonForm, manage_path, numbered, tried, wrong
from pypi.web.personal import PERSONAL, filled, page_number

LIST = "releases"


@frozen(kw_only=True, eq=False)
class ManagedReleases:
    """Lists them, and yanks those that are chosen for one reason."""

    router: ClassVar[Router] = Router()
    managing: Managing
    yanks: Yanks
    desk: Desk

    @router.get("/manage/<name>/releases/", policy=PERSONAL, terms=SEEING)
    async def releases(self, request: Any, name: str) -> Answer:
        """The highest version first."""
        return await self._list(request, name, ReasonForm())

    @router.post("/manage/<name>/yank/", terms=personal(Permission.MANAGE, audit=Kind.RELEASE_YANKED.event))
    async def yank(self, request: Any, name: str) -> Answer:
        """Yank all that were chosen, or none."""
        form, chosen = filled(ReasonForm, request), _chosen(request)

        def act() -> Awaitable[int | None]:
            reason, address = form.reason.data or "", request.caller.address
            return self.yanks.yank_all(request.identity, name, chosen, reason, address=address)

        return await self._carry_out(request, name, form, act, "yanked")

    @router.post(
        "/manage/<name>/unyank/", terms=personal(Permission.MANAGE, audit=Kind.RELEASE_UNYANKED.event)
    )
    async def unyank(self, request: Any, name: str) -> Answer:
        """Take the yanks of all that were chosen back, or none."""
        form, chosen = filled(ReasonForm, request), _chosen(request)

        def act() -> Awaitable[int | None]:
            return self.yanks.unyank_all(request.identity, name, chosen, address=request.caller.address)

        return await self._carry_out(request, name, form, act, "unyanked")

    async def _carry_out(
        self,
        request: Any,
        name: str,
        form: ReasonForm,
        act: Callable[[], Awaitable[int | None]],
        done: str,
    ) -> Answer:
        chosen = _chosen(request)
        if not chosen:
            wrong(form, "Choose at least one release.")
        code = await tried(form, act) if chosen else 400
        if code:
            return await self._list(request, name, form, chosen, code)
        return redirect(numbered(manage_path(name, LIST), page_number(request), done), 303)

    async def _list(
        self, request: Any, name: str, form: ReasonForm, chosen: Sequence[str] = (), code: int = 200
    ) -> Answer:
        found = await self.managing.releases(request.identity, name, page_number(request))
        held, page = found.held, found.part.page
        return self.desk.page(
            request,
            "releases",
            held,
            LIST,
            code=code,
            found=found,
            form=form,
            chosen=frozenset(chosen),
            page_path=lambda number: numbered(manage_path(held.name, LIST), number),
            yank_path=numbered(manage_path(held.name, "yank"), page),
            unyank_path=numbered(manage_path(held.name, "unyank"), page),
        )


def _chosen(request: Any) -> Sequence[str]:
    found: Sequence[str] = request.form.fields.get("version", [])
    return found
