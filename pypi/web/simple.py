"""``/simple/``: what installers read (PEP 503, 592, 629, 658, 691, 700, 714, 792)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from attrs import evolve, frozen

from caching.blocks import Whole
from caching.conditional import strong_etag
from caching.policy import DAY, Policy
from pypi.domain.errors import NoSuchProject, ProjectMoved, Unavailable
from pypi.domain.names import normalize
from pypi.domain.values import ProjectPage
from pypi.http.answer import Answer, redirect
from pypi.http.negotiate import best, joined
from pypi.http.router import Router
from pypi.http.streams import Stream, of_blocks
from pypi.index.database import DatabaseIndex
from pypi.index.names import Listing
from pypi.web import simple_html, simple_json

HTML = "text/html"
V1_HTML = "application/vnd.pypi.simple.v1+html"
V1_JSON = "application/vnd.pypi.simple.v1+json"
LATEST_HTML = "application/vnd.pypi.simple.latest+html"
LATEST_JSON = "application/vnd.pypi.simple.latest+json"

OFFERS = (HTML, V1_HTML, V1_JSON, LATEST_HTML, LATEST_JSON)
"""In the order of our liking, for clients that like several equally."""

CONCRETE = {LATEST_HTML: V1_HTML, LATEST_JSON: V1_JSON}
CONTENT_TYPES = {HTML: "text/html; charset=utf-8", V1_HTML: f"{V1_HTML}; charset=utf-8", V1_JSON: V1_JSON}

IN_ONE_PIECE = 1 << 20
"""Bytes of a list up to which it is an answer like any other; a longer one is sent block by block."""


def representation(accept: str | None, given: Mapping[str, str]) -> str:
    """The media type a client gets: that of ``?format=`` if it names one, else the best its Accept allows.

    A client that accepts nothing of ours gets HTML: the standard allows that, and old ones rely on it.
    """
    # A plus sign that is not escaped stands for a blank in a query, and no media type has one.
    asked = given.get("format", "").replace(" ", "+")
    chosen = asked if asked in OFFERS else best(accept, OFFERS) or HTML
    return CONCRETE.get(chosen, chosen)


def feature(media_type: str) -> str:
    """What is used by asking for a representation (``pypi.domain.features``)."""
    return "simple.json" if media_type == V1_JSON else "simple.html"


SIMPLE_PAGE = Policy(
    edge=DAY,
    keep=DAY,
    stale_while_revalidate=300,
    stale_if_error=DAY,
    vary=("Accept",),
    variant=representation,
    query=("format",),
    cors=True,
)


OUTDATED = evolve(SIMPLE_PAGE, edge=0, keep=0)
STALE = ("Cache-Status", "cheeseshop-l1; fwd=stale; detail=source-down")


@frozen(kw_only=True, eq=False)
class SimpleApi:
    """The index for installers, in HTML and JSON.

    Attributes:
        files_url: what stands before ``/packages/…`` in the URLs of files.
    """

    router: ClassVar[Router] = Router()
    index: DatabaseIndex
    files_url: str

    @router.get("/simple/", policy=SIMPLE_PAGE, tags=("all-projects",), feature=feature)
    async def projects(self, request: Any) -> Answer:
        """Every project."""
        media_type = negotiated(request)
        try:
            listing = await self.index.names.current()
        except Unavailable:
            outdated = await self._outdated_list(media_type)
            if outdated is None:
                raise
            return outdated
        return _list(listing.serial, await self._written(listing, media_type), media_type)

    async def _outdated_list(self, media_type: str) -> Answer | None:
        """What was the list a while ago, if it is a long one: caches have none of those to fall back upon."""
        listing = self.index.names.held
        if listing is None or self.index.names.age > SIMPLE_PAGE.stale_if_error:
            return None
        whole = await self._written(listing, media_type)
        if whole.length <= IN_ONE_PIECE:
            return None
        answer = _list(listing.serial, whole, media_type)
        return evolve(answer, policy=OUTDATED, headers=(*answer.headers, STALE))

    async def _written(self, listing: Listing, media_type: str) -> Whole:
        form = simple_json.PROJECTS if media_type == V1_JSON else simple_html.PROJECTS
        return await self.index.names.write(listing, form)

    @router.get("/simple/<name>/", policy=SIMPLE_PAGE, tags=("project/<name>",), feature=feature)
    async def project(self, request: Any, name: str) -> Answer:
        """Every file published under one name; other spellings of its address are those of old."""
        normalized = normalize(name)
        tags = (f"project/{normalized}",)
        try:
            page = await self.index.project_page(normalized, self._maker(negotiated(request)))
            return evolve(page, tags=(*tags, *page.tags))
        except ProjectMoved as refusal:
            asked = request.args.get(b"format")
            query = "?" + urlencode({"format": asked[0]}) if asked else ""
            return evolve(redirect(f"/simple/{normalize(refusal.now)}/{query}"), tags=tags)
        except NoSuchProject as refusal:
            # Plain text whatever the client accepts, as every index has always said it.
            return Answer(code=404, body=f"404 Not Found\n\n{refusal}\n".encode(), tags=tags)

    def _maker(self, media_type: str) -> Callable[[ProjectPage], Answer]:
        """Makes a page in one representation."""
        write = simple_json.project_page if media_type == V1_JSON else simple_html.project_page

        def make(page: ProjectPage) -> Answer:
            body = write(page, self.files_url)
            answer = _answer(body, media_type, page.serial, strong_etag(body))
            if not page.successor:
                return answer
            # Whether what is to be used instead is named depends on what becomes of that.
            return evolve(answer, tags=(f"project/{normalize(page.successor)}",))

        return make


def negotiated(request: Any) -> str:
    """The media type this client gets."""
    asked = request.args.get(b"format", [b""])[0].decode("ascii", "replace")
    return representation(joined(request, "Accept"), {"format": asked})


def _list(serial: int, whole: Whole, media_type: str) -> Answer:
    body = b"".join(whole.plain()) if whole.length <= IN_ONE_PIECE else of_blocks(whole)
    return evolve(_answer(body, media_type, serial, whole.etag), tags=("all-projects",))


def _answer(body: bytes | Stream, media_type: str, serial: int, etag: str) -> Answer:
    return Answer(
        body=body,
        content_type=CONTENT_TYPES[media_type],
        headers=(
            ("X-PyPI-Last-Serial", str(serial)),
            ("Content-Security-Policy", "default-src 'none'; sandbox allow-top-navigation"),
        ),
        etag=etag,
    )
