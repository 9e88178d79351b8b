"""``/account/factors/codes/``: codes for when telephone and passkeys are lost."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.accounts.factor_errors import NoFactorYet
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.web.account.again import AgainForm
from pypi.web.account.factor_desk import FactorDesk
from pypi.web.personal import PERSONAL, filled

CODES = "/account/factors/codes/"


@frozen(kw_only=True, eq=False)
class CodePages:
    """Makes recovery codes."""

    router: ClassVar[Router] = Router()
    desk: FactorDesk

    @router.get(CODES, policy=PERSONAL, terms=personal())
    async def ask(self, request: Any) -> Answer:
        """How many are left, and the form for others."""
        return await self._form(request, AgainForm())

    @router.post(CODES, terms=personal(audit=Kind.RECOVERY_MADE.event))
    async def renew(self, request: Any) -> Answer:
        """Make others in place of all there were, and show them, this once."""
        form = filled(AgainForm, request)
        if not await self.desk.is_proven(form, request):
            return await self._form(request, form, 403)
        if not (await self.desk.second_factors.of(request.session.user_id)).is_set_up:
            form.form_errors = [str(NoFactorYet())]
            return await self._form(request, form, 409)
        started = await self.desk.sessions.rotate(request.session)
        return await self.desk.with_codes(request, started, is_first=False)

    async def _form(self, request: Any, form: AgainForm, code: int = 200) -> Answer:
        return await self.desk.page(request, "account/codes.html", form, path=CODES, code=code)
