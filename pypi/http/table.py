"""The table of all routes, for people, twice: who may ask, and how long caches keep what is answered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from caching.policy import DAY, Policy
from pypi.http.router import Route
from pypi.http.terms import Credential, Terms

HEAD = ("route", "client", "edge", "L1, L2", "if the source fails", "by", "tags")

TERMS_HEAD = ("route", "does", "permission", "credentials", "CSRF", "rate limit", "audit event", "caches")

Row = tuple[str, ...]


def markdown(routes: Iterable[Route]) -> str:
    """How answers are kept, in Markdown."""
    return _table(HEAD, rows(routes))


def terms_markdown(routes: Iterable[Route]) -> str:
    """Who may ask, in Markdown."""
    return _table(TERMS_HEAD, terms_rows(routes))


def _table(head: Row, lines: Iterable[Row]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ("---",) * len(head), *lines))


def terms_rows(routes: Iterable[Route]) -> Iterator[Row]:
    """One row per route, in the order of paths."""
    for route in _sorted(routes):
        terms = route.terms
        yield (
            f"`{route.method} {route.path}`",
            "writes" if route.writes else "reads",
            _permission(terms),
            ", ".join(one.value for one in Credential if one in terms.takes) or "–",
            "–" if terms.csrf is None else terms.csrf.value,
            f"`{terms.rate_limit}`" if terms.rate_limit else "–",
            f"`{terms.audit}`" if terms.audit else "–",
            _class(route.policy),
        )


def _permission(terms: Terms) -> str:
    """What one needs, and when it has to have been proven."""
    if terms.permission is None:
        return "–"
    lately = ", shown lately" if terms.lately else ""
    return f"{terms.permission.value}{'*' if terms.always else ''}{lately}"


def _class(policy: Policy) -> str:
    """Whose caches may have it."""
    if not policy.store:
        return "nobody's"
    if not policy.shared:
        return "the client's"
    return "everybody's" + (" and our own" if policy.keep else "")


def _sorted(routes: Iterable[Route]) -> list[Route]:
    return sorted(routes, key=lambda route: (route.path, route.method))


def rows(routes: Iterable[Route]) -> Iterator[Row]:
    """One row per route, in the order of paths."""
    for route in _sorted(routes):
        policy = route.policy
        yield (
            f"`{route.method} {route.path}`",
            _client(policy),
            _edge(policy),
            _time(policy.keep),
            _time(policy.stale_if_error),
            ", ".join((*policy.vary, *(f"`?{name}=`" for name in policy.query))) or "–",
            ", ".join(f"`{tag}`" for tag in route.tags) or "–",
        )


def _client(policy: Policy) -> str:
    if not policy.store:
        return "never"
    kept = f"{_time(policy.browser)}" if policy.browser else "asks each time"
    return kept + ("" if policy.shared else ", privately")


def _edge(policy: Policy) -> str:
    if not (policy.edge and policy.shared and policy.store):
        return "–"
    again = policy.stale_while_revalidate
    return _time(policy.edge) + (f" + {_time(again)} while it asks" if again else "")


def _time(seconds: int) -> str:
    if not seconds:
        return "–"
    for unit, length in (("d", DAY), ("h", 3600), ("min", 60)):
        if seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
