"""What people see of projects in which they have a role: values."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from pypi.db.queries.managed import FileRow, HeadRow, MemberRow, MineRow, OfferRow, ReleaseRow
from pypi.domain.errors import NoSuchProject
from pypi.domain.permissions import Access, Permission, Role, is_granted
from pypi.domain.values import Status

__all__ = ["FileRow", "MemberRow", "MineRow", "OfferRow", "ReleaseRow"]


@frozen
class NotYours(NoSuchProject):
    """There is no such project in which who asks has a role; whether there is one at all is not said."""

    def __str__(self) -> str:
        return f"You have no project named {self.name!r} on this index."


@frozen(kw_only=True)
class Held:
    """A project, and what somebody is to it.

    Attributes:
        name: as displayed.
        reason: of the status; may be empty.
        successor: normalized name of what is to be used instead; may be empty.
        access: who reads it, beside what holds for the whole index.
        releases, people, owners: how many there are.
    """

    id: int
    name: str
    normalized: str
    status: Status
    reason: str
    successor: str
    access: Access
    role: Role
    releases: int
    people: int
    owners: int

    @classmethod
    def of(cls, row: HeadRow) -> Held:
        """What a row says."""
        return cls(
            id=row.id,
            name=row.name,
            normalized=row.normalized,
            status=Status(row.status),
            reason=row.status_reason,
            successor=row.successor,
            access=Access(row.reads),
            role=Role(row.role),
            releases=row.releases,
            people=row.people,
            owners=row.owners,
        )

    @property
    def is_withheld(self) -> bool:
        """Whether it is in quarantine, and the operator's to change."""
        return self.status is Status.QUARANTINED

    @property
    def may_upload(self) -> bool:
        """Whether the role comes with publishing."""
        return is_granted(self.role, Permission.UPLOAD)

    @property
    def may_own(self) -> bool:
        """Whether the role comes with saying who else may do what."""
        return is_granted(self.role, Permission.OWN)

    @property
    def may_manage(self) -> bool:
        """Whether the role comes with changing what is there, and that may be changed at all."""
        return is_granted(self.role, Permission.MANAGE) and not self.is_withheld


@frozen
class Part:
    """A page of a list.

    Attributes:
        page: from 1.
        last: of the pages.
        each: how many there are on one.
    """

    page: int
    last: int
    each: int

    @classmethod
    def of(cls, total: int, each: int, page: int) -> Part:
        """The page that is asked for; of those there are not, the last."""
        last = max(1, -(-total // each))
        return cls(min(page, last), last, each)

    @property
    def offset(self) -> int:
        """How many stand before it."""
        return (self.page - 1) * self.each


@frozen
class Mine:
    """Somebody's projects, of one page, and what they are offered."""

    projects: Sequence[MineRow]
    count: int
    part: Part
    offers: Sequence[OfferRow]


@frozen
class Releases:
    """The releases of a project, of one page."""

    held: Held
    releases: Sequence[ReleaseRow]
    part: Part


@frozen
class Release:
    """A release, and its files, of one page.

    Attributes:
        recent: downloads of the project in the last ``RECENT_DAYS``.
    """

    held: Held
    release: ReleaseRow
    files: Sequence[FileRow]
    part: Part
    recent: int


@frozen
class People:
    """Who is what to a project, and who may become it."""

    held: Held
    members: Sequence[MemberRow]
    invited: Sequence[OfferRow]


@frozen
class Extent:
    """How much of a project there is.

    Attributes:
        size: bytes of its files.
        recent: downloads in the last ``RECENT_DAYS``.
    """

    held: Held
    files: int
    size: int
    recent: int
