"""The table of routes, and the documentation that shows it."""

from __future__ import annotations

from pathlib import Path

from caching.policy import DAY, NO_STORE, Policy
from pypi.domain.permissions import Permission
from pypi.front import routes
from pypi.http.router import Route
from pypi.http.table import HEAD, TERMS_HEAD, markdown, rows, terms_markdown, terms_rows
from pypi.http.terms import Credential, Csrf, Terms

DOCUMENTATION = Path(__file__).parents[2] / "docs"


def shown_in(name: str) -> str:
    text = (DOCUMENTATION / name).read_text(encoding="utf-8")
    return text.partition("<!-- routes -->\n")[2].partition("<!-- end of routes -->")[0]


def test_documentation_has_the_table() -> None:
    """``docs/caching.md`` shows every route with the policy it has."""
    hint = "Replace the table by what `cheeseshop routes --caches` prints."
    assert shown_in("caching.md") == markdown(routes()), hint


def test_documentation_has_the_terms() -> None:
    """``docs/routes.md`` shows every route with the terms on which it may be asked."""
    assert shown_in("routes.md") == terms_markdown(routes()), "Replace it by what `cheeseshop routes` prints."


def test_row_of_terms() -> None:
    """A row says what the route does, who may ask it with what, and what else is seen to."""
    manage = Terms(
        takes=frozenset({Credential.TOKEN, Credential.SESSION}),
        permission=Permission.MANAGE,
        csrf=Csrf.TOKEN,
        rate_limit="manage.account",
        audit="release.yank",
    )
    table = terms_rows([Route("POST", "/x", "x", NO_STORE, terms=manage, writes=True)])
    assert [dict(zip(TERMS_HEAD, row, strict=True)) for row in table] == [
        {
            "route": "`POST /x`",
            "does": "writes",
            "permission": "manage",
            "credentials": "session, token",
            "CSRF": "token and origin",
            "rate limit": "`manage.account`",
            "audit event": "`release.yank`",
            "caches": "nobody's",
        }
    ]


def test_row() -> None:
    """A row says who keeps the answer how long, what it varies with, and what makes caches forget it."""
    policy = Policy(
        browser=600,
        edge=DAY,
        keep=7200,
        stale_while_revalidate=300,
        stale_if_error=90,
        vary=("Accept",),
        query=("format",),
    )
    table = rows(
        [Route("GET", "/x/<name>/", "x", policy, ("project/<name>",)), Route("POST", "/a", "a", NO_STORE)]
    )
    assert [dict(zip(HEAD, row, strict=True)) for row in table] == [
        {
            "route": "`POST /a`",
            "client": "never",
            "edge": "–",
            "L1, L2": "–",
            "if the source fails": "–",
            "by": "–",
            "tags": "–",
        },
        {
            "route": "`GET /x/<name>/`",
            "client": "10 min",
            "edge": "1 d + 5 min while it asks",
            "L1, L2": "2 h",
            "if the source fails": "90 s",
            "by": "Accept, `?format=`",
            "tags": "`project/<name>`",
        },
    ]


def test_what_is_kept_can_be_forgotten() -> None:
    """A route that caches keep names the tags by which they forget it, unless it never changes."""
    for route in routes():
        never_changes = route.policy.immutable
        assert not route.policy.keep or route.tags or never_changes, route
