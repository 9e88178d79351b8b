"""Feeds, and the documents for machines beside them: sitemaps, robots.txt, OpenSearch, the icon."""

from __future__ import annotations

from importlib.resources import files as resources
from typing import Any, ClassVar
from urllib.parse import quote

from attrs import evolve, field, frozen
from twisted.internet.threads import deferToThread

from caching.policy import DAY, Policy
from pypi.domain.errors import NoSuchProject, ProjectMoved
from pypi.domain.names import normalize
from pypi.http.answer import Answer, redirect
from pypi.http.router import Router
from pypi.http.terms import ALWAYS
from pypi.index.feeds import Feeds
from pypi.web import feeds_xml as xml

FEED = Policy(edge=DAY, keep=DAY, stale_while_revalidate=DAY, stale_if_error=5 * DAY, cors=True)
SITEMAP = Policy(browser=3600, edge=DAY, keep=DAY, stale_while_revalidate=6 * 3600, stale_if_error=DAY)
DOCUMENT = Policy(browser=DAY, edge=DAY, keep=DAY, stale_while_revalidate=6 * 3600, stale_if_error=5 * DAY)
ICON = Policy(browser=30 * DAY, edge=365 * DAY, keep=DAY, stale_if_error=365 * DAY)

XML = "text/xml; charset=UTF-8"
ALL = ("all-projects",)
SITE = ("site",)
"""Of what no change of the catalogue touches, but an operator who purges by hand."""

THREAD_FROM = 500
"""Lines of a sitemap from which another thread writes it."""

NOT_FOR_ROBOTS = (
    "/simple/",
    "/packages/",
    "/pypi/*/json",
    "/pypi/*/*/json",
    "/pypi*?",
    "/search*",
    "/api/",
    "/account/",
    "/manage/",
    "/admin/",
    "/legacy/",
)
"""What is for programs, or for the one who asks, or without end."""


def installed_icon() -> bytes:
    """The wedge that comes with Cheeseshop."""
    return resources("templates").joinpath("static", "assets", "favicon.ico").read_bytes()


@frozen(kw_only=True, eq=False)
class FeedRoom:
    """Answers ``/rss/…``, ``/sitemap.xml`` and what search engines and browsers look for by itself.

    Attributes:
        origin: this index's URL, in every link.
        is_public: whether anybody may read the index; otherwise no robot shall come.
        icon: an ICO file.
    """

    router: ClassVar[Router] = Router()
    feeds: Feeds
    origin: str
    is_public: bool = True
    icon: bytes = field(factory=installed_icon, repr=False)

    @router.get("/rss/updates.xml", policy=FEED, tags=ALL, feature="feeds.updates")
    async def updates(self, request: Any) -> Answer:
        """The newest releases."""
        return _xml(xml.updates(await self.feeds.updates(), self.origin), ALL)

    @router.get("/rss/packages.xml", policy=FEED, tags=ALL, feature="feeds.packages")
    async def packages(self, request: Any) -> Answer:
        """The newest projects."""
        return _xml(xml.packages(await self.feeds.new_projects(), self.origin), ALL)

    @router.get(
        "/rss/project/<name>/releases.xml", policy=FEED, tags=("project/<name>",), feature="feeds.project"
    )
    async def releases(self, request: Any, name: str) -> Answer:
        """The newest releases of a project; other spellings of its name, or former ones, lead here."""
        normalized = normalize(name)
        tags = (f"project/{normalized}",)
        try:
            shown, items = await self.feeds.of_project(normalized)
        except ProjectMoved as refusal:
            present = quote(normalize(refusal.now))
            return evolve(redirect(f"/rss/project/{present}/releases.xml"), tags=tags)
        except NoSuchProject as refusal:
            return Answer(code=404, body=f"404 Not Found\n\n{refusal}\n".encode(), tags=tags)
        if name != normalized:
            return evolve(redirect(f"/rss/project/{quote(normalized)}/releases.xml"), tags=tags)
        return _xml(xml.releases(shown, normalized, items, self.origin), tags)

    @router.get("/sitemap.xml", policy=SITEMAP, tags=ALL)
    async def sitemaps(self, request: Any) -> Answer:
        """The sitemaps there are."""
        return _xml(xml.sitemap_index(await self.feeds.buckets(), self.origin), ALL)

    @router.get("/<bucket>.sitemap.xml", policy=SITEMAP, tags=ALL)
    async def sitemap(self, request: Any, bucket: str) -> Answer:
        """The pages of the projects whose names fall into one bucket; a new one changes no other."""
        places = await self.feeds.in_bucket(bucket)
        if len(places) < THREAD_FROM:
            return _xml(xml.sitemap(places, self.origin), ALL)
        return _xml(await deferToThread(xml.sitemap, places, self.origin), ALL)

    @router.get("/robots.txt", policy=DOCUMENT, tags=SITE, terms=ALWAYS)
    async def robots(self, request: Any) -> Answer:
        """Where robots may go."""
        closed = NOT_FOR_ROBOTS if self.is_public else ("/",)
        lines = [f"Sitemap: {self.origin}/sitemap.xml", ""] if self.is_public else []
        lines += ["User-agent: *", *(f"Disallow: {path}" for path in closed), ""]
        return Answer(body="\n".join(lines).encode(), tags=SITE)

    @router.get("/opensearch.xml", policy=DOCUMENT, tags=SITE)
    async def opensearch(self, request: Any) -> Answer:
        """How browsers search here."""
        return _xml(xml.opensearch(self.origin), SITE)

    @router.get("/favicon.ico", policy=ICON, tags=SITE, terms=ALWAYS)
    async def favicon(self, request: Any) -> Answer:
        """The wedge."""
        return Answer(body=self.icon, content_type="image/x-icon", tags=SITE)


def _xml(body: bytes, tags: tuple[str, ...]) -> Answer:
    return Answer(body=body, content_type=XML, tags=tags)
