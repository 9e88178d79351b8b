"""The index as its own database has it."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import files, journal, projects
from pypi.db.queries.files import FileRow
from pypi.domain import versions
from pypi.domain.errors import NoSuchProject
from pypi.domain.names import NormalizedName
from pypi.domain.values import FileEntry, ProjectList, ProjectListEntry, ProjectPage, Status, Yank
from pypi.files import paths


@frozen(eq=False)
class DatabaseIndex:
    """Answers from the rows of this index; each answer is one consistent moment."""

    database: Database

    async def project_page(self, name: NormalizedName) -> ProjectPage:
        """All an installer needs to know of a project.

        Raises:
            NoSuchProject: nobody has taken the name.
        """
        return await self.database.read(_project_page, name)

    async def project_list(self) -> ProjectList:
        """Every project that may be listed."""
        return await self.database.read(_project_list)

    async def counts(self) -> tuple[int, int]:
        """(number of projects, serial of the last change of anything)."""
        return await self.database.read(_counts)


async def _project_page(cursor: Cursor, name: NormalizedName) -> ProjectPage:
    project = await projects.by_name(cursor, name)
    if project is None:
        raise NoSuchProject(name)
    status = Status(project.status)
    rows = [] if status is Status.QUARANTINED else await files.of_project(cursor, project.id)
    return ProjectPage(
        name=project.normalized,
        serial=project.last_serial,
        status=status,
        status_reason=project.status_reason,
        versions=_in_order(rows),
        files=tuple(_entry(row) for row in sorted(rows, key=_place)),
    )


def _in_order(rows: Sequence[FileRow]) -> tuple[str, ...]:
    return tuple(sorted({row.version for row in rows}, key=versions.sort_key))


def _place(row: FileRow) -> tuple[object, str]:
    return versions.sort_key(row.version), row.filename


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


async def _project_list(cursor: Cursor) -> ProjectList:
    serial = await journal.last_serial(cursor)
    rows = await projects.listed(cursor)
    return ProjectList(serial, tuple(ProjectListEntry(*row) for row in rows))


async def _counts(cursor: Cursor) -> tuple[int, int]:
    return await projects.count(cursor), await journal.last_serial(cursor)
