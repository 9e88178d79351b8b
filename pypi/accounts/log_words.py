"""The security log in words, as the owner of an account reads it, and as those do who run the index."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from string import Formatter
from typing import Any

from attrs import frozen

from pypi.db.queries.audit import AuditRow, NamedRow

EVENTS: Mapping[str, str] = {
    "account.registered": "{Your} account was made",
    "account.signed-in": "{You} signed in {by}",
    "account.sign-in-half": "The first step of a sign-in was right, and the second still to come",
    "account.sign-in-asked": "A letter asked for a sign-in {by} to be confirmed, in a new browser",
    "account.sign-in-denied": "{You} said that a sign-in was not {your} own, and it was ended",
    "account.sign-in-failed": "A sign-in failed: {reason}",
    "account.signed-out": "{You} signed out",
    "account.session-ended": "A session was ended",
    "account.sessions-ended": "{count} sessions were ended",
    "account.password-changed": "{Your} password was changed",
    "account.reset-asked": "Somebody asked for a new password, by mail",
    "account.password-reset": "{Your} password was changed by a link that was sent by mail",
    "account.email-added": "A letter was sent to {email}, to confirm that address",
    "account.email-verified": "The address {email} was confirmed",
    "account.email-removed": "The address {email} was removed",
    "account.email-primary": "{Your} mail goes to {email} now",
    "account.totp-added": "An authenticator app was added",
    "account.totp-removed": "{Your} authenticator app was removed",
    "account.passkey-added": "The passkey “{name}” was added",
    "account.passkey-renamed": "A passkey is called “{name}” now",
    "account.passkey-removed": "The passkey “{name}” was removed",
    "account.openid-linked": "The sign-in {called} was linked to {your} account",
    "account.openid-unlinked": "The sign-in {called} is no longer linked to {your} account",
    "account.recovery-codes-made": "{count} recovery codes were made, in place of all there were",
    "account.recovery-code-used": "A recovery code was used; {left} are left",
    "account.second-factor-failed": "A wrong second factor was shown ({method})",
    "account.token-added": "The token “{description}” was made",
    "account.token-revoked": "The token “{description}” was revoked {reason}",
    "account.disabled": "{Your} account was disabled by who runs this index",
    "account.enabled": "{Your} account was enabled again",
    "account.factors-removed": "All {your} second factors were removed by who runs this index",
    "account.deleted": "The account {name} was deleted",
    "account.admin-given": "{You} {were} made an operator of this index",
    "account.admin-taken": "{You} {are} no operator of this index any longer",
    "project.role-invited": "{You} {were} invited to be {role} of {project}",
    "project.role-invitation-ended": "The invitation to be {role} of {project} ended",
    "project.role-given": "{You} {are} {role} of {project}",
    "project.role-changed": "{You} {are} {role} of {project} now, and {were} {before}",
    "project.role-taken": "{You} {are} no longer {role} of {project}",
    "project.transferred": "{project} was given to {user}",
}
"""Event → a sentence, which has words of whoever reads it; what is written of projects alone is not here."""

BY: Mapping[str, str] = {
    "password": "with {your} password",
    "passkey": "with a passkey",
    "openid": "by way of a linked sign-in",
    "registration": "for the first time",
    "authenticator app": "with {your} password and a code of {your} authenticator app",
    "recovery code": "with {your} password and a recovery code",
}
"""What somebody was recognised by → the same in words."""

REASONS: Mapping[str, str] = {
    "password": "the password was wrong",
    "password asked for again": "the password was wrong, asked for once more",
    "owner": "by its owner",
    "operator": "by who runs this index",
    "reported": "by somebody who found it",
}
"""Why a sign-in failed, or a token was revoked, in words; others are words already."""

GRAVE = frozenset(
    {
        "account.sign-in-failed",
        "account.sign-in-denied",
        "account.second-factor-failed",
        "account.reset-asked",
        "account.recovery-code-used",
    }
)
"""Events that one looks at twice, since they may have been somebody else."""


TO_ITS_OWNER: Mapping[str, str] = {"You": "You", "Your": "Your", "your": "your", "are": "are", "were": "were"}
"""How sentences speak of an account to its owner."""


@frozen
class Line:
    """A line of the log, for people.

    Attributes:
        at: aware, UTC.
        words: a sentence without its full stop.
        by: who did it, where the reader is to be told.
        address: from where; empty after some time.
        is_grave: whether it may have been somebody else.
        rest: what the sentence does not say, by its name.
    """

    at: datetime
    words: str
    by: str
    address: str
    is_grave: bool
    rest: Mapping[str, Any]


def in_words(row: AuditRow, reader: str) -> Line:
    """A line as its account's owner reads it; who did it is said where that was somebody else.

    Args:
        reader: name of the account.
    """
    return _line(row, TO_ITS_OWNER, by=row.actor if row.actor != reader else "")


def of_account(row: AuditRow, name: str) -> Line:
    """A line as operators read it, who are told in any case who did it.

    Args:
        name: of the account; empty for one that is no more, or never was.
    """
    who = name or "Somebody"
    said = {"You": who, "Your": f"{who}’s", "your": "their", "are": "is", "were": "was"}
    return _line(row, said, by=row.actor)


def of_anything(row: NamedRow, of_project: Callable[[str, Mapping[str, Any], str], str]) -> Line:
    """A line as operators read it, whatever it is about.

    Args:
        of_project: of an event, what it is about and who did it: what they did to a project, in words.
    """
    if row.user or row.event.startswith("account."):
        return of_account(row, row.user)
    words = f"{row.actor or 'Somebody'} {of_project(row.event, row.about, row.actor)}"
    return Line(row.at, words, row.actor, row.address, is_grave=False, rest={})


def _line(row: AuditRow, voice: Mapping[str, str], *, by: str) -> Line:
    about = _Said({**row.about, **voice, "project": row.normalized})
    if "by" in row.about:
        about["by"] = BY.get(str(row.about["by"]), str(row.about["by"])).format_map(voice)
    if "reason" in row.about:
        about["reason"] = REASONS.get(str(row.about["reason"]), str(row.about["reason"]))
    sentence = EVENTS.get(row.event, "Something happened ({event})")
    words = sentence.format_map(_Said({**about, "event": row.event}))
    is_grave = row.event in GRAVE or row.about.get("reason") == "reported"
    named = {name for _, name, _, _ in Formatter().parse(sentence)}
    rest = {name: value for name, value in row.about.items() if name not in named}
    return Line(row.at, words, by, row.address, is_grave, rest)


class _Said(dict[str, Any]):
    """What is said in a sentence; where something is missing, it is left open."""

    def __missing__(self, key: str) -> str:
        return "…"
