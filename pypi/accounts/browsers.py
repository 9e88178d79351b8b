"""Browsers that people sign in with: whoever does with one not seen before is written to.

A browser is known by a secret in a cookie of its own, which outlives sessions and is good for nothing else.
Neither its address nor what it calls itself is kept for that, so that somebody who moves about, or updates,
is told nothing new; and nobody is taken for a known browser by calling themselves alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from attrs import field, frozen

from pypi.accounts import secret
from pypi.accounts.notices import Notice, Send, Word
from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import browsers, emails
from pypi.db.queries.sessions import SessionRow
from pypi.domain.devices import in_words

KEPT = timedelta(days=365)
"""How long a browser is known that nobody signs in with."""

MOST = 50
"""Browsers known of an account."""

YOUNG = timedelta(minutes=10)
"""An account that was made this shortly before is signed in to by who made it, and not told of that."""

TIDIED = 1000
"""Browsers forgotten in one transaction."""


@frozen(kw_only=True)
class Browser:
    """What somebody signs in with.

    Attributes:
        address: network address it asks from.
        agent: what it calls itself.
        session: the one it has already, which ends.
        known: the secret it is known by, if it has one.
        wanted: where they wanted to go, by ``next_path``; empty for nowhere.
    """

    address: str
    agent: str
    session: SessionRow | None = None
    known: str | None = field(default=None, repr=False)
    wanted: str = ""


@frozen(kw_only=True)
class Arrival:
    """Somebody is signed in.

    Attributes:
        browser: the secret of the browser.
        address: network address it asks from.
        agent: what it calls itself.
    """

    user_id: int
    name: str
    browser: str = field(repr=False)
    address: str
    agent: str


@frozen(kw_only=True, eq=False)
class Browsers:
    """Knows them again.

    Attributes:
        send: has a notice sent.
    """

    database: Database
    send: Send
    now: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    def known_or_new(self, text: str | None) -> str:
        """The secret a browser keeps from now on: the one it has, if that can be one."""
        return text if text and secret.digest(text) is not None else secret.make(self.random_bytes)

    async def arrived(self, cursor: Cursor, arrival: Arrival) -> None:
        """Note who is signed in with which browser, in that transaction, and have them told if it is new."""
        if await self.note(cursor, arrival.user_id, arrival.browser):
            return
        made = await browsers.account_made(cursor, arrival.user_id)
        if made is None or self.now() - made < YOUNG:
            return
        for one in await emails.reachable(cursor, [arrival.user_id]):
            notice = Notice(
                word=Word.NEW_SIGN_IN,
                to=one.address,
                user=one.name,
                address=arrival.address,
                agent=in_words(arrival.agent),
            )
            await self.send(cursor, notice)

    async def note(self, cursor: Cursor, user_id: int, browser: str) -> bool:
        """Know a browser from now on, in that transaction, and tell nobody; whether it was known already."""
        digest = _digest(user_id, browser)
        return await browsers.see(cursor, user_id=user_id, digest=digest, most=MOST, now=self.now())

    async def knows(self, cursor: Cursor, user_id: int, browser: str | None) -> bool:
        """Whether somebody has signed in to an account with a browser."""
        return browser is not None and await browsers.knows(
            cursor, user_id=user_id, digest=_digest(user_id, browser)
        )

    async def tidy(self) -> int:
        """Forget browsers nobody signs in with any longer, a bounded number at once.

        Returns:
            how many; there may be more while it is ``TIDIED``.
        """
        return await self.database.transact(browsers.tidy, before=self.now() - KEPT, limit=TIDIED)


async def forget(cursor: Cursor, user_id: int, *, but: str | None = None) -> None:
    """Know no browser of an account any longer, as is due where somebody else may have been in it.

    Args:
        but: the secret of the one that stays known, if there is one.
    """
    await browsers.forget(cursor, user_id=user_id, but=None if but is None else _digest(user_id, but))


def _digest(user_id: int, browser: str) -> bytes:
    return hashlib.sha256(f"{user_id}/{browser}".encode()).digest()
