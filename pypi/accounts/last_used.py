"""When tokens were used last: noted where one gets in, and written down later, by a job."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from attrs import define, field

from pypi.db.database import Database
from pypi.db.queries import tokens as stored

EXACTLY = timedelta(minutes=1)
"""How exactly it is known when a token was used last."""

MOST = 10_000
"""Tokens of which is known when they were used; those used least of late are forgotten first."""

AT_ONCE = 1000
"""Tokens that are written down in one transaction."""


@define(eq=False, repr=False)
class LastUsed:
    """Notes which tokens are used, in memory; what is not written down when a process ends is lost."""

    now: Callable[[], datetime]
    database: Database
    _noted: OrderedDict[str, datetime] = field(factory=OrderedDict, init=False)
    _waiting: dict[str, datetime] = field(factory=dict, init=False)

    def __repr__(self) -> str:
        return f"<LastUsed {len(self._noted)} tokens, {len(self._waiting)} to be written down>"

    def note(self, token_id: str) -> None:
        """A token was used just now."""
        now, before = self.now(), self._noted.get(token_id)
        if before is not None and now - before < EXACTLY:
            return
        self._noted[token_id] = now
        self._noted.move_to_end(token_id)
        self._waiting[token_id] = now
        if len(self._noted) > MOST:
            oldest, _ = self._noted.popitem(last=False)
            self._waiting.pop(oldest, None)

    async def keep(self) -> None:
        """Write down what was noted, a bounded number at once.

        Raises:
            Unavailable: it is noted again when they are used next.
        """
        taken = self._take()
        if not taken:
            return
        try:
            await self.database.transact(stored.mark_all_used, taken)
        except BaseException:
            for token_id in taken:
                self._noted.pop(token_id, None)
            raise

    def _take(self) -> Mapping[str, datetime]:
        taken = dict(list(self._waiting.items())[:AT_ONCE])
        for token_id in taken:
            del self._waiting[token_id]
        return taken
