"""Pages that tell of an account, and have to be made anew when it is no more what they say."""

from __future__ import annotations

from datetime import datetime

from pypi.db.connection import Cursor
from pypi.db.queries import journal, outbox
from pypi.domain import cache_tags
from pypi.domain.changes import AccountChanged


async def changed(cursor: Cursor, *names: str, now: datetime) -> int:
    """Have every cache forget the pages of accounts, here and at the edge; last in the transaction.

    Args:
        names: of accounts that were disabled, deleted or called otherwise: old names and new ones.

    Returns:
        the serial of the line that tells caches of it.
    """
    line = AccountChanged(users=names)
    serial = await journal.write(cursor, [line], now=now)
    await outbox.add(cursor, serial=serial, kind="purge", payload={"tags": cache_tags.tags(line)}, now=now)
    return serial
