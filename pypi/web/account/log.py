"""``/account/log/``: what happened to an account, for its owner."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import PAGE, Audit
from pypi.accounts.log_words import in_words
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.web.personal import PERSONAL, PersonalPages, given


@frozen(kw_only=True, eq=False)
class AccountLog:
    """Shows the security log of one account."""

    router: ClassVar[Router] = Router()
    audit: Audit
    pages: PersonalPages

    @router.get("/account/log/", policy=PERSONAL, terms=personal())
    async def show(self, request: Any) -> Answer:
        """A page of it, newest first; ``?before=`` goes on."""
        before = _number(given(request, "before"))
        rows = await self.audit.of_user(request.session.user_id, before=before, limit=PAGE + 1)
        return self.pages.page(
            request,
            "account/log.html",
            lines=[in_words(row, request.identity.name) for row in rows[:PAGE]],
            is_first=before is None,
            more=rows[PAGE - 1].id if len(rows) > PAGE else None,
            kept_days=self.audit.addresses_kept.days,
        )


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
