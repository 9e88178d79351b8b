"""Cache tags of changes: a change carries those of every page it can be seen on."""

from __future__ import annotations

from collections.abc import Iterable

from pypi.domain.changes import (
    AccountChanged,
    Change,
    DescriptionsRendered,
    FileAdded,
    FileRemoved,
    NameLeft,
    ProjectChange,
    ProjectCreated,
    ProjectQuarantined,
    ProjectRemoved,
    ProjectRenamed,
    QuarantineCleared,
    ReadsChanged,
    ReleaseCleared,
    ReleaseCreated,
    ReleaseQuarantined,
    ReleaseRemoved,
    ReleaseUnyanked,
    ReleaseYanked,
    RoleAdded,
    RoleChanged,
    RoleRemoved,
    StatusChanged,
)

WITHHELD = "withheld"
"""Tag of changes after which something must not be handed out any more, not even where nothing newer is."""

PRIVATE_TAG = "private/"
"""How tags begin that stand for a private project; no answer carries one."""

PRIVATE = "private"
"""Tag of changes of what is not for everybody: whoever knows what is private has to look again."""


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
