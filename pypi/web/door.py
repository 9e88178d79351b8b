"""Keeps the door: who asks, by the cookie of a session or by what programs send, and whether they may.

Uploads look for themselves: their tools want to be answered in words of their own, before a byte is read.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from attrs import field, frozen

from pypi.accounts import secret
from pypi.accounts.again import LATELY
from pypi.accounts.errors import NoCredentials
from pypi.accounts.programs import Programs
from pypi.accounts.second_factor import Need, SecondFactors
from pypi.accounts.sessions import Sessions
from pypi.accounts.throttle import Act, Throttle
from pypi.domain.errors import Forbidden
from pypi.domain.permissions import Identity, Permission, in_scope
from pypi.http import csrf
from pypi.http.answer import SAFE, Answer, redirect
from pypi.http.cookies import BROWSER, SESSION, VISIT, Cookie
from pypi.http.credentials import credentials
from pypi.http.door import FORM
from pypi.http.forms import read_form
from pypi.http.next_path import next_path
from pypi.http.terms import Credential, Csrf, Terms

SIGN_IN = "/account/sign-in/"
SECOND_FACTOR = "/account/second-factor/"
FACTORS = "/account/factors/"
OPERATE = "/admin/"
CONFIRM = "/account/confirm/"

NOT_DONE = "not-done"
"""The word in the address one is led back to, where a form was not taken because of that."""

BY_PROGRAMS = frozenset({Credential.TOKEN, Credential.PASSWORD})

COUNTED = {act.word: act for act in (Act.API_WRITE, Act.INVITE)}
"""Limits that are counted at the door, by their names in the terms of routes; who asks is known then."""


class NeedsHttps(Forbidden):
    """Over plain HTTP whoever listens on the way would have the session as well."""

    def __str__(self) -> str:
        return (
            "Signing in needs HTTPS, and this index is asked over plain HTTP. "
            "Its operator can set service.origin to an https:// address."
        )


class NotForYou(Forbidden):
    """Somebody known asks for what is not theirs to do."""

    def __str__(self) -> str:
        return "You may not do this."


@frozen(eq=False)
class Cookies:
    """The cookies of this index.

    Attributes:
        session: of who is signed in.
        visit: of who is about to.
        browser: of the browser they do it with, whoever they are.
    """

    session: Cookie
    visit: Cookie
    browser: Cookie

    @classmethod
    def of(cls, origin: str) -> Cookies | None:
        """Those of an index of this origin; ``None`` where cookies are not safe."""
        session, visit, browser = (Cookie.of(origin, kind) for kind in (SESSION, VISIT, BROWSER))
        return None if session is None or visit is None or browser is None else cls(session, visit, browser)


@frozen(kw_only=True, eq=False)
class DoorKeeper:
    """Lets in by the terms of each route.

    Attributes:
        cookies: ``None`` where nobody can be signed in.
    """

    sessions: Sessions
    programs: Programs
    throttle: Throttle
    second_factors: SecondFactors
    cookies: Cookies | None
    now: Callable[[], datetime] = field(repr=False)
    random_bytes: Callable[[int], bytes] = field(repr=False)

    async def admit(self, request: Any, terms: Terms) -> Answer | None:
        """Look who asks, and let them in, send them elsewhere first, or refuse.

        Raises:
            NotOurForm: a form is none of ours.
            NeedsHttps: nobody can be signed in here.
            Forbidden, Unauthenticated: it is not for them.
            Throttled: they did, or tried, too much of it.
        """
        if terms.permission is Permission.UPLOAD or terms.takes == {Credential.NONE}:
            return None
        if Credential.SESSION in terms.takes:
            await self._by_session(request)
        if request.identity is None and terms.takes & BY_PROGRAMS:
            await self._by_credentials(request, terms)
        if (instead := await self._permit(request, terms)) is not None:
            return instead
        if (act := COUNTED.get(terms.rate_limit)) is not None:
            await self.throttle.take(act, account=request.identity.name, address=request.caller.address)
        if terms.csrf is Csrf.TOKEN:
            await self._take_form(request)
        return None

    async def _by_session(self, request: Any) -> None:
        if self.cookies is None:
            raise NeedsHttps()
        request.browser = self.cookies.browser.read(request)
        text = self.cookies.session.read(request)
        request.session = await self.sessions.read(text) if text else None
        if request.session is None:
            self._visit(request, self.cookies.visit)
            return
        assert text is not None
        request.secret = text.encode()
        if not request.session.is_partial:
            request.identity = Identity(
                user_id=request.session.user_id, name=request.session.name, is_admin=request.session.is_admin
            )

    def _visit(self, request: Any, cookie: Cookie) -> None:
        """Who is nobody yet has a secret, too, which forms are bound to; whoever only sends one has to."""
        text = cookie.read(request)
        if text is None and request.method in SAFE:
            text = secret.make(self.random_bytes)
            request.responseHeaders.addRawHeader(*cookie.header(text))
        request.secret = (text or "").encode()

    async def _by_credentials(self, request: Any, terms: Terms) -> None:
        given = credentials(request)
        if given is None and terms.takes & {Credential.NONE, Credential.SESSION}:
            return
        request.identity = await self.programs.recognise(given, request.caller.address)

    async def _permit(self, request: Any, terms: Terms) -> Answer | None:
        if Credential.NONE in terms.takes:
            return None
        identity = request.identity
        if identity is None:
            if Credential.SESSION not in terms.takes:
                raise NoCredentials()
            return _first(request, _owed(request))
        assert terms.permission is not None
        if identity.token_id is not None and not _is_token_good(identity, terms.permission):
            raise NotForYou()
        return await self._of_operators(request, terms) if terms.permission is Permission.ADMINISTER else None

    async def _of_operators(self, request: Any, terms: Terms) -> Answer | None:
        """Who runs the index shows more than a password, and that again before what is dangerous."""
        if not request.identity.is_admin:
            raise NotForYou()
        factors = await self.second_factors.of(request.identity.user_id)
        shown, now = request.session.second_factor, self.now()
        match factors.need(shown, now=now):
            case Need.SET_UP:
                return redirect(f"{FACTORS}?why=operator", 303)
            case Need.SHOW:
                return _first(request, SECOND_FACTOR)
        if terms.lately and factors.need(shown, now=now, within=LATELY) is Need.SHOW:
            return redirect(f"{SECOND_FACTOR}?next={quote(_sent_from(request), safe='/')}", 303)
        return None

    async def _take_form(self, request: Any) -> None:
        if not request.secret:
            raise csrf.NotOurForm()
        request.form = await read_form(request.body, request.getHeader("Content-Type"), limits=FORM)
        csrf.check_token(request.secret, csrf.given_token(request, request.form.fields))


def _is_token_good(identity: Identity, permission: Permission) -> bool:
    """Whether a token may be good for this at all; for which project, whoever holds that one looks."""
    return in_scope(identity, permission, project_id=identity.project_id)


def _owed(request: Any) -> str:
    """Where somebody goes on who is nobody yet."""
    if request.session is None:
        return SIGN_IN
    return CONFIRM if request.session.is_waiting else SECOND_FACTOR


def _first(request: Any, path: str) -> Answer:
    """Send somebody elsewhere before; and back, if all they wanted is to see a page."""
    asked = next_path(request.uri.decode("ascii", "replace"), "") if request.method in SAFE else ""
    return redirect(f"{path}?next={quote(asked, safe='/')}" if asked else path, 303)


def _sent_from(request: Any) -> str:
    """The page with the form that was not taken, which says so when one is led back."""
    try:
        path = urlsplit(request.getHeader("Referer") or "").path
    except ValueError:
        path = ""
    return f"{next_path(path, OPERATE)}?done={NOT_DONE}"
