"""How much is on the index, and what is newest: what the front page and the statistics say."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

from attrs import define, field, frozen

from pypi.db.connection import Cursor
from pypi.db.database import Database
from pypi.db.queries import journal, statistics
from pypi.db.queries.statistics import LargeRow, MonthRow, NewRow, TotalsRow

SHOWN = 8
"""Lines of each list on the front page."""

LOOKED_AT = 200
"""Of the newest releases, those among which the latest of different projects are looked for."""

LARGEST = 25
"""Projects in the list of the largest."""

MONTHS = 12
"""Months whose releases are counted, with this one."""

MANY = 200_000
"""Files from which counting them all takes long enough to do it rarely."""

RARELY = 300.0
"""Seconds such a count is good for; and any other, for months end where nothing happens, too."""

T = TypeVar("T")


@frozen
class News:
    """What the front page tells.

    Attributes:
        serial: of the last change of anything.
        latest: releases, of different projects; the newest first.
        new_projects: the newest first.
    """

    serial: int
    latest: Sequence[NewRow]
    new_projects: Sequence[NewRow]


@frozen
class Month:
    """A calendar month (UTC) by its first moment, and how many releases were published in it."""

    begins: datetime
    releases: int


@frozen
class Summary:
    """The whole index in figures.

    Attributes:
        largest: projects by the bytes of all their files, the largest first.
        months: the last ones, the oldest first, this one at the end.
        counted: when; aware, UTC.
    """

    totals: TotalsRow
    largest: Sequence[LargeRow]
    months: Sequence[Month]
    counted: datetime


@define(eq=False)
class Counted(Generic[T]):
    """Something that is counted from all rows: anew after every change, but rarely where rows are many.

    Attributes:
        count: counts, and says how many files there were.
        seconds: a clock.
    """

    count: Callable[[], Awaitable[tuple[T, TotalsRow]]]
    seconds: Callable[[], float]
    _held: tuple[T, TotalsRow] | None = field(default=None, init=False, repr=False)
    _at: float = field(default=0.0, init=False)
    _forgotten: int = field(default=0, init=False)

    async def get(self, serial: int) -> T:
        """The last count, unless something has changed since; a long one is good for a while nevertheless.

        Args:
            serial: of the last change of anything.
        """
        if self._held is not None and self._is_good(self._held[1], serial):
            return self._held[0]
        began, forgotten = self.seconds(), self._forgotten
        counted = await self.count()
        if forgotten == self._forgotten:
            self._held, self._at = counted, began
        return counted[0]

    def forget(self) -> None:
        """Count anew when somebody asks next; what is being counted now is of before."""
        self._held = None
        self._forgotten += 1

    def _is_good(self, totals: TotalsRow, serial: int) -> bool:
        recent = self.seconds() - self._at < RARELY
        return recent and (totals.serial == serial or totals.files >= MANY)


@define(eq=False)
class Statistics:
    """Answers from the rows of this index.

    Attributes:
        now: aware, UTC.
    """

    database: Database
    now: Callable[[], datetime]
    _totals: Counted[TotalsRow] = field(init=False)
    _summary: Counted[Summary] = field(init=False)

    @_totals.default
    def _counting(self) -> Counted[TotalsRow]:
        return Counted(self._count, self.database.reactor.seconds)

    @_summary.default
    def _summing_up(self) -> Counted[Summary]:
        return Counted(self._sum_up, self.database.reactor.seconds)

    def forget(self) -> None:
        """Something may not be named or counted any more, however rarely all is counted."""
        self._totals.forget()
        self._summary.forget()

    async def news(self) -> News:
        """What is newest, at one moment."""
        return await self.database.read(_news)

    async def totals(self, serial: int) -> TotalsRow:
        """How much there is: at ``serial`` or later, except that much is counted rarely."""
        return await self._totals.get(serial)

    async def summary(self) -> Summary:
        """All figures: of now, except that much is counted rarely."""
        serial = await self.database.read(journal.last_serial)
        return await self._summary.get(serial)

    async def _count(self) -> tuple[TotalsRow, TotalsRow]:
        totals = await self.database.scan(statistics.totals)
        return totals, totals

    async def _sum_up(self) -> tuple[Summary, TotalsRow]:
        now = self.now()
        begins = months_until(now)
        totals, largest, counts = await self.database.scan(_figures, begins[0])
        return Summary(totals, largest, _filled(begins, counts), now), totals


async def _news(cursor: Cursor) -> News:
    return News(
        await journal.last_serial(cursor),
        await statistics.latest(cursor, SHOWN, LOOKED_AT),
        await statistics.new_projects(cursor, SHOWN),
    )


async def _figures(cursor: Cursor, since: datetime) -> tuple[TotalsRow, list[LargeRow], list[MonthRow]]:
    return (
        await statistics.totals(cursor),
        await statistics.largest(cursor, LARGEST),
        await statistics.months(cursor, since),
    )


def months_until(now: datetime) -> list[datetime]:
    """The first moments of the last months, the oldest first, that of this one at the end."""
    last = now.year * 12 + now.month - 1
    return [datetime(n // 12, n % 12 + 1, 1, tzinfo=UTC) for n in range(last - MONTHS + 1, last + 1)]


def _filled(begins: Sequence[datetime], counts: Sequence[MonthRow]) -> list[Month]:
    by_month = {(row.begins.year, row.begins.month): row.releases for row in counts}
    return [Month(month, by_month.get((month.year, month.month), 0)) for month in begins]
