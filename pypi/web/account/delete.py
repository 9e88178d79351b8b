"""``/account/delete/``: the end of an account, by its owner's own hand."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.administration import LastOperator
from pypi.accounts.again import Again
from pypi.accounts.audit import Kind
from pypi.http.answer import Answer
from pypi.http.refused import status_of
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.publishing.leaving import Leaving, NotTyped, Overtaken, StillNeeded
from pypi.web.account.again import AgainForm, is_proven
from pypi.web.door import SIGN_IN, Cookies
from pypi.web.personal import PERSONAL, PersonalPages, after, filled

DELETE = "/account/delete/"


class DeleteForm(AgainForm):
    """That it is meant."""

    name = StringField("Your user name", [InputRequired("Type your user name."), Length(max=100)])


@frozen(kw_only=True, eq=False)
class DeleteAccount:
    """Says what goes and what stays, and deletes."""

    router: ClassVar[Router] = Router()
    leaving: Leaving
    again: Again
    pages: PersonalPages
    cookies: Cookies | None

    @router.get(DELETE, policy=PERSONAL, terms=personal())
    async def ask(self, request: Any) -> Answer:
        """The form; or what is in the way."""
        return await self._form(request, DeleteForm())

    @router.post(DELETE, terms=personal(rate_limit="password", audit=Kind.ACCOUNT_DELETED.event))
    async def delete(self, request: Any) -> Answer:
        """Delete it."""
        form = filled(DeleteForm, request)
        if not form.validate():
            return await self._form(request, form, 400)
        if not await is_proven(self.again, form, request):
            return await self._form(request, form, 403)
        try:
            await self.leaving.delete(request.session, form.name.data or "", address=request.caller.address)
        except NotTyped as refusal:
            form.name.errors = [str(refusal)]
            return await self._form(request, form, 400)
        except (StillNeeded, LastOperator, Overtaken) as refusal:
            form.form_errors = [str(refusal)]
            return await self._form(request, form, status_of(refusal))
        assert self.cookies is not None
        return after(SIGN_IN, "deleted", self.cookies.session.forget())

    async def _form(self, request: Any, form: DeleteForm, code: int = 200) -> Answer:
        held = await self.leaving.held(request.session.user_id)
        return self.pages.page(
            request,
            "account/delete.html",
            code=code,
            form=form,
            asked=await self.again.asks(request.session),
            alone=[one.name for one in held if one.is_alone],
            others=[one.name for one in held if not one.is_alone],
        )
