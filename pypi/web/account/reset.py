"""``/account/reset/``: another password for who has lost it, by mail to an address that was proven."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen
from wtforms import Form, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.audit import Kind
from pypi.accounts.errors import UnusableAddress, UnusablePassword, UnusableProof, WeakPassword
from pypi.accounts.passwords import MAX_LENGTH
from pypi.accounts.renewal import Renewal
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import entering
from pypi.web.door import SIGN_IN
from pypi.web.personal import PERSONAL, PersonalPages, after, filled

RESET = "/account/reset/"
SENT = "/account/reset/sent/"
CHOOSE = "/account/reset/<secret>"


class ResetForm(Form):
    """Where mail is to go."""

    email = StringField("E-mail address", [InputRequired("Enter your e-mail address."), Length(max=254)])


class ChooseForm(Form):
    """The new password."""

    password = PasswordField("New password", [InputRequired("Choose a password."), Length(max=MAX_LENGTH)])


@frozen(kw_only=True, eq=False)
class Reset:
    """Sends links, and takes passwords by them; nobody is signed in by that.

    Attributes:
        sends_mail: whether this index does.
        mail_is_kept: whether that goes no further than into a folder.
    """

    router: ClassVar[Router] = Router()
    renewal: Renewal
    pages: PersonalPages
    sends_mail: bool
    mail_is_kept: bool

    @router.get(RESET, policy=PERSONAL, terms=entering())
    async def ask(self, request: Any) -> Answer:
        """The form."""
        return self._form(request, ResetForm())

    @router.post(RESET, terms=entering(rate_limit="reset", audit=Kind.RESET_ASKED.event))
    async def send(self, request: Any) -> Answer:
        """Send a link, if an account has proven the address; the answer is the same if none has."""
        form = filled(ResetForm, request)
        if not self.sends_mail or not form.validate():
            return self._form(request, form, 400)
        try:
            await self.renewal.ask((form.email.data or "").strip(), address=request.caller.address)
        except UnusableAddress as refusal:
            form.email.errors = [str(refusal)]
            return self._form(request, form, 400)
        return after(SENT)

    @router.get(SENT, policy=PERSONAL, terms=entering())
    async def sent(self, request: Any) -> Answer:
        """Look into your mail."""
        return self.pages.page(request, "account/reset_sent.html", mail_is_kept=self.mail_is_kept)

    @router.get(CHOOSE, policy=PERSONAL, terms=entering())
    async def look(self, request: Any, secret: str) -> Answer:
        """The form for who was led here by mail."""
        if not await self.renewal.look(secret):
            return self._stale(request)
        return self._choice(request, secret, ChooseForm())

    @router.post(CHOOSE, terms=entering(audit=Kind.PASSWORD_RESET.event))
    async def choose(self, request: Any, secret: str) -> Answer:
        """Take the password; whoever did it signs in with that, and all else it takes."""
        form = filled(ChooseForm, request)
        if not form.validate():
            return self._choice(request, secret, form, 400)
        try:
            await self.renewal.reset(
                secret,
                form.password.data or "",
                address=request.caller.address,
                browser=request.browser,
            )
        except UnusableProof:
            return self._stale(request)
        except (UnusablePassword, WeakPassword) as refusal:
            form.password.errors = [str(refusal)]
            return self._choice(request, secret, form, 400)
        return after(SIGN_IN, "password")

    def _form(self, request: Any, form: ResetForm, code: int = 200) -> Answer:
        return self.pages.page(
            request, "account/reset.html", code=code, form=form, sends_mail=self.sends_mail
        )

    def _choice(self, request: Any, secret: str, form: ChooseForm, code: int = 200) -> Answer:
        return self.pages.secret_page(
            request,
            "account/reset_choose.html",
            code=code,
            form=form,
            secret=secret,
            at_least=self.renewal.strength.at_least,
        )

    def _stale(self, request: Any) -> Answer:
        return self.pages.secret_page(request, "account/stale_link.html", code=410, again=RESET)
