"""``/account/tokens/``: one's tokens, one more of them, and one less.

A token is shown on the page that answers the form which asked for it: it stands in no address, in no cookie
and in no log, and nobody keeps that page.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from attrs import field, frozen
from wtforms import SelectField, StringField
from wtforms.validators import DataRequired, Length

from pypi.accounts.again import Again
from pypi.accounts.audit import Kind
from pypi.accounts.issued import LONGEST, MOST, Tokens, Wish, is_idle, reach
from pypi.accounts.one_line import one_line
from pypi.accounts.throttle import Act
from pypi.domain.errors import Conflict, NotFound
from pypi.http.answer import Answer
from pypi.http.router import Router
from pypi.http.terms import personal
from pypi.web.account.again import AgainForm, is_proven
from pypi.web.personal import PERSONAL, PersonalPages, after, choices, filled, given

TOKENS = "/account/tokens/"
NEW = "/account/tokens/new/"

DONE = {"revoked": "The token is revoked: nobody gets in by it any more."}

FOR_EVER = "never"
LIFETIMES = (
    ("7", "in a week"),
    ("30", "in 30 days"),
    ("90", "in 90 days"),
    ("365", "in a year"),
    ("1095", "in three years"),
    (FOR_EVER, "never"),
)
"""Days, and how people call that."""

REACHES = (("write", "publish and manage"), ("read", "read only"))


def _shown(text: str | None) -> str:
    """What was typed as one line; what is too long stays so, and is refused."""
    return one_line(text or "", longest=2 * LONGEST)


class TokenForm(AgainForm):
    """What a token shall be."""

    description = StringField("Name", [DataRequired("Give it a name."), Length(max=LONGEST)], [_shown])
    project = SelectField("Good for")
    reach = SelectField("It may", choices=choices(REACHES))
    lifetime = SelectField("It expires", choices=choices(LIFETIMES), default="365")


@frozen(kw_only=True, eq=False)
class TokenPages:
    """Shows one's tokens.

    Attributes:
        index: as clients have to be told of it: ``origin``, ``simple``, ``upload``, ``called``, ``variable``,
            ``trusted``.
    """

    router: ClassVar[Router] = Router()
    tokens: Tokens
    again: Again
    pages: PersonalPages
    index: Any = field(repr=False)

    @router.get(TOKENS, policy=PERSONAL, terms=personal())
    async def list(self, request: Any) -> Answer:
        """All of them."""
        tokens = await self.tokens.of_user(request.session.user_id)
        return self.pages.page(
            request,
            "account/tokens.html",
            done=DONE,
            tokens=tokens,
            reach=reach,
            is_idle=is_idle,
            now=self.tokens.now(),
        )

    @router.get(NEW, policy=PERSONAL, terms=personal())
    async def ask(self, request: Any) -> Answer:
        """The form for one more."""
        wanted = given(request, "project")
        return await self._form(request, TokenForm(data={"project": wanted}))

    @router.post(NEW, terms=personal(rate_limit=Act.TOKEN.word, audit=Kind.TOKEN_ADDED.event))
    async def make(self, request: Any) -> Answer:
        """Make it, and show it, this once."""
        form = filled(TokenForm, request)
        await self._offer(request, form)
        if not form.validate():
            return await self._form(request, form, 400, offered=True)
        if not await is_proven(self.again, form, request):
            return await self._form(request, form, 403, offered=True)
        wish = wished(form)
        try:
            token = await self.tokens.make(request.session, wish, address=request.caller.address)
        except (Conflict, NotFound) as refusal:
            form.form_errors = [str(refusal)]
            return await self._form(request, form, 409, offered=True)
        return self._made(request, form, wish, str(token))

    @router.post("/account/tokens/<token>/revoke/", terms=personal(audit=Kind.TOKEN_REVOKED.event))
    async def revoke(self, request: Any, token: str) -> Answer:
        """Let one be good for nothing."""
        await self.tokens.revoke(request.identity, token, address=request.caller.address)
        return after(TOKENS, "revoked")

    def _made(self, request: Any, form: TokenForm, wish: Wish, token: str) -> Answer:
        scopes: Any = form.project.choices
        project = next((one.label for one in scopes if one.value == wish.project), None)
        return self.pages.page(
            request,
            "account/token_made.html",
            token=token,
            wish=wish,
            reach=reach(project, is_read_only=wish.is_read_only),
            expires=None if wish.lifetime is None else self.tokens.now() + wish.lifetime,
            index=self.index,
            host=urlsplit(self.index.origin).hostname,
        )

    async def _offer(self, request: Any, form: TokenForm) -> None:
        scopes = await self.tokens.scopes(request.session.user_id)
        offered = [("", "all my projects"), *((one.normalized, one.name) for one in scopes)]
        form.project.choices = choices(offered)

    async def _form(self, request: Any, form: TokenForm, code: int = 200, *, offered: bool = False) -> Answer:
        if not offered:
            await self._offer(request, form)
        asked = await self.again.asks(request.session)
        return self.pages.page(
            request, "account/token_new.html", code=code, form=form, asked=asked, path=NEW, most=MOST
        )


def wished(form: TokenForm) -> Wish:
    """What a form that is filled in well says."""
    lifetime = form.lifetime.data
    return Wish(
        description=form.description.data or "",
        project=form.project.data or None,
        is_read_only=form.reach.data == "read",
        lifetime=None if lifetime == FOR_EVER else timedelta(days=int(lifetime)),
    )
