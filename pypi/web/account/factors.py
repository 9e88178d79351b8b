"""``/account/factors/``: one's second factors, and the authenticator app among them."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.accounts.factor_errors import LastFactor, WrongCode
from pypi.accounts.passkeys import Passkeys
from pypi.accounts.throttle import Act
from pypi.accounts.totp import Totp
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.web.account.again import AgainForm
from pypi.web.account.factor_desk import FactorDesk, owner_of
from pypi.web.account.passkeys import written
from pypi.web.door import FACTORS
from pypi.web.personal import PERSONAL, filled, given

APP = "/account/factors/app/"

FEW = 3
"""Recovery codes that are so few that one is reminded of making others."""

DONE = {
    "app": "The app is your second factor now: you are asked for its code when you sign in.",
    "app-removed": "The app is no second factor any more. You can remove its entry there.",
    "passkey": "The passkey is yours now.",
    "passkey-renamed": "The passkey has its new name.",
    "passkey-removed": "The passkey is good for nothing here any more. You can remove it from your device.",
}


class CodeForm(Form):
    """A code of the app."""

    code = StringField("Code", [InputRequired("Enter the code that the app shows."), Length(max=40)])


@frozen(kw_only=True, eq=False)
class FactorPages:
    """Shows one's second factors, and looks after the app."""

    router: ClassVar[Router] = Router()
    desk: FactorDesk
    totp: Totp
    passkeys: Passkeys

    @router.get(FACTORS, policy=PERSONAL, terms=personal())
    async def list(self, request: Any) -> Answer:
        """All of them, and what is missing."""
        user_id = request.session.user_id
        return self.desk.pages.page(
            request,
            "account/factors.html",
            done=DONE,
            factors=await self.desk.second_factors.of(user_id),
            passkeys=[(written(one.id), one) for one in await self.passkeys.of(user_id)],
            few=FEW,
            is_for_operators=given(request, "why") == "operator",
        )

    @router.get(APP, policy=PERSONAL, terms=personal())
    async def app(self, request: Any) -> Answer:
        """What can be done about the app."""
        return await self._app(request, AgainForm())

    @router.post("/account/factors/app/begin/", terms=personal(audit=Kind.TOTP_ADDED.event))
    async def begin(self, request: Any) -> Answer:
        """Make a secret for an app, and show it, this once."""
        form = filled(AgainForm, request)
        if not await self.desk.is_proven(form, request):
            return await self._app(request, form, 403)
        enrolment = await self.totp.begin(request.session.user_id, request.session.name)
        qr = enrolment.qr("QR code for your authenticator app")
        return self._confirming(request, CodeForm(), enrolment=enrolment, qr=qr)

    @router.post(
        "/account/factors/app/confirm/",
        terms=personal(rate_limit=Act.SECOND_FACTOR.word, audit=Kind.TOTP_ADDED.event),
    )
    async def confirm(self, request: Any) -> Answer:
        """Take the app into use, since it shows the right code."""
        form = filled(CodeForm, request)
        if not form.validate():
            return self._confirming(request, form, 400)
        # Whoever sits at a browser left open does not get by guessing what takes the password.
        throttle, account = self.desk.again.throttle, str(request.session.user_id)
        await throttle.take(Act.SECOND_FACTOR, account=account)
        try:
            await self.totp.confirm(owner_of(request), form.code.data or "")
        except WrongCode as refusal:
            form.code.errors = [str(refusal)]
            return self._confirming(request, form, 403)
        await throttle.give_back(Act.SECOND_FACTOR, account=account)
        return await self.desk.has_added(request, "app", by="authenticator app")

    @router.post("/account/factors/app/remove/", terms=personal(audit=Kind.TOTP_REMOVED.event))
    async def remove(self, request: Any) -> Answer:
        """Let the app be a second factor no longer."""
        form = filled(AgainForm, request)
        if not await self.desk.is_proven(form, request):
            return await self._app(request, form, 403)
        try:
            await self.desk.second_factors.remove_totp(owner_of(request))
        except LastFactor as refusal:
            form.form_errors = [str(refusal)]
            return await self._app(request, form, 403)
        return await self.desk.has_removed(request, "app-removed")

    async def _app(self, request: Any, form: AgainForm, code: int = 200) -> Answer:
        return await self.desk.page(request, "account/factor_app.html", form, path=APP, code=code)

    def _confirming(self, request: Any, form: CodeForm, code: int = 200, **secret: Any) -> Answer:
        shown = {"enrolment": None, "qr": "", **secret}
        return self.desk.pages.page(request, "account/factor_app_new.html", code=code, form=form, **shown)
