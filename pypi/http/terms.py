"""On which terms a route may be asked: who, with what they show, how often, and what is noted of it.

They stand beside each route as its policy does. A route that writes has to say all of them; what is missing,
or contradicts itself, is found when the routes are put together, before anybody is served.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator
from enum import Enum
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from caching.policy import Policy
from pypi.domain.permissions import OF_ANYBODY, Permission

if TYPE_CHECKING:
    from pypi.http.router import Route

_NAME = re.compile(r"[a-z]+(?:[._-][a-z]+)*", re.ASCII)


class Credential(Enum):
    """What a client may show of who it is. What a route does not take, its handler does not get to see."""

    NONE = "none"
    SESSION = "session"
    TOKEN = "token"  # noqa: S105  # a kind of credential
    PASSWORD = "password"  # noqa: S105  # likewise


class Csrf(Enum):
    """How a route makes sure that no page of strangers makes a browser ask it.

    ``TOKEN``: the form carries a token of the session, and was sent by a page of our own origin.
    ``COOKIELESS``: cookies are not looked at, and pages of other sites are turned away, since a browser in
    which somebody once typed a token or a password sends that along.
    """

    TOKEN = "token and origin"  # noqa: S105  # a rule
    COOKIELESS = "no cookies"


@frozen(kw_only=True)
class Terms:
    """The terms of one route.

    Attributes:
        takes: kinds of credentials, each of which will do; with ``NONE`` one may come without any.
        permission: what one needs.
        csrf: how strangers' pages are kept out; a route that only reads needs nothing.
        rate_limit: name of the limit that counts it; empty where there is none.
        audit: the event that is noted when it was done; empty where nothing is.
        lately: whether a second factor has to have been shown a short while ago, so that a session which was
            stolen is not enough.
        always: whether everybody reads it even where the index is private, as who is about to sign in has to.
    """

    takes: frozenset[Credential] = frozenset()
    permission: Permission | None = None
    csrf: Csrf | None = None
    rate_limit: str = ""
    audit: str = ""
    lately: bool = False
    always: bool = False

    @property
    def hidden(self) -> tuple[str, ...]:
        """Headers of a request that these terms leave out of account."""
        hidden = () if Credential.SESSION in self.takes else ("Cookie",)
        if self.takes & {Credential.TOKEN, Credential.PASSWORD}:
            return hidden
        return (*hidden, "Authorization")


def reading(*, rate_limit: str = "") -> Terms:
    """The terms of what everybody may read, without showing anything."""
    return Terms(takes=frozenset({Credential.NONE}), permission=Permission.READ, rate_limit=rate_limit)


ANYBODY_READS = reading()

ALWAYS = evolve(ANYBODY_READS, always=True)
"""Of what tells nothing about projects, and is needed to sign in, or to be told to stay out."""


def entering(*, rate_limit: str = "", audit: str = "") -> Terms:
    """The terms of what one does to become somebody: forms for those who are nobody yet, or no longer.

    Args:
        audit: of what it changes; empty for a page that only shows such a form.
    """
    return Terms(
        takes=frozenset({Credential.NONE, Credential.SESSION}),
        permission=Permission.ENTER,
        csrf=Csrf.TOKEN if audit else None,
        rate_limit=rate_limit,
        audit=audit,
    )


def personal(
    permission: Permission = Permission.ACCOUNT,
    *,
    rate_limit: str = "",
    audit: str = "",
    lately: bool = False,
) -> Terms:
    """The terms of pages for somebody who is signed in, and of their forms.

    Args:
        audit: of what a form changes; empty for a page that only shows something.
        lately: for what operators do: whether they show their second factor once more before.
    """
    return Terms(
        takes=frozenset({Credential.SESSION}),
        permission=permission,
        csrf=Csrf.TOKEN if audit else None,
        rate_limit=rate_limit,
        audit=audit,
        lately=lately,
    )


def calling(permission: Permission, *, audit: str, rate_limit: str = "") -> Terms:
    """The terms of what programs do to projects, by a token or a password."""
    return Terms(
        takes=frozenset({Credential.PASSWORD, Credential.TOKEN}),
        permission=permission,
        csrf=Csrf.COOKIELESS,
        rate_limit=rate_limit,
        audit=audit,
    )


def asking(permission: Permission = Permission.READ, *, rate_limit: str = "") -> Terms:
    """The terms of what programs read as somebody, by a token or a password."""
    return Terms(
        takes=frozenset({Credential.PASSWORD, Credential.TOKEN}),
        permission=permission,
        rate_limit=rate_limit,
    )


PUBLISHING = Terms(
    takes=frozenset({Credential.PASSWORD, Credential.TOKEN}),
    permission=Permission.UPLOAD,
    csrf=Csrf.COOKIELESS,
    audit="project.file-added",
)
"""Of uploads: by their tools, never by a browser that is signed in."""


class Gaps(ValueError):
    """Routes do not say all they have to, or contradict themselves: nothing is started.

    Attributes:
        args: one sentence for each.
    """

    def __str__(self) -> str:
        return "\n".join(self.args)


def check(routes: Iterable[Route], *, has_origins: bool = True, has_door: bool = True) -> None:
    """Make sure that routes may be served.

    Args:
        has_origins: whether it is known whose pages are our own.
        has_door: whether somebody looks who asks.

    Raises:
        Gaps: some may not.
    """
    found = [
        f"{route.method} {route.path} {fault}."
        for route in routes
        for fault in (
            *faults(route),
            *(() if has_origins else _of_origins(route.terms)),
            *(() if has_door else _of_door(route.terms)),
        )
    ]
    if found:
        raise Gaps(*found)


def check_names(routes: Iterable[Route], *, events: Container[str], limits: Container[str]) -> None:
    """Make sure that what routes name is there, so that no misspelled limit limits nobody.

    Args:
        events: all that can be noted.
        limits: all that somebody counts.

    Raises:
        Gaps: some name what is not.
    """
    found = []
    for route in routes:
        audit, rate_limit = route.terms.audit, route.terms.rate_limit
        if audit and audit not in events:
            found.append(f"{route.method} {route.path} is noted as {audit!r}, which nobody writes.")
        if rate_limit and rate_limit not in limits:
            found.append(f"{route.method} {route.path} is limited by {rate_limit!r}, which nobody counts.")
    if found:
        raise Gaps(*found)


def faults(route: Route) -> Iterator[str]:
    """What is wrong with a route, in words that follow its name."""
    terms = route.terms
    if not terms.takes:
        yield "does not say which credentials it takes"
    if terms.permission is None:
        yield "does not say which permission it needs"
    if route.writes:
        yield from _of_write(terms)
    elif terms.permission is not None and terms.permission.writes and Credential.NONE in terms.takes:
        yield from _of_open(terms)
    if terms.lately and terms.permission is not Permission.ADMINISTER:
        yield "wants a second factor of late, which only those who administer are sure to have"
    if Credential.SESSION in terms.takes or Credential.NONE not in terms.takes:
        yield from _of_personal(route.policy)
    for name in filter(None, (terms.rate_limit, terms.audit)):
        if not _NAME.fullmatch(name):
            yield f"calls something {name!r}: such names are words with dots between them"


def _of_write(terms: Terms) -> Iterator[str]:
    if terms.permission is not None and not terms.permission.writes:
        yield f"writes, and asks for no more than the permission to {terms.permission.value}"
    if Credential.NONE in terms.takes:
        yield from _of_open(terms)
    if not terms.audit:
        yield "writes, and does not say which event is noted of it"
    if terms.csrf is None:
        yield "writes, and does not say how pages of strangers are kept out (CSRF)"
    elif Credential.SESSION in terms.takes and terms.csrf is not Csrf.TOKEN:
        yield "takes sessions, and does not ask for the token of the session (CSRF)"
    elif Credential.SESSION not in terms.takes and terms.csrf is Csrf.TOKEN:
        yield "asks for the token of a session (CSRF), and takes no sessions"


def _of_open(terms: Terms) -> Iterator[str]:
    if terms.permission is not None and terms.permission not in OF_ANYBODY:
        yield f"takes whoever shows no credentials, and needs the permission to {terms.permission.value}"


def _of_personal(policy: Policy) -> Iterator[str]:
    if policy.store and policy.shared:
        yield "depends on who asks, and lets shared caches keep its answers"
    if policy.keep:
        yield "depends on who asks, and is kept by our own caches, where everybody gets the same"
    if policy.cors:
        yield "depends on who asks, and lets pages of other origins read its answers"


def _of_origins(terms: Terms) -> Iterator[str]:
    if terms.csrf is Csrf.TOKEN:
        yield "is for pages of our own origin (CSRF), and nobody says which that is"


def _of_door(terms: Terms) -> Iterator[str]:
    if Credential.SESSION in terms.takes:
        yield "takes sessions, and nobody stands at the door to look at them"
