"""What the pages of second factors share: who changes them proves who they are, and gets another session.

What is secret is shown in the answer to the form that made it, and never again.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from pypi.accounts.again import Again
from pypi.accounts.owner import Owner
from pypi.accounts.recovery import RecoveryCodes
from pypi.accounts.second_factor import SecondFactors
from pypi.accounts.sessions import Sessions, Started
from pypi.http.answer import Answer
from pypi.web.account.again import AgainForm, cookie_of, is_proven
from pypi.web.door import FACTORS, Cookies
from pypi.web.personal import PersonalPages, after


@frozen(kw_only=True, eq=False)
class FactorDesk:
    """Where second factors are changed."""

    second_factors: SecondFactors
    recovery_codes: RecoveryCodes
    sessions: Sessions
    again: Again
    pages: PersonalPages
    cookies: Cookies | None

    async def is_proven(self, form: AgainForm, request: Any) -> bool:
        """Whether it is them; if not, the form says so."""
        return await is_proven(self.again, form, request)

    async def page(
        self, request: Any, name: str, form: AgainForm, *, path: str, code: int = 200, **values: Any
    ) -> Answer:
        """A page with a form that asks again who they are."""
        return self.pages.page(
            request,
            name,
            code=code,
            form=form,
            path=path,
            asked=await self.again.asks(request.session),
            factors=await self.second_factors.of(request.session.user_id),
            **values,
        )

    async def has_added(self, request: Any, done: str, *, by: str) -> Answer:
        """The answer to who has one more: with the first of them come codes for recovery.

        Args:
            done: the word for what was done.
            by: what was shown with it.
        """
        address = request.caller.address
        started = await self.sessions.rotate(request.session, second_factor=by, address=address)
        factors = await self.second_factors.of(request.session.user_id)
        if not factors.recovery_codes:
            return await self.with_codes(request, started, is_first=True)
        assert self.cookies is not None
        return after(FACTORS, done, cookie_of(self.cookies, started))

    async def has_removed(self, request: Any, done: str) -> Answer:
        """The answer to who has one less."""
        started = await self.sessions.rotate(request.session)
        assert self.cookies is not None
        return after(FACTORS, done, cookie_of(self.cookies, started))

    async def with_codes(self, request: Any, started: Started, *, is_first: bool) -> Answer:
        """A page with new codes for recovery, in place of all there were."""
        codes = await self.recovery_codes.renew(owner_of(request))
        assert self.cookies is not None
        request.secret = started.secret.encode()  # which the forms of the page are bound to
        page = self.pages.page(request, "account/codes_made.html", codes=codes, is_first=is_first)
        return evolve(page, headers=(*page.headers, cookie_of(self.cookies, started)))


def owner_of(request: Any) -> Owner:
    """Whoever is signed in."""
    return Owner.of(request.session, request.caller.address)
