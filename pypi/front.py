"""Who answers this path: all rooms on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from klein import Klein
from klein.resource import KleinResource

from legacy_compat.forms import Forms
from legacy_compat.found import Found
from legacy_compat.redirects import OldWorld
from legacy_compat.xmlrpc.resource import CALLS, XmlRpc
from pypi.accounts.audit import Kind
from pypi.accounts.throttle import Act
from pypi.domain.switches import Switches
from pypi.http.answering import SWITCHES, klein_for, let
from pypi.http.csrf import Origins
from pypi.http.door import Door
from pypi.http.keeping import Keeper
from pypi.http.reading import Reading
from pypi.http.refused import ErrorPage
from pypi.http.router import Route
from pypi.http.terms import PUBLISHING, check, check_names
from pypi.web.account.codes import CodePages
from pypi.web.account.confirm import ConfirmPages
from pypi.web.account.delete import DeleteAccount
from pypi.web.account.emails import EmailPages
from pypi.web.account.factors import FactorPages
from pypi.web.account.home import AccountHome
from pypi.web.account.log import AccountLog
from pypi.web.account.openid import OpenIdRoom
from pypi.web.account.passkeys import PasskeyPages
from pypi.web.account.password import PasswordPage
from pypi.web.account.register import Register
from pypi.web.account.reset import Reset
from pypi.web.account.second_factor import SecondFactorPage
from pypi.web.account.sessions import SessionPages
from pypi.web.account.sign_in import SignIn
from pypi.web.account.tokens import TokenPages
from pypi.web.account.verify import Verify
from pypi.web.admin.legacy import LegacyUsage
from pypi.web.admin.log import SecurityLog
from pypi.web.admin.overview import Operate
from pypi.web.admin.projects import OperateProjects
from pypi.web.admin.users import OperateAccounts
from pypi.web.api.description import ApiDescription
from pypi.web.api.projects import ProjectActs
from pypi.web.api.releases import ReleaseActs
from pypi.web.api.roles import RoleActs
from pypi.web.api.shown import ManagedProjects
from pypi.web.changes import ChangeFeed
from pypi.web.downloads import Downloads
from pypi.web.feeds import FeedRoom
from pypi.web.json_api import JsonApi
from pypi.web.manage.history import ManagedHistory
from pypi.web.manage.mine import YourProjects
from pypi.web.manage.people import ManagedPeople
from pypi.web.manage.publishing import ManagedPublishing
from pypi.web.manage.release import ManagedRelease
from pypi.web.manage.releases import ManagedReleases
from pypi.web.manage.settings import ManagedSettings
from pypi.web.pages.classifiers import ClassifierPage
from pypi.web.pages.guides import Guides
from pypi.web.pages.home import Pages
from pypi.web.pages.project.room import ProjectPages
from pypi.web.pages.search import SearchPage
from pypi.web.pages.statistics import StatisticsPage
from pypi.web.pages.users import UserPages
from pypi.web.search_api import SearchApi
from pypi.web.simple import SimpleApi
from pypi.web.static import StaticFiles
from pypi.web.token_reports import TokenReports
from pypi.web.upload import Upload

PUBLIC = (
    Pages,
    Guides,
    StatisticsPage,
    ProjectPages,
    SearchPage,
    SearchApi,
    ReleaseActs,
    ProjectActs,
    RoleActs,
    ManagedProjects,
    ApiDescription,
    ClassifierPage,
    UserPages,
    Operate,
    OperateAccounts,
    OperateProjects,
    LegacyUsage,
    SecurityLog,
    AccountHome,
    SessionPages,
    AccountLog,
    DeleteAccount,
    OpenIdRoom,
    EmailPages,
    FactorPages,
    PasskeyPages,
    CodePages,
    PasswordPage,
    TokenPages,
    SignIn,
    SecondFactorPage,
    ConfirmPages,
    Register,
    Reset,
    Verify,
    YourProjects,
    ManagedReleases,
    ManagedRelease,
    ManagedPeople,
    ManagedSettings,
    ManagedHistory,
    ManagedPublishing,
    SimpleApi,
    JsonApi,
    ChangeFeed,
    FeedRoom,
    XmlRpc,
    TokenReports,
    Upload,
    Downloads,
    StaticFiles,
)
"""The rooms behind the index's own listener."""

OLD = (Found, Forms)
"""Rooms that answer old addresses in front of all others."""

EVENTS = frozenset(kind.event for kind in Kind) | {PUBLISHING.audit}
"""All that is noted of writes: in the security log, and of a publication in the journal."""

LIMITS = frozenset(act.word for act in Act) | {CALLS.rate_limit}
"""All limits that somebody counts."""

FOR_PROGRAMS = frozenset({"api", "legacy", "packages", "rpc2", "rss", "simple", "static"})
"""First segments of paths that programs ask, whom no page helps; any spelling of them."""

API = "api"
"""That of paths below which errors, too, are JSON."""

DOCUMENTS = ("/json", "/json/", ".json", ".txt", ".xml", ".ico")
"""How other such paths end."""


class Front(KleinResource):
    """Routes of today, behind a room that knows which requests are none for them."""

    def __init__(self, routes: Klein, old: OldWorld, error_page: ErrorPage | None = None) -> None:
        super().__init__(routes)
        self._old = old
        self._error_page = error_page

    def render(self, request: Any) -> Any:
        """Ask the old world first: it takes what it knows, and nothing that routes know in that spelling."""
        request.in_json = first_segment(request.text_path) == API
        if not is_for_programs(request.text_path) and self._old.shows_pages(request):
            request.error_page = self._error_page
        work = self._old.takes(request)
        return super().render(request) if work is None else let(request, work)


def public(
    *rooms: Any,
    old: OldWorld,
    keeper: Keeper | None = None,
    switches: Switches = SWITCHES,
    error_page: ErrorPage | None = None,
    origins: Origins | None = None,
    door: Door | None = None,
    reading: Reading | None = None,
    for_readers: Sequence[Any] = (),
) -> KleinResource:
    """The resource behind the index's own listener: every route of these rooms.

    Args:
        old: what answers old addresses, and on old hosts.
        keeper: of the answers that are kept.
        switches: which features are off, or announced to go.
        error_page: shows people what went wrong.
        origins: whose pages may send forms.
        door: who lets in to what is not for everybody.
        reading: who decides who reads.
        for_readers: rooms that answer in place of those of the same class, of what is private.

    Raises:
        Gaps: a route does not say on which terms it may be asked.
    """
    check(route for room in OLD for route in room.router.routes)  # those of the others are looked at below
    named = (route for room in (*rooms, *OLD) for route in room.router.routes)
    check_names(named, events=EVENTS, limits=LIMITS)
    return Front(klein_for(rooms, keeper, switches, origins, door, reading, for_readers), old, error_page)


def is_for_programs(path: str) -> bool:
    """Whether programs ask for a path, who read no pages, rather than people."""
    return first_segment(path) in FOR_PROGRAMS or path.endswith(DOCUMENTS)


def first_segment(path: str) -> str:
    """The first segment of a path, in small letters."""
    return path[1:].partition("/")[0].lower()


def operators(*rooms: Any) -> KleinResource:
    """The resource behind the operator's listener, which is not for the public."""
    return klein_for(rooms).resource()


def routes() -> list[Route]:
    """Every public route."""
    return [route for room in (*PUBLIC, *OLD) for route in room.router.routes]


def pages(*rooms: Any) -> frozenset[str]:
    """The paths of these rooms that are one page each."""
    found = (route for room in rooms for route in type(room).router.routes)
    return frozenset(route.path for route in found if route.method == "GET" and "<" not in route.path)
