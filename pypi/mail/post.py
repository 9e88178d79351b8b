"""Posting: a letter becomes a row of the outbox, in the transaction that is the reason for it.

The row holds what the letter holds, secrets of links among it, until it was sent, was refused or is too old;
then it is deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import attrs
from attrs import frozen

from pypi.db.connection import Cursor
from pypi.db.queries import journal, outbox
from pypi.mail.letters import LETTERS, Letter

KIND = "mail"
"""What errands are called that are letters."""

LASTS = timedelta(days=2)
"""For how long a letter is tried to be sent, unless it says otherwise."""


class NoLetter(ValueError):
    """A row of the outbox that cannot be read as a letter; ``str()`` says why and quotes nothing of it."""


@frozen(kw_only=True)
class Posted:
    """A letter on its way.

    Attributes:
        to: an e-mail address.
        at: when the reason for it happened; aware.
        until: when it is no longer worth sending, such as when its link ends; aware.
    """

    letter: Letter
    to: str
    at: datetime
    until: datetime

    def payload(self) -> Mapping[str, Any]:
        """As the database keeps it."""
        return {
            "letter": self.letter.name,
            "to": self.to,
            "at": self.at.isoformat(),
            "until": self.until.isoformat(),
            "about": attrs.asdict(self.letter),
        }

    @classmethod
    def of(cls, payload: Mapping[str, Any]) -> Posted:
        """What the database kept.

        Raises:
            NoLetter: another version of Cheeseshop has written it, or nobody has.
        """
        try:
            return cls(
                letter=LETTERS[payload["letter"]](**payload["about"]),
                to=payload["to"],
                at=datetime.fromisoformat(payload["at"]),
                until=datetime.fromisoformat(payload["until"]),
            )
        except (LookupError, TypeError, ValueError) as error:
            raise NoLetter(type(error).__name__) from None


async def post(
    cursor: Cursor,
    letter: Letter,
    *,
    to: str,
    now: datetime,
    lasts: timedelta = LASTS,
    serial: int | None = None,
) -> int:
    """Have a letter sent once this transaction is committed.

    Args:
        to: an e-mail address.
        lasts: for how long it is worth sending; of a link, for how long that holds.
        serial: of the change that is the reason, if it is one the journal tells.

    Returns:
        the errand's id.
    """
    posted = Posted(letter=letter, to=to, at=now, until=now + lasts)
    if serial is None:
        serial = await journal.last_serial(cursor)
    return await outbox.add(cursor, serial=serial, kind=KIND, payload=posted.payload(), now=now)
