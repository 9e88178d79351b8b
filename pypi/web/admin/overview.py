"""``/admin/``: how the index is, at one glance."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, ClassVar

from attrs import field, frozen
from twisted.internet.threads import deferToThread

from pypi.accounts.administration import Administration
from pypi.accounts.audit import Kind
from pypi.domain.permissions import Permission
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import Terms, personal
from pypi.index.downloads import Popularity
from pypi.index.statistics import Statistics
from pypi.metrics.overview import Overview, overview
from pypi.web.door import NOT_DONE
from pypi.web.personal import PERSONAL, PersonalPages
from pypi.web.templates import line, shown_size

OPERATORS = personal(Permission.ADMINISTER)

SHOW_FIRST = {NOT_DONE: "Your second factor is shown. What you sent before was not done: send it once more."}
"""Said to who is led back."""

DAYS = 30


@frozen(kw_only=True, eq=False)
class Operate:
    """Shows traffic, the rungs of the caches, queues and storage.

    Attributes:
        figures: the text of ``/metrics``, of all workers.
        database_size: bytes.
        free: bytes left where files lie; ``None`` where nobody can say.
    """

    router: ClassVar[Router] = Router()
    pages: PersonalPages
    administration: Administration
    statistics: Statistics
    popularity: Popularity
    figures: Callable[[], Awaitable[tuple[bytes, str]]] = field(repr=False)
    database_size: Callable[[], Awaitable[int]] = field(repr=False)
    free: Callable[[], Awaitable[int | None]] = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)

    @router.get("/admin/", policy=PERSONAL, terms=OPERATORS)
    async def overview(self, request: Any) -> Answer:
        """The first page of whoever runs the index."""
        text, _ = await self.figures()
        seen = await deferToThread(overview, text.decode(), self.now().timestamp())
        summary = await self.statistics.summary()
        free = await self.free()
        storage = [
            ("Files", f"{summary.totals.files:,}"),
            ("Their size", shown_size(summary.totals.size)),
            ("Database", shown_size(await self.database_size())),
            ("Free on disk", "not known" if free is None else shown_size(free)),
        ]
        return self.pages.page(
            request,
            "admin/overview.html",
            done=SHOW_FIRST,
            seen=seen,
            storage=storage,
            totals=summary.totals,
            accounts=await self.administration.counts(),
            downloads=await self.popularity.daily_of_all(DAYS),
            line=line,
            per_second=per_second(seen),
        )


def doing(kind: Kind, *, at_once: bool = False) -> Terms:
    """The terms of what an operator does: the session alone is not enough for it.

    Args:
        at_once: it is, for what protects the index, as quarantine does, and takes nothing away that operators
            could not give back.
    """
    return personal(Permission.ADMINISTER, audit=kind.event, lately=not at_once)


def per_second(seen: Overview) -> float:
    """Requests a second since the oldest worker began."""
    return seen.total / seen.seconds if seen.seconds >= 1 else 0.0
