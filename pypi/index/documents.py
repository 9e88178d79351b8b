"""One release, and all that is known of it and around it, for documents and pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, TypeVar

import orjson
from attrs import evolve, field, frozen

from pypi.db.database import Database
from pypi.db.queries import documents, status
from pypi.db.queries.documents import DocumentRow, FileRow, ReleaseRow, SummaryRow
from pypi.domain import versions
from pypi.domain.errors import NoSuchRelease, ProjectMoved
from pypi.domain.metadata import Metadata
from pypi.domain.names import NormalizedName
from pypi.domain.permissions import Access
from pypi.domain.values import Extent, Status, Yank
from pypi.files import paths
from pypi.files.workers import Workers
from pypi.index.present import nothing_under

T = TypeVar("T")

THREAD_FROM = 16 << 10
"""Characters of what was read from which it costs the reactor less to have the rest done elsewhere."""


class PublishedFile(NamedTuple):
    """A file with all that is known of it; digests are hexadecimal.

    Attributes:
        filetype: ``sdist`` or ``bdist_wheel``.
        path: below ``/packages/``.
        metadata_sha256: of the core metadata handed out beside it; ``None`` where there is none.
        size: bytes.
        uploaded: aware, UTC.
        version: of its release.
        python_version: ``source``, or what kind of Python it is for.
        comment: the uploader's.
        yank: its own, or that of its release.
    """

    filename: str
    filetype: str
    path: str
    blake2_256: str
    md5: str
    sha256: str
    metadata_sha256: str | None
    size: int
    uploaded: datetime
    version: str
    python_version: str
    requires_python: str
    comment: str
    yank: Yank | None


class ReleaseLine(NamedTuple):
    """A release as a project's history lists it; ``created`` is aware, UTC."""

    version: str
    created: datetime
    yank: Yank | None


@frozen(kw_only=True, eq=False)
class Document:
    """One release of a project, and what stands around it, at one moment.

    Attributes:
        name: as displayed.
        serial: of the last change of the project.
        version: as it was first spelled.
        created: when the release got its first file; aware, UTC.
        latest: the version that is meant where none is named.
        release_count: of the project.
        file_count: of this release, or of all, as it was asked for; whether ``files`` lists them or not.
        wheel_count: how many of these are wheels.
        metadata: of its first file; without the description.
        description: as written; empty where ``html`` takes its place, or where it was not asked for.
        html: the description, harmless, where it was asked for and could be rendered.
        files: by filename; of all releases, of this one, or none, as it was asked for.
        releases: all of the project, the highest version first; or none.
        roles: (role, name of the account) pairs of those who look after the project, owners first.
        successor: name of the project that is to be used instead; empty for none.
        former_name: normalized name under which the release was published, and installers find it, where the
            project was called otherwise then; empty where there is something under the present name.
        access: who reads it.
    """

    name: str
    normalized: NormalizedName
    status: Status
    status_reason: str
    serial: int
    version: str
    yank: Yank | None
    created: datetime
    latest: str
    release_count: int
    file_count: int
    wheel_count: int
    metadata: Metadata
    description: str = field(repr=False)
    html: str | None = field(repr=False)
    files: tuple[PublishedFile, ...] = field(repr=False)
    roles: tuple[tuple[str, str], ...]
    _releases: str = field(repr=False)
    successor: str = ""
    former_name: str = ""
    access: Access = Access.PUBLIC

    @property
    def installed_as(self) -> str:
        """The name by which installers find the release."""
        return self.former_name or self.name

    @cached_property
    def releases(self) -> tuple[ReleaseLine, ...]:
        """All releases of the project, the highest version first."""
        return tuple(map(_release, documents.listed_releases(self._releases)))

    @property
    def all_versions(self) -> list[str]:
        """All versions of the project, the highest first."""
        return [row.version for row in documents.listed_releases(self._releases)]


