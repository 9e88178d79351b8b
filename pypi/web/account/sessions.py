"""``/account/sessions/``: where somebody is signed in, and how that ends."""

from __future__ import annotations

from typing import Any, ClassVar

from attrs import frozen

from pypi.accounts.audit import Kind
from pypi.accounts.sessions import Sessions
from pypi.domain.devices import in_words
from pypi.domain.errors import NotFound
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.web.personal import PERSONAL, PersonalPages, after

SESSIONS = "/account/sessions/"

DONE = {
    "ended": "That session is over.",
    "others": "You are signed in here, and nowhere else.",
    "none": "You were signed in nowhere else.",
}


class NoSuchSession(NotFound):
    """It is over, or somebody else's."""

    def __str__(self) -> str:
        return "There is no such session; perhaps it is over already."


@frozen(kw_only=True, eq=False)
class SessionPages:
    """Shows sessions, and ends them."""

    router: ClassVar[Router] = Router()
    sessions: Sessions
    pages: PersonalPages

    @router.get(SESSIONS, policy=PERSONAL, terms=personal())
    async def show(self, request: Any) -> Answer:
        """All of them, this one marked."""
        lines = await self.sessions.of_user(request.session.user_id)
        return self.pages.page(
            request,
            "account/sessions.html",
            done=DONE,
            sessions=[(line, in_words(line.agent)) for line in lines],
            this=request.session.id,
        )

    @router.post("/account/sessions/<number>/end/", terms=personal(audit=Kind.SESSION_ENDED.event))
    async def end(self, request: Any, number: str) -> Answer:
        """End one of them."""
        is_id = number.isascii() and number.isdigit() and len(number) < 19
        if not is_id or not await self.sessions.revoke(
            request.session, int(number), address=request.caller.address
        ):
            raise NoSuchSession()
        return after(SESSIONS, "ended")

    @router.post("/account/sessions/end-others/", terms=personal(audit=Kind.SESSIONS_ENDED.event))
    async def end_others(self, request: Any) -> Answer:
        """End all but this one."""
        ended = await self.sessions.revoke_others(
            request.session, address=request.caller.address, browser=request.browser
        )
        return after(SESSIONS, "others" if ended else "none")
