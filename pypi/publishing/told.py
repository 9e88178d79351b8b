"""What managing leaves behind: lines of the journal and the security log, and letters to those concerned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from attrs import evolve, frozen

from pypi.accounts import audit
from pypi.accounts.audit import Event, Kind
from pypi.db.connection import Cursor
from pypi.db.queries import emails, roles
from pypi.domain.changes import Change
from pypi.domain.permissions import Identity, Role
from pypi.mail.letters import Letter
from pypi.mail.post import LASTS, post
from pypi.publishing import record
from pypi.publishing.record import Recorded


@frozen(kw_only=True)
class Act:
    """Somebody does something.

    Attributes:
        address: the network address it comes from; empty where there is none, as on the command line.
        now: aware, UTC; all that is written of it has this time.
    """

    identity: Identity
    now: datetime
    address: str = ""

    @property
    def name(self) -> str:
        """Who does it."""
        return self.identity.name

    def event(
        self,
        kind: Kind,
        normalized: str,
        *,
        user_id: int | None = None,
        **about: str | int | bool | None,
    ) -> Event:
        """A line of the security log.

        Args:
            normalized: the project it happens to.
            user_id: an account it happens to as well, whose owner sees it.
            about: what the kind foresees.
        """
        return Event(
            kind=kind,
            user_id=user_id,
            actor=self.identity.name,
            address=self.address,
            normalized=normalized,
            about=about,
        )


async def conclude(
    cursor: Cursor, act: Act, *told: tuple[Change, Event], also: Sequence[Change] = ()
) -> Recorded:
    """Say what was changed, to everybody and in the security log: the end of a managing transaction.

    Args:
        told: at least one change, each with the line of the security log that tells of the same.
        also: what follows from it and is no news to that log.
    """
    # The log comes first: nothing may be locked once the journal is written.
    ids = await audit.write_all(cursor, [event for _, event in told], now=act.now)
    recorded = await record.conclude(cursor, [*also, *(change for change, _ in told)], now=act.now)
    await audit.tie(cursor, ids, first=recorded.serial - len(told) + 1)
    return recorded


async def tell(
    cursor: Cursor, people: Iterable[int], letter: Letter, *, now: datetime, lasts: timedelta = LASTS
) -> None:
    """Have a letter sent to accounts, each by its name; to those that can be written to.

    Args:
        people: ids of accounts.
        lasts: for how long it is worth sending.
    """
    for one in await emails.reachable(cursor, sorted(set(people))):
        await post(cursor, evolve(letter, user=one.name), to=one.address, now=now, lasts=lasts)


async def keepers(cursor: Cursor, project_id: int) -> list[int]:
    """The accounts that look after a project: all who have a role in it, but those who only read it."""
    return [
        one.user_id for one in await roles.of_project(cursor, project_id) if one.role != Role.READER.value
    ]
