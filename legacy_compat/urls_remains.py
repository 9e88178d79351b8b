"""What else there was: mirrors (PEP 381), statistics, OpenID, OAuth, and pages that have moved."""

from __future__ import annotations

from collections.abc import Mapping

from legacy_compat.paths import Path, Table
from legacy_compat.people import ACCOUNT, PROJECTS, REGISTER, RESET, SIGN_IN
from legacy_compat.questions import Gone, Page, Question, Text
from legacy_compat.spelling import Parameters, pairs

PAGES: Mapping[str, str] = {
    "/account/login/": SIGN_IN,
    "/account/register/": REGISTER,
    "/account/request-password-reset/": RESET,
    "/account/reset-password/": RESET,
    "/account/two-factor/": "/account/second-factor/",
    "/account/verify-email/": "/account/emails/",
    "/manage/account/": ACCOUNT,
    "/manage/account/token/": "/account/tokens/new/",
    "/manage/account/two-factor/": "/account/factors/",
    "/manage/projects/": PROJECTS,
    "/security/": "/security/",
    "/stats/": "/stats/",
}
"""Old addresses of pages → those of today. What stood in their queries goes nowhere: it may be a secret."""

OAUTH = frozenset("request_token access_token authorise add_release upload docupload test".split())

SEARCHED = ("q", "c", "python", "wheels", "o", "page")
"""Parameters of the search page that survive a redirect, in this order."""

TABLE = Table()


@TABLE.add("daytime", "serial", "last-modified")
def _moment(path: Path) -> Question | None:
    return None if path.parts else Text(feature="legacy.mirrors", what=path.root)


@TABLE.add("serversig", "local-stats", "webstats")
def _mirrors_below(path: Path) -> Question | None:
    statistics = path.root != "serversig"
    return Gone(feature="legacy.statistics" if statistics else "legacy.mirrors")


@TABLE.add("serverkey", "mirrors")
def _mirrors(path: Path) -> Question | None:
    return None if path.parts else Gone(feature="legacy.mirrors")


@TABLE.add("stats")
def _stats(path: Path) -> Question | None:
    if path.parts[:1] in (("days",), ("months",)):
        return Gone(feature="legacy.statistics")
    return _page(path)


@TABLE.add("id")
def _identity(path: Path) -> Question | None:
    return Gone(feature="legacy.openid") if len(path.parts) < 2 else None


@TABLE.add("google_login", "openid_login", "openid_claim")
def _openid(path: Path) -> Question | None:
    return None if path.parts else Gone(feature="legacy.openid")


@TABLE.add("oauth")
def _oauth(path: Path) -> Question | None:
    known = not path.parts or (len(path.parts) == 1 and path.parts[0] in OAUTH)
    return Gone(feature="legacy.oauth") if known else None


@TABLE.add("account", "manage", "security")
def _page(path: Path) -> Question | None:
    there = "/".join(("", path.root, *path.parts, ""))
    today = PAGES.get(there)
    if today is None or (today == there and path.of_today and path.slash):
        return None
    return Page(feature="legacy.pages", path=today)


@TABLE.add("search")
def _search(path: Path) -> Question | None:
    if path.parts or (path.of_today and path.slash):
        return None
    given = Parameters(pairs(path.query))
    query = tuple((name, value) for name in SEARCHED for value in given.all(name))
    return Page(feature="legacy.pages", path="/search/", query=query)


@TABLE.add("tos")
def _terms(path: Path) -> Question | None:
    return None if path.parts else Gone(feature="legacy.pages")
