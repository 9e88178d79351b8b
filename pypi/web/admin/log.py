"""``/admin/log/``: what happened to accounts and projects, and who did it."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import PAGE, Audit, Kind
from pypi.accounts.log_words import of_anything
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.index import past_words
from pypi.web.admin import asked
from pypi.web.admin.overview import OPERATORS
from pypi.web.personal import PERSONAL, PersonalPages

KINDS = {kind.event: kind for kind in Kind}


@frozen(kw_only=True, eq=False)
class SecurityLog:
    """Shows the security log."""

    router: ClassVar[Router] = Router()
    pages: PersonalPages
    audit: Audit

    @router.get("/admin/log/", policy=PERSONAL, terms=OPERATORS)
    async def log(self, request: Any) -> Answer:
        """Lines of every kind or of one (``?event=``), newest first; ``?before=`` goes on."""
        kind, text = KINDS.get(asked.word(request, "event")), asked.word(request, "before")
        before = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
        rows = await self.audit.everything(kind=kind, before=before, limit=PAGE + 1)
        return self.pages.page(
            request,
            "admin/log.html",
            lines=[(row, of_anything(row, past_words.of_event)) for row in rows[:PAGE]],
            kinds=sorted(KINDS),
            event=kind.event if kind else "",
            more=rows[PAGE - 1].id if len(rows) > PAGE else None,
        )
