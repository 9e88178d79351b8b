"""Changes, said out loud; what follows from each is read off it.

A change is written to the journal in the words the public index uses, and carries the cache tags of every
page it can be seen on.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from pypi.domain.names import NormalizedName
from pypi.domain.permissions import Access


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

WITHHELD = "withheld"
"""Tag of changes after which something must not be handed out any more, not even where nothing newer is."""


PRIVATE_TAG = "private/"
"""How tags begin that stand for a private project; no answer carries one."""

PRIVATE = "private"
"""Tag of changes of what is not for everybody: whoever knows what is private has to look again."""


def action(change: Change) -> str:
    """The change in the words of the changelog, which mirrors parse."""
    match change:
        case ProjectCreated():
            return "create"
        case RoleAdded(role=role, user=user):
            return f"add {role} {user}"
        case ReleaseCreated():
            return "new release"
        case FileAdded(filename=filename, python_version=python_version):
            return f"add {python_version} file {filename}"
        case ReleaseYanked():
            return "yank release"
        case ReleaseUnyanked():
            return "unyank release"
        case ReleaseQuarantined():
            return "release quarantined"
        case ReleaseCleared():
            return "release quarantine cleared"
        case FileRemoved(filename=filename):
            return f"remove file {filename}"
        case ReleaseRemoved():
            return "remove release"
        case ProjectRemoved():
            return "remove project"
        case ProjectRenamed(before=before):
            # As the public index said it, when it still renamed projects.
            return f"rename from {before}"
        case NameLeft(now=now):
            return f"rename to {now}"
        case StatusChanged(status=status):
            return f"project {status}"
        case ProjectQuarantined():
            return "project quarantined"
        case QuarantineCleared():
            return "project quarantine cleared"
        case ReadsChanged(reads=reads):
            return "create" if reads == Access.PUBLIC.value else "remove project"
        case RoleRemoved(role=role, user=user):
            return f"remove {role} {user}"
        case RoleChanged(role=role, user=user):
            return f"change {role} {user}"
        case DescriptionsRendered():
            return "render descriptions"
        case AccountChanged():
            return "change account"


def version(change: Change) -> str | None:
    """The version a change is about, where it is about one."""
    match change:
        case (
            ReleaseCreated(version=number)
            | FileAdded(version=number)
            | ReleaseYanked(version=number)
            | ReleaseUnyanked(version=number)
            | ReleaseQuarantined(version=number)
            | ReleaseCleared(version=number)
            | FileRemoved(version=number)
            | ReleaseRemoved(version=number)
        ):
            return number
        case _:
            return None


def tags(change: Change) -> tuple[str, ...]:
    """Cache tags of every answer the change can be seen in; ``journal`` is of those that show its serial."""
    if not isinstance(change, ProjectChange):
        return _tags(change)
    found = (*_tags(change), *(f"project/{name}" for name in change.former_names))
    if change.is_private:
        return _unseen(change, found)
    if WITHHELD not in found:
        return found
    return (*found, *(files_tag(name) for name in (change.project, *change.former_names)))


def _unseen(change: ProjectChange, found: Iterable[str]) -> tuple[str, ...]:
    """Tags of what not everybody is told; only that there is another serial is for all.

    No answer for everybody, such as that there is no such project, gets older or younger by it.
    """
    names = (change.project, *change.former_names)
    more = (WITHHELD,) if WITHHELD in found else ()
    return (*(PRIVATE_TAG + name for name in names), "journal", *more, PRIVATE)


def files_tag(name: str) -> str:
    """Cache tag of all files that were published under a normalized name; nothing else ends them."""
    return f"files/{name}"


def _tags(change: Change) -> tuple[str, ...]:
    project = f"project/{change.project}"
    match change:
        case DescriptionsRendered(projects=projects):
            return tuple(f"project/{name}" for name in projects)
        case AccountChanged(users=users):
            return _of_users(users)
        case ProjectCreated():
            return (project, "all-projects", "search", "journal")
        case RoleAdded(user=user) | RoleRemoved(user=user) | RoleChanged(user=user):
            # The list of all projects shows the last serial of each.
            return (project, "all-projects", f"user/{user.lower()}", "journal")
        case ReleaseCreated() | FileAdded() | ReleaseYanked() | ReleaseUnyanked():
            return (project, "all-projects", "search", "journal")
        case FileRemoved() | ReleaseRemoved() | ReleaseQuarantined() | ReleaseCleared():
            return (project, "all-projects", "search", "journal", WITHHELD)
        case StatusChanged():
            return (project, "all-projects", "search", "journal")
        case NameLeft():
            return (project, "all-projects", "search", "journal")
        case ProjectRenamed(users=users):
            return (project, "all-projects", "search", "journal", *_of_users(users))
        case ProjectRemoved(users=users):
            return (project, "all-projects", "search", "journal", *_of_users(users), WITHHELD)
        case ReadsChanged(users=users):
            return (project, "all-projects", "search", "journal", *_of_users(users), WITHHELD, PRIVATE)
        case ProjectQuarantined(users=users) | QuarantineCleared(users=users):
            return (project, "all-projects", "search", "journal", *_of_users(users), WITHHELD)


def _of_users(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"user/{name.lower()}" for name in names)


def all_tags(lines: Iterable[Change]) -> tuple[str, ...]:
    """Cache tags of every answer that any of the changes can be seen in, each once, sorted."""
    return tuple(sorted({tag for change in lines for tag in tags(change)}))
