"""``/manage/<name>/releases/<version>/``: one release and its files, to be yanked or deleted."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.domain.permissions import Permission
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.index.held import Release
from pypi.index.managed import Managing
from pypi.publishing.deletion import Deletions
from pypi.publishing.holding import ReleaseInQuarantine
from pypi.publishing.yank import Yanks
from pypi.web.manage.desk import (
    SEEING,
    ConfirmForm,
    Desk,
    ReasonForm,
    manage_path,
    numbered,
    permit,
    tried,
)
from pypi.web.personal import PERSONAL, after, filled, page_number

PAGE = "/manage/<name>/releases/<version>/"
DELETE_RELEASE = "/manage/<name>/releases/<version>/delete/"
DELETE_FILE = "/manage/<name>/releases/<version>/files/<filename>/delete/"

MANAGING = personal(Permission.MANAGE)


@frozen(kw_only=True, eq=False)
class ManagedRelease:
    """Shows it; says in words what a deletion means before it is done."""

    router: ClassVar[Router] = Router()
    managing: Managing
    yanks: Yanks
    deletions: Deletions
    desk: Desk

    @router.get(PAGE, policy=PERSONAL, terms=SEEING)
    async def release(self, request: Any, name: str, version: str) -> Answer:
        """What it is, and its files."""
        return await self._page(request, name, version)

    @router.post(f"{PAGE}yank/", terms=personal(Permission.MANAGE, audit=Kind.RELEASE_YANKED.event))
    async def yank(self, request: Any, name: str, version: str) -> Answer:
        """Yank it, or change the reason."""
        form = filled(ReasonForm, request)

        def act() -> Awaitable[int | None]:
            reason, address = form.reason.data or "", request.caller.address
            return self.yanks.yank(request.identity, name, version, reason, address=address)

        if code := await tried(form, act, at="reason"):
            return await self._page(request, name, version, form, code)
        return after(manage_path(name, "releases", version), "yanked")

    @router.post(f"{PAGE}unyank/", terms=personal(Permission.MANAGE, audit=Kind.RELEASE_UNYANKED.event))
    async def unyank(self, request: Any, name: str, version: str) -> Answer:
        """Take the yank back."""
        form = ReasonForm()

        def act() -> Awaitable[int | None]:
            return self.yanks.unyank(request.identity, name, version, address=request.caller.address)

        if code := await tried(form, act):
            return await self._page(request, name, version, form, code)
        return after(manage_path(name, "releases", version), "unyanked")

    @router.get(DELETE_RELEASE, policy=PERSONAL, terms=MANAGING)
    async def ask_release(self, request: Any, name: str, version: str) -> Answer:
        """What it means to delete it."""
        return await self._ask_release(request, name, version, ConfirmForm())

    @router.post(DELETE_RELEASE, terms=personal(Permission.MANAGE, audit=Kind.RELEASE_DELETED.event))
    async def delete_release(self, request: Any, name: str, version: str) -> Answer:
        """Delete it."""
        found = await self.managing.release(request.identity, name, version)
        form = filled(ConfirmForm, request)

        def act() -> Awaitable[int]:
            address = request.caller.address
            return self.deletions.delete_release(request.identity, name, version, address=address)

        if code := await tried(form, act, typed=found.release.version):
            return await self._ask_release(request, name, version, form, code)
        return after(manage_path(name, "releases"), "release-deleted")

    @router.get(DELETE_FILE, policy=PERSONAL, terms=MANAGING)
    async def ask_file(self, request: Any, name: str, version: str, filename: str) -> Answer:
        """What it means to delete a file of it."""
        return await self._ask_file(request, name, version, filename, ConfirmForm())

    @router.post(DELETE_FILE, terms=personal(Permission.MANAGE, audit=Kind.FILE_DELETED.event))
    async def delete_file(self, request: Any, name: str, version: str, filename: str) -> Answer:
        """Delete a file of it."""
        found = await self.managing.file(request.identity, name, version, filename)
        form = filled(ConfirmForm, request)

        def act() -> Awaitable[int]:
            address = request.caller.address
            return self.deletions.delete_file(request.identity, name, filename, address=address)

        if code := await tried(form, act, typed=found.release.version):
            return await self._ask_file(request, name, version, filename, form, code)
        return after(manage_path(name, "releases", version), "file-deleted")

    async def _page(
        self, request: Any, name: str, version: str, form: ReasonForm | None = None, code: int = 200
    ) -> Answer:
        found = await self.managing.release(request.identity, name, version, page_number(request))
        held, release = found.held, found.release
        if form is None:
            form = ReasonForm(data={"reason": release.yanked_reason or ""})
        return self.desk.page(
            request,
            "release",
            held,
            "releases",
            release.version,
            code=code,
            found=found,
            form=form,
            page_path=lambda number: numbered(manage_path(held.name, "releases", release.version), number),
        )

    async def _ask_release(
        self, request: Any, name: str, version: str, form: ConfirmForm, code: int = 200
    ) -> Answer:
        found = await self.managing.release(request.identity, name, version)
        return self._ask(request, found, "delete_release", ("delete",), form, code)

    async def _ask_file(
        self, request: Any, name: str, version: str, filename: str, form: ConfirmForm, code: int = 200
    ) -> Answer:
        found = await self.managing.file(request.identity, name, version, filename)
        return self._ask(request, found, "delete_file", ("files", filename, "delete"), form, code)

    def _ask(
        self,
        request: Any,
        found: Release,
        template: str,
        segments: tuple[str, ...],
        form: ConfirmForm,
        code: int,
    ) -> Answer:
        held, release = found.held, found.release
        permit(request, held, Permission.MANAGE)
        if release.quarantine_reason is not None:
            raise ReleaseInQuarantine(held.name, release.version)
        where = ("releases", release.version, *segments)
        return self.desk.page(request, template, held, *where, code=code, found=found, form=form)
