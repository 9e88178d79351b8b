"""``POST /api/projects/<name>/…``: what is done to whole projects."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.domain.errors import Invalid, InvalidField
from pypi.domain.permissions import Permission
from pypi.http.router import Router
from pypi.publishing.deletion import Deletions
from pypi.publishing.reads import Reads
from pypi.publishing.renaming import Renaming
from pypi.publishing.status import Statuses
from pypi.web.api.acts import act
from pypi.web.api.confirmed import check_confirmed
from pypi.web.api.shapes import Archived, Deprecated, Done, Nothing, Readable, Renamed, WholeProject

managing = partial(act, permission=Permission.MANAGE, event=Kind.PROJECT_STATUS)
owning = partial(act, permission=Permission.OWN)


@frozen(kw_only=True, eq=False)
class ProjectActs:
    """Says what becomes of projects; for owners."""

    router: ClassVar[Router] = Router()
    statuses: Statuses
    renaming: Renaming
    reads: Reads
    deletions: Deletions

    @managing(
        router,
        "archive",
        Archived,
        summary="Archive a project",
        about="No more files are taken; those that are there are offered (PEP 792).",
    )
    async def archive(self, request: Any, name: str, asked: Archived) -> Done:
        """Take no more files."""
        address = request.caller.address
        return Done.by(await self.statuses.archive(request.identity, name, asked.reason, address=address))

    @managing(
        router,
        "deprecate",
        Deprecated,
        summary="Deprecate a project",
        about="Pages say that something else should be used, and what (PEP 792).",
    )
    async def deprecate(self, request: Any, name: str, asked: Deprecated) -> Done:
        """Have something else used."""
        address, words = request.caller.address, (asked.reason, asked.successor)
        return Done.by(await self.statuses.deprecate(request.identity, name, *words, address=address))

    @managing(
        router,
        "activate",
        Nothing,
        summary="Make a project active again",
        about="It is neither archived nor deprecated any more.",
    )
    async def activate(self, request: Any, name: str, asked: Nothing) -> Done:
        """Make it as others are."""
        return Done.by(await self.statuses.activate(request.identity, name, address=request.caller.address))

    @owning(
        router,
        "rename",
        Renamed,
        event=Kind.PROJECT_RENAMED,
        summary="Rename a project",
        about="The name it had leads to it for ever, for installers, too, and nobody else gets it.",
    )
    async def rename(self, request: Any, name: str, asked: Renamed) -> Done:
        """Call it otherwise."""
        address = request.caller.address
        try:
            return Done.by(
                await self.renaming.rename(request.identity, name, asked.new_name, address=address)
            )
        except Invalid as refusal:
            raise InvalidField("new_name", str(refusal)) from None

    @owning(
        router,
        "set-reads",
        Readable,
        event=Kind.READS_CHANGED,
        summary="Say who reads a project",
        about="Its pages, its files and what is told of them, everywhere.",
    )
    async def set_reads(self, request: Any, name: str, asked: Readable) -> Done:
        """Let these read it."""
        address = request.caller.address
        return Done.by(await self.reads.change(request.identity, name, asked.reads, address=address))

    @owning(
        router,
        "delete",
        WholeProject,
        event=Kind.PROJECT_DELETED,
        summary="Delete a project",
        about="With all its releases and files, for good. Its name is kept for those who owned it.",
    )
    async def delete(self, request: Any, name: str, asked: WholeProject) -> Done:
        """Delete it."""
        check_confirmed(name, asked.confirm)
        address = request.caller.address
        return Done.by(await self.deletions.delete_project(request.identity, name, address=address))
