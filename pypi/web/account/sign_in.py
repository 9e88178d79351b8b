"""``/account/sign-in/``: name and password, or a passkey; and out again."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar
from urllib.parse import quote

from attrs import evolve, frozen
from wtforms import Form, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.accounts.browsers import Browser
from pypi.accounts.entrance import Entrance
from pypi.accounts.errors import WrongCredentials
from pypi.accounts.factor_errors import StaleChallenge, WrongPasskey
from pypi.accounts.passwords import MAX_LENGTH
from pypi.accounts.second_step import SecondStep
from pypi.accounts.sessions import Started
from pypi.http.answer import Answer
from pypi.http.next_path import LONGEST, next_path
from pypi.http.refused import status_of
from pypi.http.router import Router
from pypi.http.terms import Csrf, entering, personal
from pypi.web.door import CONFIRM, SECOND_FACTOR, SIGN_IN, Cookies
from pypi.web.personal import PERSONAL, PersonalPages, after, filled, given_next

HOME = "/account/"
PASSKEY = "/account/sign-in/passkey/"
ASK_PASSKEY = "/account/sign-in/passkey/ask/"

KNOWN = 365 * 86400
"""Seconds a browser keeps what it is known by."""

DONE = {
    "signed-out": "You are signed out.",
    "password": "Your password was changed. Sign in with the new one.",
    "deleted": "Your account is deleted.",
}
"""What may have been done before one comes here."""


class SignInForm(Form):
    """Who somebody is; ``next`` is where they wanted to go."""

    name = StringField("User name", [InputRequired("Enter your user name."), Length(max=100)])
    password = PasswordField("Password", [InputRequired("Enter your password."), Length(max=MAX_LENGTH)])
    next = HiddenField(validators=[Length(max=LONGEST)])


@frozen(kw_only=True, eq=False)
class SignIn:
    """Lets people in, and out.

    Attributes:
        registration: whether one may make an account for oneself.
    """

    router: ClassVar[Router] = Router()
    entrance: Entrance
    step: SecondStep
    pages: PersonalPages
    cookies: Cookies | None
    registration: bool = False

    @router.get(SIGN_IN, policy=PERSONAL, terms=entering())
    async def ask(self, request: Any) -> Answer:
        """The form."""
        wanted = given_next(request)
        if request.identity is not None:
            return after(wanted or HOME)
        return self._form(request, SignInForm(data={"next": wanted}))

    @router.post(SIGN_IN, terms=entering(rate_limit="sign-in", audit=Kind.SIGNED_IN.event))
    async def sign_in(self, request: Any) -> Answer:
        """Look whether it is them."""
        form = filled(SignInForm, request)
        if not form.validate():
            return self._form(request, form, 400)
        wanted = next_path(form.next.data, "")
        try:
            started = await self.entrance.by_password(
                (form.name.data or "").strip(), form.password.data or "", browser_of(request, wanted)
            )
        except WrongCredentials:
            form.password.errors = ["There is no such account, or this is not its password."]
            return self._form(request, form, 403)
        assert self.cookies is not None
        return entered(self.cookies, started, wanted)

    @router.call(ASK_PASSKEY, terms=evolve(entering(rate_limit="passkey"), csrf=Csrf.TOKEN))
    async def ask_passkey(self, request: Any) -> Answer:
        """What a script asks the browser: any passkey it has for this index."""
        return in_json(await self.step.ask_anybody(_visit(request), address=request.caller.address))

    @router.post(PASSKEY, terms=entering(rate_limit="passkey", audit=Kind.SIGNED_IN.event))
    async def by_passkey(self, request: Any) -> Answer:
        """Look whose passkey it is; it stands for a second factor as well."""
        form = SignInForm(data={"next": (request.form.fields.get("next") or [""])[0]})
        answer = (request.form.fields.get("answer") or [""])[0]
        try:
            started = await self.step.recognise(_visit(request), answer, browser_of(request))
        except (StaleChallenge, WrongPasskey) as refusal:
            form.form_errors = [str(refusal)]
            return self._form(request, form, status_of(refusal))
        except WrongCredentials:
            form.form_errors = ["This passkey was not recognised."]
            return self._form(request, form, 403)
        assert self.cookies is not None
        return entered(self.cookies, started, next_path(form.next.data, ""))

    @router.post("/account/sign-out/", terms=personal(audit=Kind.SIGNED_OUT.event))
    async def sign_out(self, request: Any) -> Answer:
        """End the session of this browser."""
        assert self.cookies is not None
        await self.entrance.sessions.end(request.session, address=request.caller.address)
        return after(SIGN_IN, "signed-out", self.cookies.session.forget())

    def _form(self, request: Any, form: SignInForm, code: int = 200) -> Answer:
        return self.pages.secret_page(
            request,
            "account/sign_in.html",
            code=code,
            done=DONE,
            form=form,
            registration=self.registration,
            passkeys=self.step.passkeys.site.may_have_passkeys,
        )


def browser_of(request: Any, wanted: str = "") -> Browser:
    """What somebody signs in with, and where they wanted to go."""
    return Browser(
        address=request.caller.address,
        agent=request.getHeader("User-Agent") or "",
        session=request.session,
        known=request.browser,
        wanted=wanted,
    )


def entered(cookies: Cookies, started: Started, wanted: str) -> Answer:
    """The answer to who is signed in now, or owes something yet.

    Args:
        wanted: where they wanted to go, by ``next_path``; empty for nowhere.
    """
    session = started.session
    seconds = None if session.is_partial else int((session.expires - session.created).total_seconds())
    kept = [cookies.session.header(started.secret, seconds=seconds), cookies.visit.forget()]
    if started.browser:
        kept.append(cookies.browser.header(started.browser, seconds=KNOWN))
    if session.is_partial:
        there = CONFIRM if session.is_waiting else SECOND_FACTOR
        return after(led_on(there, wanted), "", *kept)
    return after(wanted or HOME, "", *kept)


def led_on(path: str, wanted: str) -> str:
    """A page before the one they wanted to go to."""
    return f"{path}?next={quote(wanted, safe='/')}" if wanted else path


def in_json(text: str) -> Answer:
    """What a script of a page asked for."""
    return Answer(body=text.encode(), content_type="application/json")


def _visit(request: Any) -> bytes:
    """What is kept of a browser in which nobody is signed in, or somebody is."""
    return hashlib.sha256(request.secret).digest()
