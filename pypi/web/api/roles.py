"""``POST /api/projects/<name>/…``: who is what to a project."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.accounts.throttle import Act
from pypi.domain.permissions import Permission
from pypi.http.router import Router
from pypi.publishing.role_errors import HasRole, NoRole, NotInvited
from pypi.publishing.roles import Roles
from pypi.web.api.acts import act
from pypi.web.api.shapes import QUIETLY, UNCHANGED, Done, InRole, Somebody

owning = partial(act, permission=Permission.OWN)
offering = partial(owning, event=Kind.ROLE_INVITED, limit=Act.INVITE)


@frozen(kw_only=True, eq=False)
class RoleActs:
    """Offers roles, changes them and takes them away; for owners. What is offered, one accepts by a page."""

    router: ClassVar[Router] = Router()
    roles: Roles

    @offering(
        router,
        "invite",
        InRole,
        summary="Offer somebody a role",
        about="For a week, by mail; once more: anew. Accepting it takes somebody who is signed in.",
    )
    async def invite(self, request: Any, name: str, asked: InRole) -> Done:
        """Offer it."""
        address, identity = request.caller.address, request.identity
        try:
            await self.roles.invite(identity, name, asked.user, asked.role, address=address)
        except HasRole as refusal:
            return _unless_so(refusal, asked)
        return QUIETLY

    @offering(
        router,
        "transfer",
        Somebody,
        summary="Offer somebody a project",
        about="Who accepts it is an owner, and who offers it is none any more.",
    )
    async def transfer(self, request: Any, name: str, asked: Somebody) -> Done:
        """Offer it."""
        await self.roles.transfer(request.identity, name, asked.user, address=request.caller.address)
        return QUIETLY

    @owning(
        router,
        "withdraw",
        Somebody,
        event=Kind.ROLE_INVITATION_ENDED,
        summary="Take an offer back",
        about="Of a role or of the project.",
    )
    async def withdraw(self, request: Any, name: str, asked: Somebody) -> Done:
        """Offer it no more."""
        try:
            await self.roles.withdraw(request.identity, name, asked.user, address=request.caller.address)
        except NotInvited:
            return UNCHANGED
        return QUIETLY

    @owning(
        router,
        "change-role",
        InRole,
        event=Kind.ROLE_CHANGED,
        summary="Give somebody another role",
        about="There is always an owner.",
    )
    async def change_role(self, request: Any, name: str, asked: InRole) -> Done:
        """Change it."""
        address, identity = request.caller.address, request.identity
        try:
            return Done.by(await self.roles.change(identity, name, asked.user, asked.role, address=address))
        except HasRole as refusal:
            return _unless_so(refusal, asked)

    @owning(
        router,
        "remove-role",
        Somebody,
        event=Kind.ROLE_TAKEN,
        summary="Take somebody's role away",
        about="There is always an owner. By a password one may also take one's own, whatever it is.",
    )
    async def remove_role(self, request: Any, name: str, asked: Somebody) -> Done:
        """Take it away."""
        try:
            return Done.by(
                await self.roles.remove(request.identity, name, asked.user, address=request.caller.address)
            )
        except NoRole:
            return UNCHANGED


def _unless_so(refusal: HasRole, asked: InRole) -> Done:
    """Nothing was to be done, where it is the very role; another one is not given so."""
    if refusal.role != asked.role.value:
        raise refusal
    return UNCHANGED
