"""``/account/openid/``: to a provider of OpenID Connect and back, and what an account is linked to there.

A form sends people there, never a link: no page of strangers begins a sign-in. They are led on by a page in
place of a redirect, since browsers hold redirects after forms to ``form-action``, and where a provider leads
people on to is its own business. They come back by GET, as the protocol has it; the address that brings them
holds a code, so that it is told to nobody.

Source: OpenID Connect Core 1.0, section 3.1; RFC 9700 (security of OAuth 2.0), section 4.2.4; CSP Level 3,
section 6.4.
"""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from attrs import evolve, frozen
from wtforms import Form, HiddenField, StringField
from wtforms.validators import InputRequired, Length

from pypi.accounts.again import Again
from pypi.accounts.audit import Kind
from pypi.accounts.errors import NameTaken, UnusableName
from pypi.accounts.openid import Back, Linked, OpenId, SignedIn, Unnamed
from pypi.accounts.openid_errors import NoSuchIdentity
from pypi.domain.errors import NotFound, Refusal
from pypi.http.answer import Answer
from pypi.http.next_path import next_path
from pypi.http.refused import status_of
from pypi.http.router import Router
from pypi.http.terms import entering, personal
from pypi.web.account.again import AgainForm, is_proven
from pypi.web.account.sign_in import HOME, browser_of, entered
from pypi.web.door import Cookies
from pypi.web.personal import PERSONAL, PersonalPages, after, filled

LINKS = "/account/openid/"
LINK = "/account/openid/link/"
UNLINK = "/account/openid/unlink/"
NAME = "/account/openid/name/"
CALLBACK = "/account/openid/callback"

DONE = {
    "linked": "Your account is linked. You can sign in by that from now on.",
    "unlinked": "Your account is no longer linked to it.",
}


class NoProvider(NotFound):
    """Nobody else says who people are."""

    def __str__(self) -> str:
        return "This index has no other place to sign in with."


class LinkForm(AgainForm):
    """One more way to sign in, which only the owner of an account adds."""


class NameForm(Form):
    """What a new account is to be called."""

    name = StringField("User name", [InputRequired("Choose a user name."), Length(max=50)])


class UnlinkForm(Form):
    """Which link is to end."""

    identity = HiddenField(validators=[InputRequired(), Length(max=18)])


