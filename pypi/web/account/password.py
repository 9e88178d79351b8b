"""``/account/password/``: another password, for who knows the one they have."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen
from wtforms import Form, PasswordField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.accounts.errors import UnusablePassword, WeakPassword, WrongCredentials
from pypi.accounts.passwords import MAX_LENGTH
from pypi.accounts.renewal import Renewal
from pypi.accounts.throttle import Act
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.web.account.again import cookie_of
from pypi.web.door import Cookies
from pypi.web.personal import PERSONAL, PersonalPages, after, filled

PASSWORD = "/account/password/"  # noqa: S105  # a path

DONE = {"changed": "Your password is changed. Wherever else you were signed in, you are not any more."}


class PasswordForm(Form):
    """The old password, and the new one."""

    old = PasswordField("Your password now", [InputRequired("Enter your password."), Length(max=MAX_LENGTH)])
    new = PasswordField("New password", [InputRequired("Choose a password."), Length(max=MAX_LENGTH)])


@frozen(kw_only=True, eq=False)
class PasswordPage:
    """Changes one's password."""

    router: ClassVar[Router] = Router()
    renewal: Renewal
    pages: PersonalPages
    cookies: Cookies | None

    @router.get(PASSWORD, policy=PERSONAL, terms=personal())
    async def ask(self, request: Any) -> Answer:
        """The form."""
        return await self._form(request, PasswordForm())

    @router.post(PASSWORD, terms=personal(rate_limit=Act.PASSWORD.word, audit=Kind.PASSWORD_CHANGED.event))
    async def change(self, request: Any) -> Answer:
        """Take the new one; all other sessions end."""
        form = filled(PasswordForm, request)
        if not form.validate():
            return await self._form(request, form, 400)
        old, new = form.old.data or "", form.new.data or ""
        try:
            started = await self.renewal.change(
                request.session,
                old=old,
                new=new,
                address=request.caller.address,
                browser=request.browser,
            )
        except WrongCredentials:
            form.old.errors = ["This is not your password."]
            return await self._form(request, form, 403)
        except (UnusablePassword, WeakPassword) as refusal:
            form.new.errors = [str(refusal)]
            return await self._form(request, form, 400)
        assert self.cookies is not None
        return after(PASSWORD, "changed", cookie_of(self.cookies, started))

    async def _form(self, request: Any, form: PasswordForm, code: int = 200) -> Answer:
        return self.pages.page(
            request,
            "account/password.html",
            code=code,
            done=DONE,
            form=form,
            has_password=await self.renewal.has_password(request.session),
            at_least=self.renewal.strength.at_least,
        )
