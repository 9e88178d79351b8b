"""What an index hands out: values, each the answer to one question."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from attrs import frozen

from pypi.domain.names import NormalizedName


class Status(Enum):
    """What became of a project (PEP 792)."""

    ACTIVE = "active"
    ARCHIVED = "archived"
    QUARANTINED = "quarantined"
    DEPRECATED = "deprecated"

    @property
    def takes_uploads(self) -> bool:
        """Whether new files are welcome."""
        return self in {Status.ACTIVE, Status.DEPRECATED}


@frozen
class Yank:
    """A file or release withdrawn from resolvers, but not from those who pin it (PEP 592)."""

    reason: str = ""


@frozen(kw_only=True)
class FileEntry:
    """A file as the simple API lists it (PEP 503, 592, 658, 691, 700, 714).

    Attributes:
        path: below ``/packages/``.
        size: bytes.
        sha256: of the file, hexadecimal.
        metadata_sha256: of the core metadata handed out beside it; ``None`` where there is none.
        uploaded: aware, UTC.
    """

    filename: str
    version: str
    path: str
    size: int
    sha256: str
    metadata_sha256: str | None
    requires_python: str
    yank: Yank | None
    uploaded: datetime


@frozen(kw_only=True)
class ProjectPage:
    """One project with all an installer needs to choose a file.

    Attributes:
        serial: of the last change of the project.
        status_reason: names what is to be used instead, if the project says so.
        versions: those with files, in ascending order.
        files: by version, then by filename.
        successor: what is to be used instead; empty for nothing.
    """

    name: NormalizedName
    serial: int
    status: Status = Status.ACTIVE
    status_reason: str = ""
    versions: tuple[str, ...]
    files: tuple[FileEntry, ...]
    successor: str = ""


@frozen(kw_only=True)
class Extent:
    """How much is wanted of what stands around a release.

    Attributes:
        described: whether the description is.
        rendered: whether it is wanted as HTML, or as it was written.
        files: whether files are to be listed; they are counted in any case.
        all_files: whether it is about the files of all releases, or only those of this one.
        history: whether all releases of the project are to be listed; they are counted in any case.
    """

    described: bool = True
    rendered: bool = False
    files: bool = True
    all_files: bool = False
    history: bool = True
