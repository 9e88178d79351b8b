"""``/admin/legacy/``: what of the old is still used, by whom, and what could be switched off."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from attrs import field, frozen

from pypi.domain.switches import Switches
from pypi.domain.usage import Use, judged
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.web.admin import asked
from pypi.web.admin.overview import OPERATORS
from pypi.web.personal import PERSONAL, PersonalPages

PERIODS = (7, 30, 90, 365)
"""Days."""


@frozen(kw_only=True, eq=False)
class LegacyUsage:
    """Answers: is it safe to switch this off?

    Attributes:
        used: uses from a day on, and the first day of all that is recorded.
    """

    router: ClassVar[Router] = Router()
    pages: PersonalPages
    used: Callable[[date], Awaitable[tuple[Sequence[Use], date | None]]] = field(repr=False)
    switches: Switches
    now: Callable[[], datetime] = field(repr=False)

    @router.get("/admin/legacy/", policy=PERSONAL, terms=OPERATORS)
    async def legacy(self, request: Any) -> Answer:
        """The last days: ``?days=``."""
        text = asked.word(request, "days")
        days = int(text) if text in map(str, PERIODS) else 30
        since = self.now().date() - timedelta(days=days - 1)
        uses, recorded_since = await self.used(since)
        return self.pages.page(
            request,
            "admin/legacy.html",
            features=judged(uses, self.switches, since=since, recorded_since=recorded_since),
            days=days,
            periods=PERIODS,
            since=since,
            recorded_since=recorded_since,
        )
