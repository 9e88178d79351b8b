"""What happened to a project, in words: of each line of the security log, and of the journal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pypi.db.queries.past import PastRow

EVENTS: Mapping[str, str] = {
    "project.role-invited": "invited {user} to be {role}",
    "project.role-invitation-ended": "ended the invitation of {user} to be {role} ({reason})",
    "project.role-given": "made {user} {role}",
    "project.role-changed": "made {user} {role} instead of {before}",
    "project.role-taken": "took the role {role} from {user}",
    "project.created": "created the project",
    "project.transferred": "gave the project to {user}",
    "project.renamed": "renamed the project from {before} to {name}",
    "project.deleted": "deleted the project",
    "project.restored": "gave back the name {name}",
    "project.release-yanked": "yanked version {version}",
    "project.release-unyanked": "took back the yank of version {version}",
    "project.release-deleted": "deleted version {version} with its files",
    "project.release-quarantined": "put version {version} into quarantine",
    "project.release-quarantine-cleared": "let version {version} out of quarantine",
    "project.file-deleted": "deleted the file {filename}",
    "project.reads-changed": "let the project be read by {reads} instead of {before}",
    "index.name-prohibited": "prohibited the name",
    "index.name-allowed": "allowed the name again",
}
"""What the security log calls it → a sentence without its subject."""

OWN: Mapping[str, str] = {
    "project.role-given": "accepted to be {role}",
    "project.role-taken": "left the project, being {role} until then",
    "project.role-changed": "became {role} instead of {before}",
    "project.role-invitation-ended": "did not want to be {role}",
}
"""The same, where somebody does it to themselves."""

STATUSES: Mapping[tuple[str, str], str] = {
    ("archived", ""): "archived the project",
    ("deprecated", ""): "deprecated the project",
    ("active", ""): "made the project active again",
    ("quarantined", ""): "put the project into quarantine",
    ("active", "quarantined"): "let the project out of quarantine",
    ("archived", "quarantined"): "let the project out of quarantine, archived as it was",
    ("deprecated", "quarantined"): "let the project out of quarantine, deprecated as it was",
}
"""(status, what it was before, where that makes a difference) → the same."""

ACTIONS: tuple[tuple[str, str, str], ...] = (
    (r"create", "project.created", "created the project"),
    (r"new release", "project.release-created", "released version {version}"),
    (r"add (?P<python>\S+) file (?P<filename>.+)", "project.file-added", "uploaded the file {filename}"),
    (r"add (?P<role>Owner|Maintainer|Reader) (?P<user>\S+)", "project.role-given", "made {user} {role}"),
    (r"change (?P<role>\S+) (?P<user>\S+)", "project.role-changed", "made {user} {role}"),
    (r"remove (?P<role>Owner|Maintainer|Reader) (?P<user>\S+)", "project.role-taken",
     "took the role {role} from {user}"),
    (r"remove file (?P<filename>.+)", "project.file-deleted", "deleted the file {filename}"),
    (r"remove release", "project.release-deleted", "deleted version {version} with its files"),
    (r"remove project", "project.deleted", "deleted the project"),
    (r"yank release", "project.release-yanked", "yanked version {version}"),
    (r"unyank release", "project.release-unyanked", "took back the yank of version {version}"),
    (r"release quarantined", "project.release-quarantined", "put version {version} into quarantine"),
    (r"release quarantine cleared", "project.release-quarantine-cleared",
     "let version {version} out of quarantine"),
    (r"project quarantined", "project.status", "put the project into quarantine"),
    (r"project quarantine cleared", "project.status", "let the project out of quarantine"),
    (r"project (?P<status>\w+)", "project.status", "said that the project is {status}"),
    (r"rename from (?P<before>.+)", "project.renamed", "renamed the project from {before}"),
)  # fmt: skip
"""What the journal calls it → what the security log would, and a sentence; for what that does not have."""

_ACTIONS = [(re.compile(pattern), event, words) for pattern, event, words in ACTIONS]


def in_words(row: PastRow) -> tuple[str, str]:
    """What it is for programs, and for people."""
    if row.event is not None:
        return row.event, of_event(row.event, row.about or {}, row.actor)
    return _of_action(row.action or "", row.version)


def of_event(event: str, about: Mapping[str, Any], actor: str) -> str:
    """A line of the security log: what somebody did, in a sentence that begins with who it was."""
    if about.get("user") == actor and event in OWN:
        words = OWN[event].format_map(_Said(about))
    elif event == "project.status":
        words = _of_status(str(about.get("status", "")), str(about.get("before", "")))
        if successor := about.get("successor"):
            words += f", in favour of {successor}"
    else:
        words = EVENTS.get(event, event).format_map(_Said(about))
    reason = about.get("reason")
    return f"{words} (“{reason}”)" if reason and event != "project.role-invitation-ended" else words


def _of_status(status: str, before: str) -> str:
    found = STATUSES.get((status, before)) or STATUSES.get((status, ""))
    return found or f"said that the project is {status}"


def _of_action(action: str, version: str | None) -> tuple[str, str]:
    for pattern, event, words in _ACTIONS:
        if found := pattern.fullmatch(action):
            return event, words.format_map(_Said({**found.groupdict(), "version": version}))
    return "project.changed", action


class _Said(dict[str, Any]):
    """What is said in a sentence; where something is missing, it is left open."""

    def __missing__(self, key: str) -> str:
        return "…"
