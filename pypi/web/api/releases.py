"""``POST /api/projects/<name>/…``: what is done to releases and files."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.domain.permissions import Permission
from pypi.http.router import Router
from pypi.publishing.deletion import Deletions
from pypi.publishing.yank import Yanks
from pypi.web.api.acts import act
from pypi.web.api.confirmed import check_confirmed
from pypi.web.api.shapes import Done, OneFile, OneRelease, Unyanked, Yanked

managing = partial(act, permission=Permission.MANAGE)


@frozen(kw_only=True, eq=False)
class ReleaseActs:
    """Yanks and deletes; for owners."""

    router: ClassVar[Router] = Router()
    yanks: Yanks
    deletions: Deletions

    @managing(
        router,
        "yank",
        Yanked,
        event=Kind.RELEASE_YANKED,
        summary="Yank releases",
        about="Installers take a yanked release only where it is asked for exactly (PEP 592). All that are "
        "named are yanked, or none; once more changes nothing but the reason.",
    )
    async def yank(self, request: Any, name: str, asked: Yanked) -> Done:
        """Keep releases from installers."""
        address = request.caller.address
        return Done.by(
            await self.yanks.yank_all(request.identity, name, asked.versions, asked.reason, address=address)
        )

    @managing(
        router,
        "unyank",
        Unyanked,
        event=Kind.RELEASE_UNYANKED,
        summary="Take yanks back",
        about="Installers take the releases again.",
    )
    async def unyank(self, request: Any, name: str, asked: Unyanked) -> Done:
        """Offer them again."""
        address = request.caller.address
        return Done.by(await self.yanks.unyank_all(request.identity, name, asked.versions, address=address))

    @managing(
        router,
        "delete-release",
        OneRelease,
        event=Kind.RELEASE_DELETED,
        summary="Delete a release",
        about="With all its files, for good: nothing brings it back, and the names of its files are never "
        "used again. Yanking is the better choice where anybody may depend on it.",
    )
    async def delete_release(self, request: Any, name: str, asked: OneRelease) -> Done:
        """Delete it."""
        check_confirmed(name, asked.confirm)
        address = request.caller.address
        return Done.by(
            await self.deletions.delete_release(request.identity, name, asked.version, address=address)
        )

    @managing(
        router,
        "delete-file",
        OneFile,
        event=Kind.FILE_DELETED,
        summary="Delete a file",
        about="For good: its name is never used again. The release stays, even without files.",
    )
    async def delete_file(self, request: Any, name: str, asked: OneFile) -> Done:
        """Delete it."""
        check_confirmed(name, asked.confirm)
        address = request.caller.address
        return Done.by(
            await self.deletions.delete_file(request.identity, name, asked.filename, address=address)
        )
