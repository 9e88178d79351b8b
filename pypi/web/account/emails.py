"""``/account/emails/``: the addresses of an account, and which of them its mail goes to."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen
from wtforms import EmailField
from wtforms.validators import InputRequired, Length

from pypi.accounts.again import Again
from pypi.accounts.audit import Kind
from pypi.accounts.emails import Addresses, Emails
from pypi.accounts.errors import NoSuchAddress
from pypi.accounts.throttle import Act
from pypi.domain.errors import Conflict, Invalid
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.web.account.again import AgainForm, is_proven
from pypi.web.personal import PERSONAL, PersonalPages, after, filled

EMAILS = "/account/emails/"

LONGEST = 254
"""Characters of an address."""

DONE = {
    "sent": "A letter is on its way. Follow its link within a day, while you are signed in here.",
    "withdrawn": "The address is not going to be yours.",
    "added": "The address is yours now.",
    "primary": "Your mail goes there from now on. The address before was told.",
    "removed": "The address is not yours any more.",
}


class EmailForm(AgainForm):
    """One more address."""

    email = EmailField("Address", [InputRequired("Enter an e-mail address."), Length(max=LONGEST)])


class PendingForm(AgainForm):
    """An address that is yet to be proven."""

    email = EmailField("Address", [InputRequired(), Length(max=LONGEST)])


@frozen(kw_only=True, eq=False)
class EmailPages:
    """Shows one's addresses.

    Attributes:
        sends_mail: whether mail goes anywhere at all, so that an address can be confirmed.
        mail_is_kept: whether that goes no further than into a folder.
    """

    router: ClassVar[Router] = Router()
    emails: Emails
    again: Again
    pages: PersonalPages
    sends_mail: bool
    mail_is_kept: bool

    @router.get(EMAILS, policy=PERSONAL, terms=personal())
    async def list(self, request: Any) -> Answer:
        """All of them, and the form for one more."""
        return await self._list(request, EmailForm())

    @router.post(EMAILS, terms=personal(rate_limit=Act.VERIFY.word, audit=Kind.EMAIL_ADDED.event))
    async def add(self, request: Any) -> Answer:
        """Have it proven that an address is theirs; nobody is told whose it is."""
        form = filled(EmailForm, request)
        if not form.validate():
            return await self._list(request, form, 400)
        if not await is_proven(self.again, form, request):
            return await self._list(request, form, 403)
        email = (form.email.data or "").strip()
        if email.lower() in await self._theirs(request):
            form.email.errors = ["This address is yours already."]
            return await self._list(request, form, 409)
        try:
            await self.emails.add(request.session, email, address=request.caller.address)
        except (Invalid, Conflict) as refusal:
            form.email.errors = [str(refusal)]
            return await self._list(request, form, 400)
        return after(EMAILS, "sent")

    @router.post(
        "/account/emails/pending/resend/",
        terms=personal(rate_limit=Act.VERIFY.word, audit=Kind.EMAIL_ADDED.event),
    )
    async def resend(self, request: Any) -> Answer:
        """Send the letter once more; the one before proves nothing any more."""
        email = await self._pending(request)
        await self.emails.add(request.session, email, address=request.caller.address)
        return after(EMAILS, "sent")

    @router.post("/account/emails/pending/withdraw/", terms=personal(audit=Kind.EMAIL_REMOVED.event))
    async def withdraw(self, request: Any) -> Answer:
        """Let an address be that is yet to be proven."""
        email = await self._pending(request)
        await self.emails.withdraw(request.session, email, address=request.caller.address)
        return after(EMAILS, "withdrawn")

    @router.get("/account/emails/<email>/", policy=PERSONAL, terms=personal())
    async def one(self, request: Any, email: str) -> Answer:
        """One of them, and what can be done about it."""
        return await self._one(request, email, AgainForm())

    @router.post("/account/emails/<email>/primary/", terms=personal(audit=Kind.EMAIL_PRIMARY.event))
    async def make_primary(self, request: Any, email: str) -> Answer:
        """Have mail go there."""
        form = filled(AgainForm, request)
        if not await is_proven(self.again, form, request):
            return await self._one(request, email, form, 403)
        await self.emails.make_primary(request.session, number(email), address=request.caller.address)
        return after(EMAILS, "primary")

    @router.post("/account/emails/<email>/remove/", terms=personal(audit=Kind.EMAIL_REMOVED.event))
    async def remove(self, request: Any, email: str) -> Answer:
        """Take it away."""
        form = filled(AgainForm, request)
        if not await is_proven(self.again, form, request):
            return await self._one(request, email, form, 403)
        await self.emails.remove(request.session, number(email), address=request.caller.address)
        return after(EMAILS, "removed")

    async def _have(self, request: Any) -> Addresses:
        return await self.emails.of_user(request.session.user_id)

    async def _theirs(self, request: Any) -> set[str]:
        return {one.address.lower() for one in (await self._have(request)).proven if one.verified}

    async def _pending(self, request: Any) -> str:
        """The address a form is about.

        Raises:
            NoSuchAddress: it is not one that they are to prove.
        """
        said = (filled(PendingForm, request).email.data or "").lower()
        for one in (await self._have(request)).pending:
            if one.address.lower() == said:
                return one.address
        raise NoSuchAddress()

    async def _list(self, request: Any, form: EmailForm, code: int = 200) -> Answer:
        return self.pages.page(
            request,
            "account/emails.html",
            code=code,
            done=DONE,
            form=form,
            asked=await self.again.asks(request.session),
            path=EMAILS,
            addresses=await self._have(request),
            sends_mail=self.sends_mail,
            mail_is_kept=self.mail_is_kept,
        )

    async def _one(self, request: Any, email: str, form: AgainForm, code: int = 200) -> Answer:
        have = (await self._have(request)).proven
        address = next((one for one in have if one.id == number(email)), None)
        if address is None:
            raise NoSuchAddress()
        asked = await self.again.asks(request.session)
        path = f"{EMAILS}{address.id}/"
        return self.pages.page(
            request, "account/email.html", code=code, form=form, asked=asked, path=path, address=address
        )


def number(text: str) -> int:
    """The id in an address.

    Raises:
        NoSuchAddress: it is none.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise NoSuchAddress()
    return int(text)
