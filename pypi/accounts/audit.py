"""The security log: written in the transaction of what it tells of, so that neither is without the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from attrs import field, frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import audit as lines
from pypi.db.queries.audit import AuditRow, NamedRow

PAGE = 50
"""Lines at once; asked for more, it is ``MOST``."""

MOST = 500

LONGEST = 500
"""Characters of a text that a line is about."""

TIDIED = 1000
"""Lines whose addresses are forgotten in one transaction."""


class Kind(Enum):
    """All that is ever written, each with what a line of it says besides who, whom, where and when."""

    REGISTERED = "account.registered", ()
    SIGNED_IN = "account.signed-in", ("by",)
    SIGN_IN_HALF = "account.sign-in-half", ("by",)
    SIGN_IN_ASKED = "account.sign-in-asked", ("by",)
    SIGN_IN_DENIED = "account.sign-in-denied", ()
    SIGN_IN_FAILED = "account.sign-in-failed", ("reason",)
    SIGNED_OUT = "account.signed-out", ()
    SESSION_ENDED = "account.session-ended", ("session",)
    SESSIONS_ENDED = "account.sessions-ended", ("count",)
    PASSWORD_CHANGED = "account.password-changed", ()
    RESET_ASKED = "account.reset-asked", ()
    PASSWORD_RESET = "account.password-reset", ()
    EMAIL_ADDED = "account.email-added", ("email",)
    EMAIL_VERIFIED = "account.email-verified", ("email",)
    EMAIL_REMOVED = "account.email-removed", ("email",)
    EMAIL_PRIMARY = "account.email-primary", ("email", "before")
    TOTP_ADDED = "account.totp-added", ()
    TOTP_REMOVED = "account.totp-removed", ()
    PASSKEY_ADDED = "account.passkey-added", ("name",)
    PASSKEY_RENAMED = "account.passkey-renamed", ("name",)
    PASSKEY_REMOVED = "account.passkey-removed", ("name",)
    OPENID_LINKED = "account.openid-linked", ("issuer", "called")
    OPENID_UNLINKED = "account.openid-unlinked", ("issuer", "called")
    RECOVERY_MADE = "account.recovery-codes-made", ("count",)
    RECOVERY_USED = "account.recovery-code-used", ("left",)
    SECOND_FACTOR_FAILED = "account.second-factor-failed", ("method",)
    TOKEN_ADDED = "account.token-added", ("token", "description", "project", "read_only")
    TOKEN_REVOKED = "account.token-revoked", ("token", "description", "reason")
    ACCOUNT_DISABLED = "account.disabled", ("reason",)
    ACCOUNT_ENABLED = "account.enabled", ()
    ACCOUNT_DELETED = "account.deleted", ("name",)
    FACTORS_REMOVED = "account.factors-removed", ("reason",)
    ADMIN_GIVEN = "account.admin-given", ()
    ADMIN_TAKEN = "account.admin-taken", ()
    ROLE_INVITED = "project.role-invited", ("user", "role")
    ROLE_INVITATION_ENDED = "project.role-invitation-ended", ("user", "role", "reason")
    ROLE_GIVEN = "project.role-given", ("user", "role")
    ROLE_CHANGED = "project.role-changed", ("user", "role", "before")
    ROLE_TAKEN = "project.role-taken", ("user", "role")
    PROJECT_CREATED = "project.created", ()
    PROJECT_TRANSFERRED = "project.transferred", ("user", "before")
    PROJECT_RENAMED = "project.renamed", ("before", "name")
    PROJECT_STATUS = "project.status", ("status", "before", "reason", "successor")
    PROJECT_DELETED = "project.deleted", ("name",)
    PROJECT_RESTORED = "project.restored", ("name", "user")
    RELEASE_YANKED = "project.release-yanked", ("version", "reason")
    RELEASE_UNYANKED = "project.release-unyanked", ("version",)
    RELEASE_QUARANTINED = "project.release-quarantined", ("version", "reason")
    RELEASE_CLEARED = "project.release-quarantine-cleared", ("version",)
    RELEASE_DELETED = "project.release-deleted", ("version",)
    FILE_DELETED = "project.file-deleted", ("version", "filename")
    READS_CHANGED = "project.reads-changed", ("reads", "before")
    NAME_PROHIBITED = "index.name-prohibited", ("reason",)
    NAME_ALLOWED = "index.name-allowed", ()

    def __init__(self, event: str, about: tuple[str, ...]) -> None:
        self.event = event
        self.about = about


@frozen(kw_only=True)
class Event:
    """Something that happened.

    Attributes:
        user_id: the account it happened to, whose owner sees it; ``None`` where it concerns none.
        actor: the name of who did it, or tried to.
        address: the network address it came from; empty where there is none, as on the command line.
        normalized: the project it happened to.
        about: texts, numbers and switches, each by a name the kind foresees.
    """

    kind: Kind
    user_id: int | None
    actor: str
    address: str = ""
    normalized: str | None = None
    about: Mapping[str, str | int | bool | None] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if strange := set(self.about) - set(self.kind.about):
            raise ValueError(f"{self.kind.event} is not about {', '.join(sorted(strange))}")


async def write(cursor: Cursor, event: Event, *, now: datetime) -> None:
    """Write a line, in the transaction of what it tells of."""
    await lines.add(cursor, at=now, **_columns(event))


async def write_all(cursor: Cursor, events: Sequence[Event], *, now: datetime) -> list[int]:
    """Write several lines at once; returns their ids, in the same order."""
    return await lines.add_all(cursor, [_columns(event) for event in events], at=now)


async def count(cursor: Cursor, kind: Kind, *, user_id: int, normalized: str, since: datetime) -> int:
    """How often something happened to an account because of a project, since a moment."""
    return await lines.count(cursor, user_id=user_id, event=kind.event, normalized=normalized, since=since)


async def tie(cursor: Cursor, ids: Sequence[int], *, first: int) -> None:
    """Say which lines of the journal tell of the same: the first of them, and those that follow."""
    await lines.tie(cursor, ids, first=first)


def _columns(event: Event) -> dict[str, Any]:
    return {
        "user_id": event.user_id,
        "actor": _storable(event.actor),
        "address": event.address[:64],
        "event": event.kind.event,
        "normalized": event.normalized,
        "about": {name: _bounded(value) for name, value in event.about.items() if value is not None},
    }


def _bounded(value: str | int | bool | None) -> str | int | bool | None:
    return _storable(value) if isinstance(value, str) else value


def _storable(text: str) -> str:
    # What strangers type comes here, too; PostgreSQL has no character NUL.
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:LONGEST]


@frozen(kw_only=True, eq=False)
class Audit:
    """Reads the log, and forgets what nobody may keep for ever.

    Attributes:
        addresses_kept: how long a line says from where; the line itself stays.
    """

    database: Database
    now: Callable[[], datetime]
    addresses_kept: timedelta = timedelta(days=90)

    async def of_user(self, user_id: int, *, before: int | None = None, limit: int = PAGE) -> list[AuditRow]:
        """A page of what happened to an account, last first.

        Args:
            before: the ``id`` of the last line of the page before; ``None`` for the first page.
        """
        return await self.database.ask(lines.of_user, user_id=user_id, before=before, limit=_within(limit))

    async def of_project(
        self, normalized: str, *, before: int | None = None, limit: int = PAGE
    ) -> list[AuditRow]:
        """A page of what happened to a project, last first."""
        return await self.database.ask(
            lines.of_project, normalized=normalized, before=before, limit=_within(limit)
        )

    async def everything(
        self, *, kind: Kind | None = None, before: int | None = None, limit: int = PAGE
    ) -> Sequence[NamedRow]:
        """A page of the whole log, or of one kind, last first; for operators."""
        if kind is None:
            return await self.database.ask(lines.everything, before=before, limit=_within(limit))
        return await self.database.ask(lines.of_event, event=kind.event, before=before, limit=_within(limit))

    async def tidy(self) -> int:
        """Forget addresses that are old enough, a bounded number at once.

        Returns:
            of how many lines; there may be more while it is ``TIDIED``.
        """
        before = self.now() - self.addresses_kept
        return await self.database.transact(lines.forget_addresses, before=before, limit=TIDIED)


def _within(limit: int) -> int:
    return max(1, min(limit, MOST))
