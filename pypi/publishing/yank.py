"""Yanking: a release stays for those who ask for it exactly, and nobody else is given it (PEP 592)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import field, frozen

from pypi.accounts.audit import Event, Kind
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import dependencies, releases, search
from pypi.db.queries.projects import ProjectRow
from pypi.db.queries.releases import ReleaseRow
from pypi.domain import versions
from pypi.domain.changes import Change, ReleaseUnyanked, ReleaseYanked
from pypi.domain.errors import Invalid, NoSuchRelease
from pypi.domain.permissions import Identity, Permission
from pypi.publishing.holding import hold, leave_to_operator
from pypi.publishing.record import Recorded
from pypi.publishing.told import Act, conclude

LONGEST_REASON = 1000
"""Characters; installers print it on one line."""

MOST_AT_ONCE = 500
"""Releases that one order yanks."""


class ReasonUnusable(Invalid):
    """The reason for a yank cannot be shown."""

    def __str__(self) -> str:
        return f"A reason is one line of at most {LONGEST_REASON} characters."


def check_reason(reason: str) -> None:
    """Make sure that a reason for people can be shown on one line; empty is none.

    Raises:
        ReasonUnusable: it is too long, or no line of text.
    """
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise ReasonUnusable


@frozen
class NotThatMany(Invalid):
    """No release is named, or too many are."""

    def __str__(self) -> str:
        return f"Name at least one version, and at most {MOST_AT_ONCE} at once."


@frozen
class Order:
    """What shall be so.

    Attributes:
        asked: versions in any spelling.
        reason: for people, may be empty; ``None``: the releases are not yanked.
    """

    act: Act
    name: str
    asked: tuple[str, ...]
    reason: str | None


@frozen(kw_only=True, eq=False)
class Yanks:
    """Yanks releases and takes it back.

    Each returns the serial of the last change; ``None`` where all was so before. ``address`` is where on the
    network it comes from, for the security log.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards.
    """

    database: Database
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]] = field(repr=False)

    async def yank(
        self, identity: Identity, name: str, version: str, reason: str = "", *, address: str = ""
    ) -> int | None:
        """Yank a release, or change the reason.

        Raises:
            NoSuchProject, NoSuchRelease: there is no such thing.
            MayNotManage: it is not for this identity to do.
            ReasonUnusable: the reason is too long, or no line of text.
            InQuarantine, ReleaseInQuarantine: the operator looks into it.
        """
        return await self.yank_all(identity, name, [version], reason, address=address)

    async def unyank(self, identity: Identity, name: str, version: str, *, address: str = "") -> int | None:
        """Take a yank back; as ``yank``."""
        return await self.unyank_all(identity, name, [version], address=address)

    async def yank_all(
        self, identity: Identity, name: str, asked: Sequence[str], reason: str = "", *, address: str = ""
    ) -> int | None:
        """Yank several releases of a project for one reason: all of them, or none.

        Args:
            asked: versions, up to ``MOST_AT_ONCE``.

        Raises:
            NotThatMany: none is named, or more; and what ``yank`` raises.
        """
        check_reason(reason)
        act = Act(identity=identity, now=self.now(), address=address)
        return await self._carry_out(Order(act, name, tuple(asked), reason))

    async def unyank_all(
        self, identity: Identity, name: str, asked: Sequence[str], *, address: str = ""
    ) -> int | None:
        """Take several yanks back; as ``yank_all``."""
        act = Act(identity=identity, now=self.now(), address=address)
        return await self._carry_out(Order(act, name, tuple(asked), None))

    async def _carry_out(self, order: Order) -> int | None:
        if not 1 <= len(order.asked) <= MOST_AT_ONCE:
            raise NotThatMany
        done = await self.database.transact(_record, order)
        if done is None:
            return None
        await self.announce(done.serial, done.tags)
        return done.serial


async def _record(cursor: Cursor, order: Order) -> Recorded | None:
    project = await hold(cursor, order.act.identity, order.name, Permission.MANAGE)
    found = await _found(cursor, project, order)
    leave_to_operator(order.act.identity, project, *found)
    ids = [release.id for release in found]
    if order.reason is None:
        changed = await releases.unyank(cursor, ids)
    else:
        changed = await releases.yank(cursor, ids, reason=order.reason, now=order.act.now)
    if not changed:
        return None
    await search.refresh(cursor, project.id)
    await dependencies.refresh(cursor, project.id)
    told = [_told(order, project, release) for release in found if release.id in changed]
    return await conclude(cursor, order.act, *told)


async def _found(cursor: Cursor, project: ProjectRow, order: Order) -> list[ReleaseRow]:
    """The releases, each once, in the order in which they are named."""
    known = await releases.by_versions(cursor, project_id=project.id, asked=order.asked)
    for version in order.asked:
        if versions.canonical(version) not in known:
            raise NoSuchRelease(order.name, version)
    return [known[key] for key in dict.fromkeys(map(versions.canonical, order.asked))]


def _told(order: Order, project: ProjectRow, release: ReleaseRow) -> tuple[Change, Event]:
    kind = ReleaseUnyanked if order.reason is None else ReleaseYanked
    change = kind(
        project=project.normalized,
        name=project.name,
        actor=order.act.identity.name,
        version=release.version,
    )
    if order.reason is None:
        event = order.act.event(Kind.RELEASE_UNYANKED, project.normalized, version=release.version)
    else:
        event = order.act.event(
            Kind.RELEASE_YANKED, project.normalized, version=release.version, reason=order.reason
        )
    return change, event
