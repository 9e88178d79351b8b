"""``/admin/users/``: accounts, and what those who run the index may do to them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, ClassVar
from urllib.parse import quote

from attrs import frozen
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.administration import LONGEST_REASON, PAGE, Act, Administration
from pypi.accounts.again import Again
from pypi.accounts.audit import Audit, Kind
from pypi.accounts.log_words import of_account
from pypi.accounts.second_factor import SecondFactors
from pypi.accounts.sessions import Sessions
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.web.admin import asked
from pypi.web.admin.overview import OPERATORS, SHOW_FIRST, doing
from pypi.web.personal import PERSONAL, PersonalPages, after, filled, page_number

DONE = {
    **SHOW_FIRST,
    "disabled": "The account is disabled, and signed out everywhere.",
    "enabled": "The account can be used again.",
    "given": "The account runs the index from its next sign-in on.",
    "taken": "The account does not run the index any more.",
    "signed-out": "The account is signed out everywhere.",
    "factors": "All second factors are removed; the password alone signs in.",
}


class ReasonForm(Form):
    """Why, for the log."""

    reason = StringField("Reason", [Length(max=LONGEST_REASON)])


class TypedForm(Form):
    """The name of the account once more, and why."""

    confirm = StringField(
        "Type the user name to confirm", [InputRequired("Type the user name."), Length(max=100)]
    )
    reason = StringField("Reason", [Length(max=LONGEST_REASON)])


@frozen(kw_only=True, eq=False)
class OperateAccounts:
    """Shows accounts, and disables, signs out, promotes them."""

    router: ClassVar[Router] = Router()
    pages: PersonalPages
    administration: Administration
    again: Again
    audit: Audit
    second_factors: SecondFactors
    sessions: Sessions

    @router.get("/admin/users/", policy=PERSONAL, terms=OPERATORS)
    async def users(self, request: Any) -> Answer:
        """A list, of all or of what is looked for: ``?q=``, ``?operators=1``, ``?page=``."""
        words = asked.word(request, "q")
        only = asked.word(request, "operators") == "1"
        found = await self.administration.look_for(words, page=page_number(request), only_operators=only)
        same = {"q": words, "operators": "1" if only else ""}
        return self.pages.page(
            request,
            "admin/users.html",
            done=DONE,
            accounts=found[:PAGE],
            words_asked=words,
            only_operators=only,
            counts=await self.administration.counts(),
            **asked.turning(request, same, is_more=len(found) > PAGE),
        )

    @router.get("/admin/users/<name>/", policy=PERSONAL, terms=OPERATORS)
    async def user(self, request: Any, name: str) -> Answer:
        """One account: what it has, and what happened to it."""
        return await self._shown(request, name, ReasonForm(), TypedForm())

    @router.post("/admin/users/<name>/disable/", terms=doing(Kind.ACCOUNT_DISABLED))
    async def disable(self, request: Any, name: str) -> Answer:
        """Nobody uses it any more."""
        return await self._typed(request, name, self.administration.disable, "disabled")

    @router.post("/admin/users/<name>/enable/", terms=doing(Kind.ACCOUNT_ENABLED))
    async def enable(self, request: Any, name: str) -> Answer:
        """It is used again."""
        return await self._done(request, name, self.administration.enable, "enabled")

    @router.post("/admin/users/<name>/give-admin/", terms=doing(Kind.ADMIN_GIVEN))
    async def give_admin(self, request: Any, name: str) -> Answer:
        """It runs the index."""
        return await self._typed(request, name, self.administration.give_admin, "given")

    @router.post("/admin/users/<name>/take-admin/", terms=doing(Kind.ADMIN_TAKEN))
    async def take_admin(self, request: Any, name: str) -> Answer:
        """It does so no longer."""
        return await self._done(request, name, self.administration.take_admin, "taken")

    @router.post("/admin/users/<name>/sign-out/", terms=doing(Kind.SESSIONS_ENDED, at_once=True))
    async def sign_out(self, request: Any, name: str) -> Answer:
        """It is signed out everywhere."""
        return await self._done(request, name, self.administration.end_sessions, "signed-out")

    @router.post("/admin/users/<name>/remove-factors/", terms=doing(Kind.FACTORS_REMOVED))
    async def remove_factors(self, request: Any, name: str) -> Answer:
        """Who has lost them all gets in again."""
        return await self._typed(request, name, self.administration.remove_factors, "factors")

    async def _typed(
        self, request: Any, name: str, act: Callable[[Act], Awaitable[object]], done: str
    ) -> Answer:
        form = filled(TypedForm, request)
        if not form.validate() or (form.confirm.data or "").strip().lower() != name.lower():
            form.confirm.errors = ["What you typed is not the user name, so nothing was done."]
            return await self._shown(request, name, ReasonForm(), form, 400)
        return await self._act(request, name, act, done, form.reason.data or "")

    async def _done(
        self, request: Any, name: str, act: Callable[[Act], Awaitable[object]], done: str
    ) -> Answer:
        form = filled(ReasonForm, request)
        if not form.validate():
            return await self._shown(request, name, form, TypedForm(), 400)
        return await self._act(request, name, act, done, form.reason.data or "")

    async def _act(
        self, request: Any, name: str, act: Callable[[Act], Awaitable[object]], done: str, reason: str
    ) -> Answer:
        address = request.caller.address
        await act(Act(by=request.identity, name=name, address=address, reason=reason.strip()))
        return after(f"/admin/users/{quote(name, safe='')}/", done)

    async def _shown(self, request: Any, name: str, reason: Form, typed: Form, code: int = 200) -> Answer:
        account = await self.administration.look_at(name)
        return self.pages.page(
            request,
            "admin/user.html",
            code=code,
            done=DONE,
            account=account,
            factors=await self.second_factors.of(account.id),
            sessions=await self.sessions.of_user(account.id),
            log=[(row, of_account(row, account.name)) for row in await self.audit.of_user(account.id)],
            reason=reason,
            typed=typed,
            lately=self.again.is_recent(request.session),
            is_self=account.id == request.identity.user_id,
        )
