"""The table of all routes, for people: what answers, how long caches keep it, what makes them forget it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from caching.policy import DAY, Policy
from pypi.http.router import Route

HEAD = ("route", "client", "edge", "L1, L2", "if the source fails", "by", "tags")


def markdown(routes: Iterable[Route]) -> str:
    """The table in Markdown."""
    return "".join(f"| {' | '.join(row)} |\n" for row in (HEAD, ["---"] * len(HEAD), *rows(routes)))


def rows(routes: Iterable[Route]) -> Iterator[tuple[str, ...]]:
    """One row per route, in the order of paths."""
    for route in sorted(routes, key=lambda route: (route.path, route.method)):
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
