"""The index as its own database has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from attrs import Factory, define, field

from pypi.db.database import Database
from pypi.db.queries import files, renaming
from pypi.db.queries.files import FileRow, PageRow
from pypi.domain import versions
from pypi.domain.errors import NoSuchProject, ProjectMoved
from pypi.domain.names import NormalizedName
from pypi.domain.values import FileEntry, ProjectPage, Status, Yank
from pypi.files import paths
from pypi.files.workers import Workers
from pypi.index.names import Names

T = TypeVar("T")

THREAD_FROM = 10
"""Files of a project from which it costs the reactor less to have its page made elsewhere."""


@define(eq=False)
class DatabaseIndex:
    """Answers from the rows of this index; each answer is one consistent moment.

    Attributes:
        names: the list of all projects.
        threads: where pages are made.
    """

    database: Database
    names: Names = field(default=Factory(lambda self: Names(self.database), takes_self=True))
    threads: Workers = field(
        default=Factory(lambda self: Workers(self.database.reactor, threads=2, name="pages"), takes_self=True)
    )

    async def start(self) -> None:
        """Make threads available."""
        await self.threads.start()
        await self.names.start()

    async def stop(self) -> None:
        """Let those that run come to their end."""
        await self.names.stop()
        await self.threads.stop()

    async def project_page(self, name: NormalizedName, make: Callable[[ProjectPage], T]) -> T:
        """What is made of all an installer needs to know of a project.

        Under a name that the project had before there are the files that were published under it, and nothing
        else: installers compare the name they look for with those in filenames and metadata, which stay.

        Args:
            make: pure; it is called in a thread where there is much to do.

        Raises:
            NoSuchProject: nobody has taken the name.
            ProjectMoved: the project is called otherwise now, and has no files by this name.
        """
        row = await self.database.ask(files.page, name)
        if row is None:
            row = await self._page_before(name)
        successor = await self._shown(row.successor) if row.successor else ""
        if row.count < THREAD_FROM:
            return make(_page(row, successor))
        return await self.threads.run(lambda: make(_page(row, successor)))

    async def _shown(self, name: NormalizedName) -> str:
        found = await self.database.ask(renaming.shown_name, name)
        return found or ""

    async def _page_before(self, name: NormalizedName) -> PageRow:
        row = await self.database.ask(files.page_before, name)
        if row is None:
            raise NoSuchProject(name)
        if row.now is not None and not row.count and row.status != Status.QUARANTINED.value:
            raise ProjectMoved(name, row.now)
        return row


def _page(row: PageRow, successor: str) -> ProjectPage:
    rows = files.listed(row.listing)
    ordered = sorted({one.version for one in rows}, key=versions.sort_key)
    places = {version: place for place, version in enumerate(ordered)}
    status, reason = _status(row, successor)
    return ProjectPage(
        name=row.normalized,
        serial=row.last_serial,
        status=status,
        status_reason=reason,
        versions=tuple(ordered),
        files=tuple(map(_entry, sorted(rows, key=lambda one: (places[one.version], one.filename)))),
        successor=successor,
    )


def _status(row: PageRow, successor: str) -> tuple[Status, str]:
    """(status, reason): who installs by a name that was left is to hear of the present one."""
    status = Status(row.status)
    if status is Status.QUARANTINED:
        return status, row.status_reason
    said = [row.status_reason] if row.status_reason else []
    if row.now is not None:
        said.insert(0, f"This project is called {row.now} now.")
        status = Status.DEPRECATED if status is Status.ACTIVE else status
    if successor:
        said.append(f"Use {successor} instead.")
    return status, " ".join(said)


def _entry(row: FileRow) -> FileEntry:
    return FileEntry(
        filename=row.filename,
        version=row.version,
        path=paths.store_path(row.blake2_256, row.filename),
        size=row.size,
        sha256=row.sha256,
        metadata_sha256=row.metadata_sha256,
        requires_python=row.requires_python,
        yank=None if row.yanked_reason is None else Yank(row.yanked_reason),
        uploaded=row.uploaded,
    )
