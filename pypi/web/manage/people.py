"""``/manage/<name>/people/``: inviting, changing, removing, leaving, handing a project over."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, ClassVar

from attrs import frozen
from wtforms import Form, SelectField, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.accounts.throttle import Act
from pypi.domain.permissions import Permission, Role
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.index.held import MemberRow
from pypi.index.managed import Managing
from pypi.publishing.role_errors import NoRole
from pypi.publishing.roles import Roles
from pypi.web.manage.desk import MINE, SEEING, ConfirmForm, Desk, manage_path, permit, tried
from pypi.web.personal import PERSONAL, after, choices, filled

PAGE = "/manage/<name>/people/"
REMOVE = f"{PAGE}<user>/remove/"
LEAVE = "/manage/<name>/leave/"
TRANSFER = "/manage/<name>/transfer/"

OWNING = personal(Permission.OWN)

ROLES = [
    (Role.MAINTAINER.value, "Maintainer: publishes releases"),
    (Role.OWNER.value, "Owner: does everything"),
    (Role.READER.value, "Reader: reads the project where it is private"),
]
"""(word, what it means) of each role."""


def _user() -> StringField:
    return StringField("User name", [InputRequired("Enter a user name."), Length(max=100)])


class InviteForm(Form):
    """Whom, and to be what."""

    user = _user()
    role = SelectField("Role", choices=choices(ROLES))


class RoleForm(Form):
    """What somebody shall be."""

    role = SelectField("Role", choices=choices(ROLES))


class TransferForm(ConfirmForm):
    """To whom."""

    user = _user()


@frozen(kw_only=True, eq=False)
class ManagedPeople:
    """Shows them to each other; owners say who is what."""

    router: ClassVar[Router] = Router()
    managing: Managing
    roles: Roles
    desk: Desk

    @router.get(PAGE, policy=PERSONAL, terms=SEEING)
    async def people(self, request: Any, name: str) -> Answer:
        """All of them."""
        return await self._page(request, name)

    @router.post(
        PAGE, terms=personal(Permission.OWN, rate_limit=Act.INVITE.word, audit=Kind.ROLE_INVITED.event)
    )
    async def invite(self, request: Any, name: str) -> Answer:
        """Offer somebody a role."""
        form = filled(InviteForm, request)

        def act() -> Awaitable[None]:
            user, role = (form.user.data or "").strip(), Role(form.role.data)
            return self.roles.invite(request.identity, name, user, role, address=request.caller.address)

        if code := await tried(form, act, at="user"):
            return await self._page(request, name, invitation=form, code=code)
        return after(manage_path(name, "people"), "invited")

    @router.post(
        f"{PAGE}<user>/withdraw/", terms=personal(Permission.OWN, audit=Kind.ROLE_INVITATION_ENDED.event)
    )
    async def withdraw(self, request: Any, name: str, user: str) -> Answer:
        """Offer it no more."""
        form = Form()

        def act() -> Awaitable[None]:
            return self.roles.withdraw(request.identity, name, user, address=request.caller.address)

        if code := await tried(form, act):
            return await self._page(request, name, form, code=code)
        return after(manage_path(name, "people"), "withdrawn")

    @router.post(f"{PAGE}<user>/role/", terms=personal(Permission.OWN, audit=Kind.ROLE_CHANGED.event))
    async def change(self, request: Any, name: str, user: str) -> Answer:
        """Give somebody another role."""
        form = filled(RoleForm, request)

        def act() -> Awaitable[int]:
            role, address = Role(form.role.data), request.caller.address
            return self.roles.change(request.identity, name, user, role, address=address)

        if code := await tried(form, act):
            return await self._page(request, name, form, code=code)
        return after(manage_path(name, "people"), "role-changed")

    @router.get(REMOVE, policy=PERSONAL, terms=OWNING)
    async def ask_remove(self, request: Any, name: str, user: str) -> Answer:
        """What it means to take somebody's role away."""
        return await self._ask_remove(request, name, user, Form())

    @router.post(REMOVE, terms=personal(Permission.OWN, audit=Kind.ROLE_TAKEN.event))
    async def remove(self, request: Any, name: str, user: str) -> Answer:
        """Take it away."""
        form = Form()

        def act() -> Awaitable[int]:
            return self.roles.remove(request.identity, name, user, address=request.caller.address)

        if code := await tried(form, act):
            return await self._ask_remove(request, name, user, form, code)
        if user.lower() == request.identity.name.lower():
            return after(MINE, "left")
        return after(manage_path(name, "people"), "removed")

    @router.get(LEAVE, policy=PERSONAL, terms=SEEING)
    async def ask_leave(self, request: Any, name: str) -> Answer:
        """What it means to leave."""
        return await self._ask_leave(request, name, Form())

    @router.post(LEAVE, terms=personal(Permission.ACCOUNT, audit=Kind.ROLE_TAKEN.event))
    async def leave(self, request: Any, name: str) -> Answer:
        """Have no role any more."""
        form, identity = Form(), request.identity

        def act() -> Awaitable[int]:
            return self.roles.remove(identity, name, identity.name, address=request.caller.address)

        if code := await tried(form, act):
            return await self._ask_leave(request, name, form, code)
        return after(MINE, "left")

    @router.get(TRANSFER, policy=PERSONAL, terms=OWNING)
    async def ask_transfer(self, request: Any, name: str) -> Answer:
        """What it means to hand the project over."""
        return await self._ask_transfer(request, name, TransferForm())

    @router.post(
        TRANSFER,
        terms=personal(Permission.OWN, rate_limit=Act.INVITE.word, audit=Kind.PROJECT_TRANSFERRED.event),
    )
    async def transfer(self, request: Any, name: str) -> Answer:
        """Offer one's own place to somebody."""
        held = await self.managing.project(request.identity, name)
        form = filled(TransferForm, request)

        def act() -> Awaitable[None]:
            user = (form.user.data or "").strip()
            return self.roles.transfer(request.identity, name, user, address=request.caller.address)

        if code := await tried(form, act, typed=held.name, at="user"):
            return await self._ask_transfer(request, name, form, code)
        return after(manage_path(name, "people"), "offered")

    async def _page(
        self,
        request: Any,
        name: str,
        form: Form | None = None,
        invitation: InviteForm | None = None,
        code: int = 200,
    ) -> Answer:
        found = await self.managing.people(request.identity, name)
        invitation = invitation or InviteForm()
        return self.desk.page(
            request,
            "people",
            found.held,
            "people",
            code=code,
            found=found,
            form=form or invitation,
            invitation=invitation,
            roles=ROLES,
        )

    async def _ask_remove(self, request: Any, name: str, user: str, form: Form, code: int = 200) -> Answer:
        found = await self.managing.people(request.identity, name)
        permit(request, found.held, Permission.OWN)
        member = next((one for one in found.members if one.name.lower() == user.lower()), None)
        if member is None:
            raise NoRole(user, found.held.name)
        return self._ask(request, found.held, member, ("people", member.name, "remove"), form, code)

    async def _ask_leave(self, request: Any, name: str, form: Form, code: int = 200) -> Answer:
        held = await self.managing.project(request.identity, name)
        return self._ask(request, held, None, ("leave",), form, code)

    def _ask(
        self,
        request: Any,
        held: Any,
        member: MemberRow | None,
        where: tuple[str, ...],
        form: Form,
        code: int,
    ) -> Answer:
        return self.desk.page(request, "leave", held, *where, code=code, form=form, member=member)

    async def _ask_transfer(self, request: Any, name: str, form: TransferForm, code: int = 200) -> Answer:
        held = await self.managing.project(request.identity, name)
        permit(request, held, Permission.OWN)
        return self.desk.page(request, "transfer", held, "transfer", code=code, form=form)
