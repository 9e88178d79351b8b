"""Names that are not for everybody: prohibited by the operator, or kept for who owned what had them.

A name that is set free begins anew: filenames that were used stay used, whoever has the name then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.accounts import audit
from pypi.accounts.audit import Kind
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import prohibited, projects, removal, users
from pypi.db.queries.prohibited import ProhibitedRow
from pypi.domain.errors import Conflict, Invalid, NotFound
from pypi.domain.names import is_valid, normalize
from pypi.domain.permissions import Identity, Permission, may
from pypi.publishing.holding import MayNotManage
from pypi.publishing.role_errors import NoSuchUser
from pypi.publishing.told import Act
from pypi.publishing.yank import check_reason

PAGE = 100
"""Names of one page."""


@frozen
class NoName(Invalid):
    """No project could ever have the name."""

    name: str

    def __str__(self) -> str:
        return f"{self.name!r} is no name of a project."


@frozen
class NotKept(NotFound):
    """No project of that name was deleted, or its name is free."""

    name: str

    def __str__(self) -> str:
        return f"The name {self.name!r} is not kept for anybody."


@frozen
class InUse(Conflict):
    """A project has the name."""

    name: str

    def __str__(self) -> str:
        return f"The name {self.name!r} belongs to a project."


@frozen(kw_only=True, eq=False)
class KeptNames:
    """Says who may take which name, for administrators and the operator.

    ``address`` is where on the network it comes from, for the security log.
    """

    database: Database
    now: Callable[[], datetime] = field(repr=False)

    async def prohibit(self, identity: Identity, name: str, reason: str = "", *, address: str = "") -> bool:
        """Let nobody begin a project of that name; one that is there stays.

        Args:
            reason: for those who run the index, one line.

        Returns:
            whether that is new; if it is not, the reason is the new one.

        Raises:
            NoName, ReasonUnusable, MayNotManage.
        """
        check_reason(reason)
        return await self.database.transact(_prohibit, self._act(identity, name, address), name, reason)

    async def allow(self, identity: Identity, name: str, *, address: str = "") -> bool:
        """Let it be taken again; whether it was prohibited."""
        return await self.database.transact(_allow, self._act(identity, name, address), name)

    async def prohibited(self, *, after: str = "", limit: int = PAGE) -> Sequence[ProhibitedRow]:
        """A page of the prohibited names, in their order.

        Args:
            after: the last normalized name of the page before.
        """
        return await self.database.ask(prohibited.listed, after=after, limit=max(1, min(limit, PAGE)))

    async def free(self, identity: Identity, name: str, *, address: str = "") -> None:
        """Let anybody take the name of a project that was deleted.

        Raises:
            NotKept, NoName, MayNotManage.
        """
        await self.database.transact(_free, self._act(identity, name, address), name)

    async def restore(self, identity: Identity, name: str, user: str, *, address: str = "") -> None:
        """Let an account take the name of a project that was deleted, beside those who owned it.

        Raises:
            NotKept, InUse, NoSuchUser, NoName, MayNotManage.
        """
        await self.database.transact(_restore, self._act(identity, name, address), name, user)

    def _act(self, identity: Identity, name: str, address: str) -> Act:
        if not may(identity, Permission.ADMINISTER):
            raise MayNotManage(identity.name, name)
        if not is_valid(name):
            raise NoName(name)
        return Act(identity=identity, now=self.now(), address=address)


async def _prohibit(cursor: Cursor, act: Act, name: str, reason: str) -> bool:
    # Whoever creates it at this moment comes first or too late.
    await projects.lock_creation(cursor, name)
    added = await prohibited.add(cursor, normalize(name), reason=reason, actor=act.identity.name, now=act.now)
    await audit.write(cursor, act.event(Kind.NAME_PROHIBITED, normalize(name), reason=reason), now=act.now)
    return added


async def _allow(cursor: Cursor, act: Act, name: str) -> bool:
    if not await prohibited.remove(cursor, normalize(name)):
        return False
    await audit.write(cursor, act.event(Kind.NAME_ALLOWED, normalize(name)), now=act.now)
    return True


async def _free(cursor: Cursor, act: Act, name: str) -> None:
    if not await removal.free(cursor, normalize(name)):
        raise NotKept(name)
    await audit.write(cursor, act.event(Kind.PROJECT_RESTORED, normalize(name), name=name), now=act.now)


async def _restore(cursor: Cursor, act: Act, name: str, user: str) -> None:
    if await projects.by_name(cursor, normalize(name)) is not None:
        raise InUse(name)
    former = await removal.former_name(cursor, normalize(name))
    if former is None or former.now is not None:
        raise NotKept(name)
    account = await users.by_name(cursor, user)
    if account is None:
        raise NoSuchUser(user)
    await removal.keep_for(cursor, normalize(name), user_id=account.id)
    event = act.event(
        Kind.PROJECT_RESTORED, normalize(name), user_id=account.id, name=former.name, user=account.name
    )
    await audit.write(cursor, event, now=act.now)
