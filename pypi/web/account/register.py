"""``/account/register/``: an account for oneself, which is there once the address is proven by mail."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from attrs import field, frozen
from wtforms import Form, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.accounts.entrance import Entrance
from pypi.accounts.errors import (
    AddressTaken,
    NameTaken,
    RegistrationOff,
    UnusableAddress,
    UnusableName,
    UnusablePassword,
    UnusableProof,
    WeakPassword,
    WrongCredentials,
)
from pypi.accounts.passwords import MAX_LENGTH
from pypi.accounts.registration import Registration
from pypi.http.answer import Answer
from pypi.http.refused import status_of
from pypi.http.router import Router
from pypi.http.terms import entering
from pypi.web.account.sign_in import HOME, browser_of, entered
from pypi.web.door import Cookies
from pypi.web.personal import PERSONAL, PersonalPages, after, filled

REGISTER = "/account/register/"
SENT = "/account/register/sent/"
CONFIRM = "/account/register/confirm/<secret>"

BY = "registration"
"""What the security log says they were recognised by."""


class RegisterForm(Form):
    """What the account shall be."""

    name = StringField("User name", [InputRequired("Choose a user name."), Length(max=50)])
    email = StringField("E-mail address", [InputRequired("Enter your e-mail address."), Length(max=254)])
    password = PasswordField("Password", [InputRequired("Choose a password."), Length(max=MAX_LENGTH)])


class ConfirmForm(Form):
    """That it is who asked for it, and not just whoever got the mail."""

    password = PasswordField("Password", [InputRequired("Enter your password."), Length(max=MAX_LENGTH)])


@frozen(kw_only=True, eq=False)
class Register:
    """Takes wishes for accounts, and makes them.

    Attributes:
        mail_is_kept: whether mail goes no further than into a folder.
    """

    router: ClassVar[Router] = Router()
    registration: Registration
    entrance: Entrance
    pages: PersonalPages
    cookies: Cookies | None
    mail_is_kept: bool
    now: Callable[[], datetime] = field(repr=False)

    @router.get(REGISTER, policy=PERSONAL, terms=entering())
    async def ask(self, request: Any) -> Answer:
        """The form; or who makes accounts here."""
        if request.identity is not None:
            return after(HOME)
        return self._form(request, RegisterForm())

    @router.post(REGISTER, terms=entering(rate_limit="register", audit=Kind.REGISTERED.event))
    async def register(self, request: Any) -> Answer:
        """Send mail to the address; whose it is, nobody is told but who reads that."""
        form = filled(RegisterForm, request)
        if not form.validate():
            return self._form(request, form, 400)
        name, email = (form.name.data or "").strip(), (form.email.data or "").strip()
        try:
            await self.registration.ask(
                name, email=email, password=form.password.data or "", address=request.caller.address
            )
        except (UnusableName, NameTaken) as refusal:
            form.name.errors = [str(refusal)]
        except UnusableAddress as refusal:
            form.email.errors = [str(refusal)]
        except (UnusablePassword, WeakPassword) as refusal:
            form.password.errors = [str(refusal)]
        else:
            return after(SENT)
        return self._form(request, form, 400)

    @router.get(SENT, policy=PERSONAL, terms=entering())
    async def sent(self, request: Any) -> Answer:
        """Look into your mail."""
        return self.pages.page(request, "account/register_sent.html", mail_is_kept=self.mail_is_kept)

    @router.get(CONFIRM, policy=PERSONAL, terms=entering())
    async def look(self, request: Any, secret: str) -> Answer:
        """The form for who was led here by mail."""
        return await self._confirm(request, secret, ConfirmForm())

    @router.post(CONFIRM, terms=entering(rate_limit="password", audit=Kind.REGISTERED.event))
    async def confirm(self, request: Any, secret: str) -> Answer:
        """Make the account, and sign in who has it now."""
        form, asked = filled(ConfirmForm, request), self.now()
        if not form.validate():
            return await self._confirm(request, secret, form, 400)
        try:
            made = await self.registration.confirm(
                secret, password=form.password.data or "", address=request.caller.address
            )
        except WrongCredentials:
            form.password.errors = ["This is not the password you chose."]
            return await self._confirm(request, secret, form, 403)
        except UnusableProof:
            return await self._confirm(request, secret, form)
        except (NameTaken, AddressTaken) as refusal:
            form.form_errors = [str(refusal)]
            return await self._confirm(request, secret, form, status_of(refusal))
        assert made.user_id is not None
        assert self.cookies is not None
        browser = browser_of(request)
        started = await self.entrance.recognised(made.user_id, by=BY, asked=asked, browser=browser)
        return entered(self.cookies, started, f"{HOME}?done=registered")

    def _form(self, request: Any, form: RegisterForm, code: int = 200) -> Answer:
        if not self.registration.is_open:
            return self.pages.page(request, "account/register_closed.html")
        at_least = self.registration.strength.at_least
        return self.pages.page(request, "account/register.html", code=code, form=form, at_least=at_least)

    async def _confirm(self, request: Any, secret: str, form: ConfirmForm, code: int = 200) -> Answer:
        if not self.registration.is_open:
            raise RegistrationOff()
        wanted = await self.registration.look(secret)
        if wanted is None:
            return self.pages.secret_page(request, "account/stale_link.html", code=410, again=REGISTER)
        return self.pages.secret_page(
            request, "account/register_confirm.html", code=code, form=form, wanted=wanted, secret=secret
        )
