"""``/account/second-factor/``: a code or a passkey, for whoever owes it or is asked to show it again."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import evolve, frozen
from wtforms import Form, HiddenField, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.accounts.errors import SessionOver
from pypi.accounts.factor_errors import StaleChallenge, WrongCode, WrongPasskey
from pypi.accounts.second_factor import Factor
from pypi.accounts.second_step import SecondStep
from pypi.http.answer import Answer
from pypi.http.next_path import LONGEST, next_path
from pypi.http.refused import status_of
from pypi.http.router import Router
from pypi.http.terms import Csrf, entering
from pypi.web.account.sign_in import browser_of, entered, in_json, led_on
from pypi.web.door import CONFIRM, SECOND_FACTOR, SIGN_IN, Cookies
from pypi.web.personal import PERSONAL, PersonalPages, after, filled, given_next

ASK = "/account/second-factor/passkey/ask/"
PASSKEY = "/account/second-factor/passkey/"
LEAVE = "/account/second-factor/leave/"


class CodeForm(Form):
    """A code of the app, or for recovery; ``next`` is where they wanted to go."""

    code = StringField("Code", [InputRequired("Enter a code."), Length(max=100)])
    next = HiddenField(validators=[Length(max=LONGEST)])


@frozen(kw_only=True, eq=False)
class SecondFactorPage:
    """Asks for the second factor of who has shown the first."""

    router: ClassVar[Router] = Router()
    step: SecondStep
    pages: PersonalPages
    cookies: Cookies | None

    @router.get(SECOND_FACTOR, policy=PERSONAL, terms=entering())
    async def ask(self, request: Any) -> Answer:
        """The form."""
        wanted = given_next(request)
        if request.session is None:
            return after(led_on(SIGN_IN, wanted))
        if request.session.is_waiting:
            return after(led_on(CONFIRM, wanted))
        return await self._form(request, CodeForm(data={"next": wanted}))

    @router.post(SECOND_FACTOR, terms=entering(rate_limit="second-factor", audit=Kind.SIGNED_IN.event))
    async def by_code(self, request: Any) -> Answer:
        """Look whether the code is right."""
        form = filled(CodeForm, request)
        if request.session is None:
            raise SessionOver()
        wanted = next_path(form.next.data, "")
        if request.session.is_waiting:
            return after(led_on(CONFIRM, wanted))
        if not form.validate():
            return await self._form(request, form, 400)
        browser = browser_of(request, wanted)
        try:
            started = await self.step.by_code(request.session, form.code.data or "", browser)
        except WrongCode as refusal:
            form.code.errors = [str(refusal)]
            return await self._form(request, form, 403)
        assert self.cookies is not None
        return entered(self.cookies, started, wanted)

    @router.call(ASK, terms=evolve(entering(rate_limit="passkey"), csrf=Csrf.TOKEN))
    async def ask_passkey(self, request: Any) -> Answer:
        """What a script asks the browser."""
        if request.session is None:
            raise SessionOver()
        return in_json(await self.step.ask_passkey(request.session, address=request.caller.address))

    @router.post(PASSKEY, terms=entering(audit=Kind.SIGNED_IN.event))
    async def by_passkey(self, request: Any) -> Answer:
        """Look whether the passkey is right."""
        form = filled(CodeForm, request)
        if request.session is None:
            raise SessionOver()
        answer = (request.form.fields.get("answer") or [""])[0]
        try:
            started = await self.step.by_passkey(request.session, answer, browser_of(request))
        except (StaleChallenge, WrongPasskey) as refusal:
            form.form_errors = [str(refusal)]
            return await self._form(request, form, status_of(refusal))
        assert self.cookies is not None
        return entered(self.cookies, started, next_path(form.next.data, ""))

    @router.post(LEAVE, terms=entering(audit=Kind.SIGNED_OUT.event))
    async def leave(self, request: Any) -> Answer:
        """Sign out, so that somebody else can sign in."""
        assert self.cookies is not None
        if request.session is not None:
            await self.step.leave(request.session, address=request.caller.address)
        return after(SIGN_IN, "signed-out", self.cookies.session.forget())

    async def _form(self, request: Any, form: CodeForm, code: int = 200) -> Answer:
        factors = await self.step.factors(request.session)
        usable = factors.usable
        return self.pages.secret_page(
            request,
            "account/second_factor.html",
            code=code,
            form=form,
            who=request.session.name,
            is_set_up=factors.is_set_up,
            app=Factor.TOTP in usable,
            recovery=Factor.RECOVERY_CODE in usable,
            passkey=Factor.PASSKEY in usable and self.step.passkeys.site.may_have_passkeys,
        )
