"""Somebody who changes their own account: what is written and told of it, in the transaction that does it."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from pypi.accounts import audit
from pypi.accounts.audit import Event, Kind
from pypi.accounts.mailed import tell
from pypi.db.connection import Cursor
from pypi.db.queries.sessions import SessionRow
from pypi.mail.letters import FactorAdded, FactorRemoved, Letter


@frozen
class Owner:
    """The owner of an account.

    Attributes:
        name: of the account.
        address: the network address they are at.
    """

    user_id: int
    name: str
    address: str

    @classmethod
    def of(cls, session: SessionRow, address: str) -> Owner:
        """Whoever is signed in."""
        return cls(session.user_id, session.name, address)

    def event(self, kind: Kind, **about: str | int) -> Event:
        """A line of the security log on what they did."""
        return Event(kind=kind, user_id=self.user_id, actor=self.name, address=self.address, about=about)


async def has_added(
    cursor: Cursor, owner: Owner, kind: Kind, factor: str, *, now: datetime, **about: str | int
) -> None:
    """Tell of one more second factor, or of what stands in for one.

    Args:
        factor: in words, such as ``passkey “desk”``.
        about: what the kind foresees.
    """
    await _tell(cursor, owner, kind, FactorAdded(user=owner.name, factor=factor), now, about)


async def has_removed(
    cursor: Cursor, owner: Owner, kind: Kind, factor: str, *, now: datetime, **about: str | int
) -> None:
    """Tell of one second factor less; likewise."""
    await _tell(cursor, owner, kind, FactorRemoved(user=owner.name, factor=factor), now, about)


async def _tell(
    cursor: Cursor, owner: Owner, kind: Kind, letter: Letter, now: datetime, about: dict[str, str | int]
) -> None:
    await audit.write(cursor, owner.event(kind, **about), now=now)
    await tell(cursor, owner.user_id, letter, now=now)
