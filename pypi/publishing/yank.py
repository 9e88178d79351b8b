"""Yanking: a release stays for those who ask for it exactly, and nobody else is given it (PEP 592)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import dependencies, projects, releases, search
from pypi.domain.changes import ReleaseUnyanked, ReleaseYanked
from pypi.domain.errors import Invalid, NoSuchProject, NoSuchRelease
from pypi.domain.names import normalize
from pypi.publishing.record import Recorded, conclude

LONGEST_REASON = 1000
"""Characters; installers print it on one line."""


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
class Order:
    """What shall be so.

    Attributes:
        actor: who says it.
        reason: for people, may be empty; ``None``: the release is not yanked.
        now: aware, UTC.
    """

    actor: str
    name: str
    version: str
    reason: str | None
    now: datetime


@frozen(kw_only=True, eq=False)
class Yanks:
    """Yanks releases and takes it back.

    Attributes:
        announce: sees to it that nobody is shown anything older by this process afterwards.
    """

    database: Database
    now: Callable[[], datetime]
    announce: Callable[[int, Sequence[str]], Awaitable[None]]

    async def yank(self, actor: str, name: str, version: str, reason: str = "") -> int | None:
        """Yank a release, or change the reason.

        Returns:
            the serial of the change; ``None`` where all was so before.

        Raises:
            NoSuchProject, NoSuchRelease: there is no such thing.
            ReasonUnusable: the reason is too long, or no line of text.
        """
        check_reason(reason)
        return await self._carry_out(Order(actor, name, version, reason, self.now()))

    async def unyank(self, actor: str, name: str, version: str) -> int | None:
        """Take a yank back; as ``yank``."""
        return await self._carry_out(Order(actor, name, version, None, self.now()))

    async def _carry_out(self, order: Order) -> int | None:
        done = await self.database.transact(_record, order)
        if done is None:
            return None
        await self.announce(done.serial, done.tags)
        return done.serial


async def _record(cursor: Cursor, order: Order) -> Recorded | None:
    project = await projects.locked(cursor, normalize(order.name))
    if project is None:
        raise NoSuchProject(order.name)
    release = await releases.by_version(cursor, project_id=project.id, version=order.version)
    if release is None:
        raise NoSuchRelease(order.name, order.version)
    if order.reason is None:
        changed = await releases.unyank(cursor, release.id)
    else:
        changed = await releases.yank(cursor, release.id, reason=order.reason, now=order.now)
    if not changed:
        return None
    await search.refresh(cursor, project.id)
    await dependencies.refresh(cursor, project.id)
    kind = ReleaseUnyanked if order.reason is None else ReleaseYanked
    line = kind(project=project.normalized, name=project.name, actor=order.actor, version=release.version)
    return await conclude(cursor, [line], now=order.now)