@frozen(eq=False)
class Documents:
    """Answers from the rows of this index; each answer is one consistent moment.

    Attributes:
        threads: where documents are made when there is much to do.
    """

    database: Database
    threads: Workers

    async def of_project(
        self,
        name: NormalizedName,
        make: Callable[[Document], T],
        extent: Extent = Extent(),
    ) -> T:
        """What is made of a project's latest release: the one that is meant where no version is named.

        Args:
            make: pure; it is called in a thread where there is much to do.
            extent: how much of it is wanted.

        Raises:
            NoSuchProject: nobody has taken the name, nothing was published under it yet, or it is in
                quarantine.
            ProjectMoved: the project is called otherwise now.
        """
        row = await self.database.ask(documents.of_latest, name, extent)
        if row is None:
            raise await nothing_under(self.database, name)
        return await self._made(row, make)

    async def of_release(
        self,
        name: NormalizedName,
        version: str,
        make: Callable[[Document], T],
        extent: Extent = Extent(),
    ) -> T:
        """What is made of one release, whose version may be spelled in any way (``1.0`` is ``1.0.0``).

        Args:
            make: pure; it is called in a thread where there is much to do.
            extent: how much of it is wanted; ``all_files`` means nothing here.

        Raises:
            NoSuchRelease: there is none, or its project is in quarantine.
            ProjectMoved: the project is called otherwise now, whether it has such a release or not.
        """
        canonical = versions.canonical(version)
        row = await self.database.ask(documents.of_version, name, canonical, evolve(extent, all_files=False))
        if row is None:
            nothing = await nothing_under(self.database, name)
            raise nothing if isinstance(nothing, ProjectMoved) else NoSuchRelease(name, version)
        return await self._made(row, make)

    async def held_back(self, name: NormalizedName, version: str | None = None) -> str | None:
        """Why a project, or one release, is in quarantine, perhaps ``""``; ``None``: it is not."""
        canonical = None if version is None else versions.canonical(version)
        return await self.database.ask(status.held_back, name, canonical)

    async def classified(self, classifier: str, *, limit: int) -> list[SummaryRow]:
        """Projects whose latest release has a classifier, or one below it, by name; at most ``limit``."""
        return await self.database.ask(documents.classified, classifier, limit=limit)

    async def _made(self, row: DocumentRow, make: Callable[[Document], T]) -> T:
        if row.length < THREAD_FROM:
            return make(_document(row))
        return await self.threads.run(lambda: make(_document(row)))


def _document(row: DocumentRow) -> Document:
    stored: Mapping[str, object] = orjson.loads(row.metadata)
    return Document(
        name=row.name,
        normalized=row.normalized,
        status=Status(row.status),
        status_reason=row.status_reason,
        serial=row.last_serial,
        version=row.version,
        yank=_yank(row.yanked_reason),
        created=datetime.fromisoformat(row.created),
        latest=row.latest,
        release_count=row.release_count,
        file_count=row.count,
        wheel_count=row.wheels,
        metadata=Metadata.from_json(stored),
        description=row.description,
        html=row.html,
        files=tuple(map(_file, sorted(documents.listed_files(row.files)))),
        roles=tuple(_role(line) for line in row.roles.split("\n") if line),
        releases=row.releases,
        successor=row.successor or "",
        former_name=row.former_name or "",
        access=Access(row.reads),
    )


def _file(row: FileRow) -> PublishedFile:
    return PublishedFile(
        row.filename,
        row.filetype,
        paths.store_path(row.blake2_256, row.filename),
        row.blake2_256,
        row.md5,
        row.sha256,
        row.metadata_sha256 or None,
        int(row.size),
        datetime.fromisoformat(row.uploaded),
        row.version,
        row.python_version,
        row.requires_python,
        row.comment,
        _yank(row.yanked_reason),
    )


def _release(row: ReleaseRow) -> ReleaseLine:
    return ReleaseLine(row.version, datetime.fromisoformat(row.created), _yank(row.yanked_reason))


def _yank(reason: str | None) -> Yank | None:
    return None if reason is None else Yank(reason)


def _role(line: str) -> tuple[str, str]:
    role, _, name = line.partition("\t")
    return role, name
