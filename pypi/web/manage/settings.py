"""``/manage/<name>/settings/``: what becomes of a project, what it is called, and its end."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, ClassVar

from attrs import frozen
from wtforms import Form, RadioField, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.domain.permissions import Access, Permission
from pypi.domain.values import Status
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.index.held import Held
from pypi.index.managed import Managing
from pypi.publishing.deletion import Deletions
from pypi.publishing.holding import InQuarantine
from pypi.publishing.reads import Reads
from pypi.publishing.renaming import Renaming
from pypi.publishing.status import NoSuccessor, Statuses
from pypi.web.manage.desk import MINE, ConfirmForm, Desk, ReasonForm, manage_path, permit, tried, wrong
from pypi.web.personal import PERSONAL, after, choices, filled

PAGE = "/manage/<name>/settings/"
RENAME = f"{PAGE}rename/"
DELETE = f"{PAGE}delete/"

OWNING = personal(Permission.OWN)

STATUSES = [
    (Status.ACTIVE.value, "Active: all is as usual."),
    (Status.ARCHIVED.value, "Archived: no more files are taken; those that are there are offered."),
    (Status.DEPRECATED.value, "Deprecated: something else should be used."),
]
"""(word, what it means) of each status that owners choose."""


class StatusForm(ReasonForm):
    """What becomes of the project."""

    status = RadioField("Status", choices=choices(STATUSES))
    successor = StringField("Use instead", [Length(max=200)])


ACCESS = [
    (Access.PUBLIC.value, "Everybody who may read this index"),
    (Access.ACCOUNTS.value, "Everybody with an account: they sign in, also by pip and uv. No list has it."),
    (Access.ROLES.value, "People of the project: owners, maintainers and readers. No list has it."),
]
"""(word, what it means) of all that can be said of who reads a project."""


class ReadsForm(Form):
    """Who may read the project."""

    reads = RadioField("Who may read it", choices=choices(ACCESS))


class RenameForm(ConfirmForm):
    """What it shall be called."""

    name = StringField("New name", [InputRequired("Enter the new name."), Length(max=200)])


@frozen(kw_only=True, eq=False)
class ManagedSettings:
    """For its owners."""

    router: ClassVar[Router] = Router()
    managing: Managing
    statuses: Statuses
    reads: Reads
    renaming: Renaming
    deletions: Deletions
    desk: Desk

    @router.get(PAGE, policy=PERSONAL, terms=OWNING)
    async def settings(self, request: Any, name: str) -> Answer:
        """All that can be set."""
        return await self._page(request, name)

    @router.post(PAGE, terms=personal(Permission.MANAGE, audit=Kind.PROJECT_STATUS.event))
    async def say(self, request: Any, name: str) -> Answer:
        """Archive, deprecate, or neither any more."""
        form = filled(StatusForm, request)
        if code := await self._say(request, name, form):
            return await self._page(request, name, status=form, code=code)
        return after(manage_path(name, "settings"), "status")

    @router.post(f"{PAGE}reads/", terms=personal(Permission.OWN, audit=Kind.READS_CHANGED.event))
    async def restrict(self, request: Any, name: str) -> Answer:
        """Say who may read it."""
        form = filled(ReadsForm, request)

        def act() -> Awaitable[int | None]:
            access, address = Access(form.reads.data), request.caller.address
            return self.reads.change(request.identity, name, access, address=address)

        if code := await tried(form, act, at="reads"):
            return await self._page(request, name, reads=form, code=code)
        return after(manage_path(name, "settings"), "reads")

    @router.get(RENAME, policy=PERSONAL, terms=OWNING)
    async def ask_rename(self, request: Any, name: str) -> Answer:
        """What it means to rename it."""
        return await self._ask_rename(request, name, RenameForm())

    @router.post(RENAME, terms=personal(Permission.OWN, audit=Kind.PROJECT_RENAMED.event))
    async def rename(self, request: Any, name: str) -> Answer:
        """Call it otherwise."""
        held = await self.managing.project(request.identity, name)
        form = filled(RenameForm, request)
        new = (form.name.data or "").strip()

        def act() -> Awaitable[int | None]:
            return self.renaming.rename(request.identity, name, new, address=request.caller.address)

        if new == held.name:
            wrong(form, "This is its name already.", "name")
            return await self._ask_rename(request, name, form, 400)
        if code := await tried(form, act, typed=held.name, at="name"):
            return await self._ask_rename(request, name, form, code)
        return after(manage_path(new, "settings"), "renamed")

    @router.get(DELETE, policy=PERSONAL, terms=OWNING)
    async def ask_delete(self, request: Any, name: str) -> Answer:
        """What it means to delete it."""
        return await self._ask_delete(request, name, ConfirmForm())

    @router.post(DELETE, terms=personal(Permission.OWN, audit=Kind.PROJECT_DELETED.event))
    async def delete(self, request: Any, name: str) -> Answer:
        """Delete it with all that belongs to it."""
        held = await self.managing.project(request.identity, name)
        form = filled(ConfirmForm, request)

        def act() -> Awaitable[int]:
            return self.deletions.delete_project(request.identity, name, address=request.caller.address)

        if code := await tried(form, act, typed=held.name):
            return await self._ask_delete(request, name, form, code)
        return after(MINE, "project-deleted")

    async def _say(self, request: Any, name: str, form: StatusForm) -> int:
        identity, address = request.identity, request.caller.address

        def act() -> Awaitable[int | None]:
            reason, successor = form.reason.data or "", (form.successor.data or "").strip()
            match Status(form.status.data):
                case Status.ARCHIVED:
                    return self.statuses.archive(identity, name, reason, address=address)
                case Status.DEPRECATED:
                    return self.statuses.deprecate(identity, name, reason, successor, address=address)
            return self.statuses.activate(identity, name, address=address)

        return await tried(
            form, act, at=lambda refusal: "successor" if isinstance(refusal, NoSuccessor) else ""
        )

    async def _page(
        self,
        request: Any,
        name: str,
        status: StatusForm | None = None,
        reads: ReadsForm | None = None,
        code: int = 200,
    ) -> Answer:
        held = await self.managing.project(request.identity, name)
        permit(request, held, Permission.OWN)
        return self.desk.page(
            request,
            "settings",
            held,
            "settings",
            code=code,
            form=reads or status or _status_form(held),
            status=status or _status_form(held),
            reads=reads or ReadsForm(data={"reads": held.access.value}),
        )

    async def _ask_rename(self, request: Any, name: str, form: RenameForm, code: int = 200) -> Answer:
        held = await self.managing.project(request.identity, name)
        self._check(request, held)
        return self.desk.page(request, "rename", held, "settings", "rename", code=code, form=form)

    async def _ask_delete(self, request: Any, name: str, form: ConfirmForm, code: int = 200) -> Answer:
        extent = await self.managing.extent(request.identity, name)
        self._check(request, extent.held)
        return self.desk.page(
            request,
            "delete_project",
            extent.held,
            "settings",
            "delete",
            code=code,
            extent=extent,
            form=form,
        )

    def _check(self, request: Any, held: Held) -> None:
        permit(request, held, Permission.OWN)
        if held.is_withheld:
            raise InQuarantine(held.name)


def _status_form(held: Held) -> StatusForm:
    return StatusForm(data={"status": held.status.value, "reason": held.reason, "successor": held.successor})
