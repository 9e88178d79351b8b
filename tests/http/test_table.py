"""The table of routes, and the documentation that shows it."""

from __future__ import annotations

from pathlib import Path

from caching.policy import DAY, NO_STORE, Policy
from pypi.front import routes
from pypi.http.router import Route
from pypi.http.table import HEAD, markdown, rows

DOCUMENTATION = Path(__file__).parents[2] / "docs" / "caching.md"


def test_documentation_has_the_table() -> None:
    """``docs/caching.md`` shows every route with the policy it has."""
    text = DOCUMENTATION.read_text(encoding="utf-8")
    shown = text.partition("<!-- routes -->\n")[2].partition("<!-- end of routes -->")[0]
    assert shown == markdown(routes()), "Replace the table by what `cheeseshop routes` prints."


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
