"""What is asked about downloads: of one project, of its files, of everything.

Counts are as they were when they were added last, which workers do twice a minute. Nobody is told when they
change: what shows them is as old as it may be kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from attrs import field, frozen

from pypi.db.database import Database
from pypi.db.queries import downloads
from pypi.domain.downloads import RECENT_DAYS, SHOWN_DAYS, Popular, Totals, first_of, in_a_row
from pypi.domain.names import normalize

__all__ = ["NOT_COUNTED", "Popular", "Popularity", "Totals"]

NOT_COUNTED = -1
"""In the place of a file's downloads, where nobody counts them."""


@frozen(eq=False)
class Popularity:
    """Answers about downloads; names may be spelled in any way. All raise ``DatabaseDown``.

    Attributes:
        now: aware, UTC.
        counts: whether downloads are counted; where they are not, there are none.
    """

    database: Database
    now: Callable[[], datetime] = field(repr=False)
    counts: bool = True

    async def daily(self, project: str, days: int = SHOWN_DAYS) -> Sequence[int]:
        """The downloads of a project on each of the last days, the oldest first; today's so far are last.

        Returns:
            as many numbers as days; none where nobody counts.
        """
        if not self.counts:
            return ()
        last = self._today()
        name, first = normalize(project), first_of(last, days)
        return in_a_row(await self.database.ask(downloads.of_project, name, first, last), last, days)

    async def daily_of_all(self, days: int = SHOWN_DAYS) -> Sequence[int]:
        """The same of everything together."""
        if not self.counts:
            return ()
        last = self._today()
        return in_a_row(await self.database.ask(downloads.of_all, first_of(last, days), last), last, days)

    async def totals(self) -> Totals:
        """The sums of everything."""
        if not self.counts:
            return Totals()
        return Totals(*await self.database.ask(downloads.totals, first_of(self._today(), RECENT_DAYS)))

    async def top(self, limit: int) -> Sequence[Popular]:
        """The projects downloaded most in the last ``RECENT_DAYS``, the most first."""
        return await self.database.ask(downloads.top, limit) if self.counts else ()

    async def of_release(self, project: str, version: str) -> Sequence[tuple[str, int]]:
        """(filename, downloads ever) of each file of a release, by filename; none of one there is not."""
        found = await self.database.ask(downloads.of_release, normalize(project), version)
        return found if self.counts else [(filename, NOT_COUNTED) for filename, _ in found]

    def _today(self) -> date:
        return self.now().date()
