"""Changes, said out loud; what follows from each is read off it.

What the journal says of one is in ``journal_words``, and on which pages it can be seen in ``cache_tags``.
"""

from __future__ import annotations

from attrs import frozen

from pypi.domain.names import NormalizedName


@frozen(kw_only=True)
class ProjectChange:
    """Base: something happened to a project.

    Attributes:
        project: its normalized name.
        name: its name as displayed.
        actor: the name of the account that did it.
        former_names: normalized names that lead to it, too, whose answers are touched with its own.
        is_private: whether the project was not for everybody, so that only its readers are told.
    """

    project: NormalizedName
    name: str
    actor: str
    former_names: tuple[str, ...] = ()
    is_private: bool = False


@frozen(kw_only=True)
class ProjectCreated(ProjectChange):
    """A name was taken."""


@frozen(kw_only=True)
class RoleAdded(ProjectChange):
    """Somebody got a role (``Owner``, ``Maintainer``)."""

    role: str
    user: str


@frozen(kw_only=True)
class ReleaseCreated(ProjectChange):
    """A version got its first file."""

    version: str


@frozen(kw_only=True)
class FileAdded(ProjectChange):
    """A file was published."""

    version: str
    filename: str
    python_version: str


@frozen(kw_only=True)
class ReleaseYanked(ProjectChange):
    """Installers shall take a version only where it is asked for exactly (PEP 592)."""

    version: str


@frozen(kw_only=True)
class ReleaseUnyanked(ProjectChange):
    """They may take it again."""

    version: str


@frozen(kw_only=True)
class ReleaseQuarantined(ProjectChange):
    """Nobody is offered anything of a version until it was looked into."""

    version: str


@frozen(kw_only=True)
class ReleaseCleared(ProjectChange):
    """It was looked into, and is offered again."""

    version: str


@frozen(kw_only=True)
class FileRemoved(ProjectChange):
    """A file was deleted; its name is never used again."""

    version: str
    filename: str


@frozen(kw_only=True)
class ReleaseRemoved(ProjectChange):
    """A version was deleted with all its files."""

    version: str


@frozen(kw_only=True)
class ProjectRemoved(ProjectChange):
    """A project was deleted with all its releases.

    Attributes:
        users: names of those who had a role in it.
    """

    users: tuple[str, ...] = ()


@frozen(kw_only=True)
class ProjectRenamed(ProjectChange):
    """A project is called ``name`` from now on.

    Attributes:
        before: its name until now, as displayed.
        users: names of those who have a role in it.
    """

    before: str
    users: tuple[str, ...] = ()


@frozen(kw_only=True)
class NameLeft(ProjectChange):
    """The project of this name is called otherwise from now on.

    Attributes:
        now: its name as displayed.
    """

    now: str


@frozen(kw_only=True)
class StatusChanged(ProjectChange):
    """A project is archived, deprecated or active from now on, or for another reason (PEP 792).

    Attributes:
        status: a word of PEP 792.
    """

    status: str


@frozen(kw_only=True)
class ProjectQuarantined(ProjectChange):
    """Nobody is offered anything of a project until it was looked into.

    Attributes:
        users: names of those who have a role in it.
    """

    users: tuple[str, ...] = ()


@frozen(kw_only=True)
class QuarantineCleared(ProjectChange):
    """It was looked into, and is offered again; ``users`` as above."""

    users: tuple[str, ...] = ()


@frozen(kw_only=True)
class ReadsChanged(ProjectChange):
    """Others than before read a project.

    To whoever read it only as everybody did, it is as if it were deleted, or begun.

    Attributes:
        reads: a word of ``Access``, as is ``before``.
        users: names of those who have a role in it.
    """

    reads: str
    before: str
    users: tuple[str, ...] = ()


@frozen(kw_only=True)
class RoleRemoved(ProjectChange):
    """Somebody lost a role."""

    role: str
    user: str


@frozen(kw_only=True)
class RoleChanged(ProjectChange):
    """Somebody has another role from now on."""

    role: str
    user: str


@frozen(kw_only=True)
class DescriptionsRendered:
    """Descriptions look different from now on; nothing that anybody has published did change.

    It is a line of the journal, for that is how caches hear of changes, but of no project: mirrors need not
    come for it.

    Attributes:
        projects: whose pages show them.
    """

    projects: tuple[NormalizedName, ...]
    project: None = None
    name: None = None
    actor: None = None


@frozen(kw_only=True)
class AccountChanged:
    """An account is called otherwise, or is no more: a line for caches, of no project.

    Attributes:
        users: all names whose pages tell of it.
    """

    users: tuple[str, ...]
    project: None = None
    name: None = None
    actor: None = None


Change = (
    ProjectCreated
    | RoleAdded
    | ReleaseCreated
    | FileAdded
    | ReleaseYanked
    | ReleaseUnyanked
    | ReleaseQuarantined
    | ReleaseCleared
    | FileRemoved
    | ReleaseRemoved
    | ProjectRemoved
    | ProjectRenamed
    | NameLeft
    | StatusChanged
    | ProjectQuarantined
    | QuarantineCleared
    | ReadsChanged
    | RoleRemoved
    | RoleChanged
    | DescriptionsRendered
    | AccountChanged
)

SEEN_UNDER_FORMER_NAMES = (
    ReleaseYanked,
    ReleaseUnyanked,
    ReleaseQuarantined,
    ReleaseCleared,
    FileRemoved,
    ReleaseRemoved,
    StatusChanged,
    ProjectQuarantined,
    QuarantineCleared,
    ReadsChanged,
    ProjectRemoved,
)
"""Installers find files under the names they were published by: these change what is found there."""
