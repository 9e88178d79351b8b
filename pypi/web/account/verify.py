"""``/account/verify/<secret>``: where mail leads who adds an address to their account.

Programs that look into mail follow its links, so that only a button proves anything.
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.accounts.emails import Emails
from pypi.accounts.errors import AddressTaken, UnusableProof
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.web.personal import PERSONAL, PersonalPages, after

VERIFY = "/account/verify/<secret>"
EMAILS = "/account/emails/"


@frozen(kw_only=True, eq=False)
class Verify:
    """Adds addresses that are proven."""

    router: ClassVar[Router] = Router()
    emails: Emails
    pages: PersonalPages

    @router.get(VERIFY, policy=PERSONAL, terms=personal())
    async def look(self, request: Any, secret: str) -> Answer:
        """The button."""
        address = await self.emails.look(request.session, secret)
        if address is None:
            return self._stale(request)
        return self.pages.secret_page(request, "account/verify.html", address=address, secret=secret)

    @router.post(VERIFY, terms=personal(audit=Kind.EMAIL_VERIFIED.event))
    async def verify(self, request: Any, secret: str) -> Answer:
        """Add the address."""
        try:
            await self.emails.verify(request.session, secret, address=request.caller.address)
        except (UnusableProof, AddressTaken):
            return self._stale(request)
        return after(EMAILS, "added")

    def _stale(self, request: Any) -> Answer:
        return self.pages.secret_page(request, "account/stale_link.html", code=410, again=EMAILS)
