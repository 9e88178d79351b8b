"""``/account/confirm/``: a sign-in with a new browser waits here until a letter is answered.

Programs that look into mail follow its links, so that only a button lets anybody in; and only the browser
that waits is shown that button (``pypi.accounts.confirming`` says why).
"""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.accounts.confirming import Confirming
from pypi.accounts.confirming_changes import Asked
from pypi.accounts.errors import SessionOver, UnusableProof
from pypi.accounts.second_factor import Factor
from pypi.accounts.second_step import SecondStep
from pypi.domain.devices import in_words
from pypi.http.answer import Answer
from pypi.http.next_path import next_path
from pypi.http.router import Router
from pypi.http.terms import entering
from pypi.web.account.sign_in import HOME, browser_of, entered, led_on
from pypi.web.door import CONFIRM, SECOND_FACTOR, SIGN_IN, Cookies
from pypi.web.personal import PERSONAL, PersonalPages, after, given_next

AGAIN = f"{CONFIRM}again/"
DENIED = f"{CONFIRM}denied/"
LINK = f"{CONFIRM}<secret>"
DENY = f"{CONFIRM}<secret>/deny/"

DONE = {"sent": "One more message is on its way. The links of those before are good, too."}


@frozen(kw_only=True, eq=False)
class ConfirmPages:
    """Has people wait, and answer.

    Attributes:
        mail_is_kept: whether mail goes no further than into a folder.
    """

    router: ClassVar[Router] = Router()
    confirming: Confirming
    step: SecondStep
    pages: PersonalPages
    cookies: Cookies | None
    mail_is_kept: bool

    @router.get(CONFIRM, policy=PERSONAL, terms=entering())
    async def wait(self, request: Any) -> Answer:
        """Look into your mail; it leads on once the letter is answered, or all is over."""
        session, wanted = request.session, given_next(request)
        if session is None:
            return after(led_on(SIGN_IN, wanted))
        if not session.is_partial:
            return after(wanted or HOME)
        if not session.is_waiting:
            return after(led_on(SECOND_FACTOR, wanted))
        factors = await self.step.factors(session)
        has_passkey = Factor.PASSKEY in factors.usable and self.step.passkeys.site.may_have_passkeys
        return self.pages.secret_page(
            request,
            "account/confirm_waiting.html",
            done=DONE,
            who=session.name,
            wanted=wanted,
            here=led_on(CONFIRM, wanted),
            passkey=has_passkey,
            mail_is_kept=self.mail_is_kept,
        )

    @router.post(AGAIN, terms=entering(rate_limit="confirm", audit=Kind.SIGN_IN_ASKED.event))
    async def ask_again(self, request: Any) -> Answer:
        """Send one more letter."""
        if request.session is None:
            raise SessionOver()
        await self.confirming.ask_again(request.session)
        wanted = next_path((request.form.fields.get("next") or [""])[0], "")
        there = led_on(CONFIRM, wanted)
        return after(f"{there}&done=sent") if wanted else after(there, "sent")

    @router.get(DENIED, policy=PERSONAL, terms=entering())
    async def denied(self, request: Any) -> Answer:
        """What to do now that it was not them."""
        return self.pages.page(request, "account/confirm_denied.html")

    @router.get(LINK, policy=PERSONAL, terms=entering())
    async def look(self, request: Any, secret: str) -> Answer:
        """Who asks to be let in; the button, where that is this browser."""
        return self._shown(request, secret, await self.confirming.look(secret, request.session))

    @router.post(LINK, terms=entering(audit=Kind.SIGNED_IN.event))
    async def confirm(self, request: Any, secret: str) -> Answer:
        """Let this browser in, if it is the one that waits."""
        asked = await self.confirming.look(secret, request.session)
        if asked is None or not asked.is_here:
            return self._shown(request, secret, asked, 403)
        try:
            started, wanted = await self.confirming.confirm(secret, request.session, browser_of(request))
        except UnusableProof:
            return self._shown(request, secret, None)
        assert self.cookies is not None
        return entered(self.cookies, started, next_path(wanted, ""))

    @router.post(DENY, terms=entering(audit=Kind.SIGN_IN_DENIED.event))
    async def deny(self, request: Any, secret: str) -> Answer:
        """End it, wherever that is said."""
        try:
            await self.confirming.deny(secret, address=request.caller.address)
        except UnusableProof:
            return self._shown(request, secret, None)
        return after(DENIED)

    def _shown(self, request: Any, secret: str, asked: Asked | None, code: int = 200) -> Answer:
        if asked is None:
            return self.pages.secret_page(request, "account/confirm_over.html", code=410)
        return self.pages.secret_page(
            request,
            "account/confirm.html",
            code=code,
            asked=asked,
            secret=secret,
            address=request.caller.address,
            agent=in_words(request.getHeader("User-Agent") or ""),
        )
