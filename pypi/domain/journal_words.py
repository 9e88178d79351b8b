"""Changes in the words of the journal: those the public index uses, which mirrors parse."""

from __future__ import annotations

from pypi.domain.changes import (
    AccountChanged,
    Change,
    DescriptionsRendered,
    FileAdded,
    FileRemoved,
    NameLeft,
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
from pypi.domain.permissions import Access


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
