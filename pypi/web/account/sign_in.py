"""``/account/sign-in/``: name and password; and out again."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen
from wtforms import Form, HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.accounts.entrance import Browser, Entrance
from pypi.accounts.errors import WrongCredentials
from pypi.accounts.passwords import MAX_LENGTH
from pypi.accounts.sessions import Started
from pypi.http.answer import Answer
from pypi.http.next_path import LONGEST, next_path
from pypi.http.router import Router
from pypi.http.terms import entering, personal
from pypi.web.door import SECOND_FACTOR, SIGN_IN, Cookies
from pypi.web.personal import PERSONAL, PersonalPages, after, filled, given_next

HOME = "/account/"

KNOWN = 365 * 86400
"""Seconds a browser keeps what it is known by."""

DONE = {
    "signed-out": "You are signed out.",
    "password": "Your password was changed. Sign in with the new one.",
    "registered": "Your account is ready. Sign in.",
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
        try:
            started = await self.entrance.by_password(
                (form.name.data or "").strip(), form.password.data or "", browser_of(request)
            )
        except WrongCredentials:
            form.password.errors = ["There is no such account, or this is not its password."]
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
        return self.pages.page(
            request, "account/sign_in.html", code=code, done=DONE, form=form, registration=self.registration
        )


def browser_of(request: Any) -> Browser:
    """What somebody signs in with."""
    return Browser(
        address=request.caller.address,
        agent=request.getHeader("User-Agent") or "",
        session=request.session,
        known=request.browser,
    )


def entered(cookies: Cookies, started: Started, wanted: str) -> Answer:
    """The answer to who is signed in now, or owes the second factor.

    Args:
        wanted: where they wanted to go, by ``next_path``; empty for nowhere.
    """
    session = started.session
    seconds = None if session.is_partial else int((session.expires - session.created).total_seconds())
    kept = [cookies.session.header(started.secret, seconds=seconds), cookies.visit.forget()]
    if started.browser:
        kept.append(cookies.browser.header(started.browser, seconds=KNOWN))
    if session.is_partial:
        return after(f"{SECOND_FACTOR}?next={wanted}" if wanted else SECOND_FACTOR, "", *kept)
    return after(wanted or HOME, "", *kept)