@frozen(kw_only=True, eq=False)
class OpenIdRoom:
    """Sends people to the provider, and receives them.

    Attributes:
        openid: ``None`` where there is no provider.
        again: has it proven who wants a link.
    """

    router: ClassVar[Router] = Router()
    openid: OpenId | None
    again: Again
    pages: PersonalPages
    cookies: Cookies | None

    @router.post(LINKS, terms=entering(rate_limit="openid", audit=Kind.SIGNED_IN.event))
    async def begin(self, request: Any) -> Answer:
        """Send somebody there who wants to sign in."""
        openid = self._openid()
        if request.identity is not None:
            return after(HOME)
        wanted = next_path((request.form.fields.get("next") or [""])[0], "")
        url = await openid.ask(_digest(request), next=wanted, address=request.caller.address)
        return self._lead(request, url)

    @router.post(LINK, terms=personal(rate_limit="openid", audit=Kind.OPENID_LINKED.event))
    async def begin_link(self, request: Any) -> Answer:
        """Send somebody there who wants to link the account they are signed in to."""
        openid, form = self._openid(), filled(LinkForm, request)
        if not form.validate() or not await is_proven(self.again, form, request):
            return await self._links(request, openid, form, 403)
        url = await openid.ask(
            _digest(request),
            next=LINKS,
            address=request.caller.address,
            user_id=request.session.user_id,
        )
        return self._lead(request, url)

    @router.get(CALLBACK, policy=PERSONAL, terms=entering())
    async def come_back(self, request: Any) -> Answer:
        """Receive who was sent there."""
        openid = self._openid()
        try:
            outcome = await openid.arrive(_back(request), _digest(request), browser_of(request))
        except Refusal as refusal:
            return self._failed(request, openid, refusal)
        assert self.cookies is not None
        match outcome:
            case SignedIn(started=started, next=wanted):
                return entered(self.cookies, started, wanted)
            case Linked(next=wanted):
                return after(wanted, "linked")
            case Unnamed(secret=secret):
                return await self._unnamed(request, openid, self.cookies, secret)

    @router.get(NAME, policy=PERSONAL, terms=entering())
    async def ask_name(self, request: Any) -> Answer:
        """The form for who has no account yet."""
        newcomer = await self._openid().newcomers.look(_digest(request))
        return await self._name_page(request, NameForm(data={"name": newcomer.name}))

    @router.post(NAME, terms=entering(rate_limit="register", audit=Kind.REGISTERED.event))
    async def join(self, request: Any) -> Answer:
        """Make the account, and sign them in."""
        openid, form = self._openid(), filled(NameForm, request)
        if not form.validate():
            return await self._name_page(request, form, 400)
        try:
            found = await openid.join(_digest(request), (form.name.data or "").strip(), browser_of(request))
        except (NameTaken, UnusableName) as refusal:
            form.name.errors = [str(refusal)]
            return await self._name_page(request, form, status_of(refusal))
        assert self.cookies is not None
        return entered(self.cookies, found.started, found.next)

    @router.get(LINKS, policy=PERSONAL, terms=personal())
    async def linked(self, request: Any) -> Answer:
        """What an account is linked to."""
        return await self._links(request, self._openid(), LinkForm())

    @router.post(UNLINK, terms=personal(audit=Kind.OPENID_UNLINKED.event))
    async def unlink(self, request: Any) -> Answer:
        """End a link."""
        openid, form = self._openid(), filled(UnlinkForm, request)
        number = form.identity.data or ""
        if not form.validate() or not (number.isascii() and number.isdigit()):
            raise NoSuchIdentity()
        await openid.links.remove(request.session, int(number), address=request.caller.address)
        return after(LINKS, "unlinked")

    def _openid(self) -> OpenId:
        if self.openid is None:
            raise NoProvider()
        return self.openid

    async def _links(self, request: Any, openid: OpenId, form: LinkForm, code: int = 200) -> Answer:
        return self.pages.page(
            request,
            "account/openid/linked.html",
            code=code,
            done=DONE,
            links=await openid.links.of_user(request.session.user_id),
            form=form,
            asked=await self.again.asks(request.session),
        )

    def _lead(self, request: Any, url: str) -> Answer:
        return self.pages.page(request, "account/openid/leave.html", url=url)

    def _failed(self, request: Any, openid: OpenId, refusal: Refusal) -> Answer:
        page = self.pages.page(
            request, "account/openid/failed.html", code=status_of(refusal), sentence=str(refusal)
        )
        # Not even to ourselves: what is told of an address is logged. Forms need an origin yet.
        headers = tuple(one for one in page.headers if one[0] != "Referrer-Policy")
        return evolve(page, headers=(*headers, ("Referrer-Policy", "strict-origin")))

    async def _unnamed(self, request: Any, openid: OpenId, cookies: Cookies, secret: str) -> Answer:
        kept = [cookies.visit.header(secret)]
        if request.session is not None:
            # Of another account, whose second factor is owed yet: in its place somebody else begins.
            await openid.entrance.sessions.end(request.session, address=request.caller.address)
            kept.append(cookies.session.forget())
        return after(NAME, "", *kept)

    async def _name_page(self, request: Any, form: NameForm, code: int = 200) -> Answer:
        newcomer = await self._openid().newcomers.look(_digest(request))
        return self.pages.page(request, "account/openid/name.html", code=code, form=form, newcomer=newcomer)


def _back(request: Any) -> Back:
    """What an address brings along; what it says twice it does not say (RFC 6749, section 3.1)."""

    def said(name: str) -> str | None:
        values = request.args.get(name.encode(), [])
        return values[0].decode("utf-8", "replace") if len(values) == 1 else None

    return Back(
        state=said("state") or "",
        code=said("code") or "",
        error=said("error") or "",
        issuer=said("iss"),
    )


def _digest(request: Any) -> bytes:
    """What the browser is known by."""
    return hashlib.sha256(request.secret).digest()
